"""get-ca, get-ca-template, get-template and ping-ca as functions: open the directory, ask, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pkitools.adcs import discovery
from pkitools.adcs.at_once import Side
from pkitools.adcs.reachability import Reachability, Resolver, probe_hosts
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.ca_ping import CaPing
from pkitools.models.outcome import Outcome, judged
from pkitools.models.template import CertificateTemplate
from pkitools.transport.credentials import Credentials, DirectoryAddress
from pkitools.transport.dc_locator import Locator
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.ldap import Directory
from pkitools.transport.security import Logon

if TYPE_CHECKING:
    from pkitools.adcs.live import LiveAnswer

TIMEOUT = 20.0


def get_ca(
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    *,
    computer_name: str = "*",
    name: str = "*",
    enterprise: bool = False,
    standalone: bool = False,
    check: bool = False,
    directory_only: bool = False,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome[CertificationAuthority]]:
    """Every CA that the directory knows and the filters let through; an outcome each, named by its config string.

    CAs are asked themselves (ICertRequest, service control manager), all at once, unless ``directory_only``; where no
    logon is possible port 135 decides. ``check`` adds findings. ``timeout`` in seconds is for everything together.
    Raises what the directory's connection raises.
    """
    where, deadline = address or DirectoryAddress(), Deadline(timeout)
    trust = None
    outside = _Outside()
    with _logon(where, credentials) as logon:
        with Directory.open(where, logon, deadline) as directory:
            cas = discovery.find_cas(
                directory, computer_name=computer_name, name=name, enterprise=enterprise, standalone=standalone
            )
            if check:
                from pkitools.adcs import checks  # the judge of certificates is heavy

                trust = checks.read_trust(directory)
        if not directory_only:
            outside = _ask_outside(cas, where, logon, deadline, fetch=check)
    if not directory_only:
        cas = outside.completed(cas)
    if trust is not None:
        cas = checks.check_cas(cas, trust, outside.hosts, outside.fetched)
    yield from map(discovery.ca_outcome, cas)


def get_ca_template(
    targets: Sequence[str] = (),
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    *,
    directory_only: bool = False,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome[CATemplate]]:
    """The templates of each CA that a target means (name, host, ``host\\name``, or a wildcard); all without targets.

    The directory's list is held against the CA's own, where the CA can be asked, unless ``directory_only``.
    """
    where, deadline = address or DirectoryAddress(), Deadline(timeout)
    with _logon(where, credentials) as logon:
        with Directory.open(where, logon, deadline) as directory:
            outcomes = list(discovery.find_ca_templates(directory, targets))
        answers: Mapping[str, LiveAnswer] = {}
        if not directory_only:
            from pkitools.adcs import live

            found = [item.value for item in outcomes if item.value is not None]
            answers = live.ask_cas(found, logon, deadline, _resolver(where))
    for outcome in outcomes:
        if outcome.value is None or directory_only:
            yield outcome
            continue
        value = live.with_live_templates(outcome.value, answers.get(outcome.value.config_string))
        yield judged(outcome.target, value, value.findings)


def get_template(
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    *,
    names: Sequence[str] = (),
    display_names: Sequence[str] = (),
    oids: Sequence[str] = (),
    always_on_vpn: bool = False,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome[CertificateTemplate]]:
    """The certificate templates that a pattern matches; all without patterns."""
    where, deadline = address or DirectoryAddress(), Deadline(timeout)
    with _logon(where, credentials) as logon, Directory.open(where, logon, deadline) as directory:
        yield from discovery.find_templates(
            directory, names=names, display_names=display_names, oids=oids, always_on_vpn=always_on_vpn
        )


def ping_ca(
    targets: Sequence[str],
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    *,
    admin: bool = True,
    explain: bool = False,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome[CaPing]]:
    """Ping each CA that a target means (host, ``host\\name``, name, wildcard) through ICertRequest and, with ``admin``,
    ICertAdmin. ``timeout`` in seconds is for one CA. Raises what ``ping_service.ping_ca`` raises."""
    from pkitools.adcs.ping_many import PingOptions
    from pkitools.adcs.ping_service import ping_ca as ping

    batch = ping(targets, address, credentials, PingOptions(timeout=timeout, admin=admin, explain=explain))
    yield from (item for item in batch.outcomes if isinstance(item, Outcome))


@dataclass(frozen=True, slots=True)
class _Outside:
    """What was asked beside the directory: hosts on port 135, addresses in certificates, the CAs themselves."""

    hosts: Mapping[str, Reachability] = field(default_factory=dict)
    fetched: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, LiveAnswer] = field(default_factory=dict)

    def completed(self, cas: Sequence[CertificationAuthority]) -> list[CertificationAuthority]:
        """The CAs with all of it."""
        from pkitools.adcs import live

        return live.with_live_answers(discovery.with_reachability(cas, self.hosts), self.answers)


def _ask_outside(
    cas: Sequence[CertificationAuthority], address: DirectoryAddress, logon: Logon, deadline: Deadline, *, fetch: bool
) -> _Outside:
    """All side by side: dead hosts take the whole time."""
    from pkitools.adcs import live

    resolver = _resolver(address)
    fetching = Side(lambda: _fetch(cas, deadline, resolver)) if fetch else None
    asking = Side(lambda: live.ask_cas(cas, logon, deadline, resolver))
    hosts = probe_hosts((ca.computer_name for ca in cas), deadline, resolver)
    return _Outside(hosts, fetching.result() if fetching else {}, asking.result())


def _fetch(cas: Sequence[CertificationAuthority], deadline: Deadline, resolver: Resolver) -> Mapping[str, str]:
    from pkitools.adcs import checks
    from pkitools.transport.http import HttpFetcher

    return checks.fetch_all(checks.addresses(cas), HttpFetcher(resolver=resolver), deadline)


def _logon(address: DirectoryAddress, credentials: Credentials | None) -> Logon:
    return Logon(credentials or Credentials(), address.dns_server)


def _resolver(address: DirectoryAddress) -> Resolver:
    locator = Locator(address.dns_server)

    def resolve(host: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(item, port) for item in locator.addresses(host, deadline))

    return resolve
