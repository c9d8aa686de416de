"""Many CAs at once: each under its own deadline, results in the order asked, one refused logon ends the logons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from pkitools.adcs.ca_session import CaSession
from pkitools.adcs.ping import CaAddress, ping
from pkitools.models.ca_ping import CaPing
from pkitools.models.outcome import Outcome
from pkitools.transport.credentials import AuthMethod
from pkitools.transport.dcom import ENDPOINT_MAPPER_PORT
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint, resolve
from pkitools.transport.rpc_security import RpcLogon
from pkitools.transport.security import Logon

MAX_AT_ONCE = 64
MAX_REPLY = 64 * 1024
"""Octets that the answers of a ping may have: with 64 hostile CAs at the same time still few megabytes."""

Resolver = Callable[[str, int, Deadline], Sequence[Endpoint]]


@dataclass(frozen=True, slots=True)
class PingOptions:
    """How to ping. ``timeout`` is in seconds for one CA; ``address`` goes in place of the host's resolution,
    ``static_port`` in place of the port that the CA names; ``methods`` limits how to log on (None: what the credentials
    allow), ``explain`` keeps the list of what was used on the wire."""

    timeout: float = 20.0
    admin: bool = True
    address: str | None = None
    static_port: int | None = None
    mapper_port: int = ENDPOINT_MAPPER_PORT
    methods: tuple[AuthMethod, ...] | None = None
    explain: bool = False


def ping_one(target: CaAddress, logon: Logon, options: PingOptions, resolver: Resolver = resolve) -> Outcome[CaPing]:
    """Ping one CA. Never raises for what the network does."""
    deadline = Deadline(options.timeout)
    rpc_logon = RpcLogon(logon, target.host, deadline, options.methods)

    def addresses(host: str, limit: Deadline) -> list[str]:
        return [endpoint.address for endpoint in resolver(host, options.mapper_port, limit)]

    session = CaSession(
        target.host,
        deadline,
        rpc_logon,
        addresses,
        address=options.address,
        mapper_port=options.mapper_port,
        static_port=options.static_port,
        max_reply=MAX_REPLY,
    )
    outcome = ping(
        target,
        session,
        admin=options.admin,
        authentication=lambda: _name_of(rpc_logon.method),
        principal=rpc_logon.principal,
    )
    if options.explain or outcome.value is None:
        return outcome
    return replace(outcome, value=replace(outcome.value, wire=()))


def ping_many(
    targets: Sequence[CaAddress], logon: Logon, options: PingOptions, resolver: Resolver = resolve
) -> Iterator[Outcome[CaPing]]:
    """Ping CAs, all at the same time; outcomes come in the order of ``targets``."""
    with ThreadPoolExecutor(max_workers=min(MAX_AT_ONCE, max(1, len(targets))), thread_name_prefix="ping") as pool:
        futures = [pool.submit(ping_one, target, logon, options, resolver) for target in targets]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _name_of(method: AuthMethod | None) -> str | None:
    return None if method is None else {AuthMethod.KERBEROS: "Kerberos", AuthMethod.NTLM: "NTLM"}.get(method)
