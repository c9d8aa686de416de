"""Whether CA hosts answer on the endpoint mapper's port: all at once, so that dead ones delay no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pkitools.adcs.at_once import at_once
from pkitools.errors import ConnectError, DeadlineExceededError, InputError, NameResolutionError, PkiToolsError
from pkitools.models.outcome import Reason, reason_of
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint, resolve
from pkitools.transport.tcp import connect

RPC_PORT = 135
_CODES = (
    (NameResolutionError, "WSAHOST_NOT_FOUND"),
    (DeadlineExceededError, "WSAETIMEDOUT"),
    (ConnectError, "RPC_S_SERVER_UNAVAILABLE"),
)

Resolver = Callable[[str, int, Deadline], tuple[Endpoint, ...]]


@dataclass(frozen=True, slots=True)
class Reachability:
    """Whether a host accepted a connection, the reason when not, and whether its name resolved at all."""

    is_accessible: bool
    reason: Reason | None = None
    in_dns: bool = True


def probe_hosts(
    hosts: Iterable[str], deadline: Deadline, resolver: Resolver = resolve, *, port: int = RPC_PORT
) -> dict[str, Reachability]:
    """Each different host, tried once; every answer is there when the deadline is, or a moment later."""
    wanted = tuple(dict.fromkeys(hosts))
    found = at_once(wanted, lambda host: _probe(host, port, deadline, resolver), deadline)
    return {host: found.get(host) or _silent(host, deadline) for host in wanted}


def _probe(host: str, port: int, deadline: Deadline, resolver: Resolver) -> Reachability:
    try:
        if not host:
            raise InputError("the directory names no host for this CA", error_id="NoHostName")
        connect(resolver(_ascii(host), port, deadline), deadline).stream.close()
    except PkiToolsError as error:
        return Reachability(False, _reason(error), not isinstance(error, NameResolutionError))
    return Reachability(True)


def _ascii(host: str) -> str:
    """The host as DNS knows it; names beyond ASCII in A-labels."""
    if host.isascii() and host.isprintable():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise NameResolutionError(f"{host!r} is no host name", hint="correct dNSHostName in the directory") from error


def _reason(error: PkiToolsError) -> Reason:
    """The reason with Windows' code for it."""
    if error.code is None:
        error.code = next((code for kind, code in _CODES if isinstance(error, kind)), None)
    return reason_of(error)


def _silent(host: str, deadline: Deadline) -> Reachability:
    error = DeadlineExceededError(
        f"{host} did not answer on port {RPC_PORT} within {deadline.seconds:g} s", hint="check the path to the host"
    )
    return Reachability(False, _reason(error))
