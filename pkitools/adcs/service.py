"""get-ca, get-ca-template and get-template as functions: open the directory, ask, close."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pkitools.adcs import discovery
from pkitools.adcs.at_once import Side
from pkitools.adcs.reachability import Reachability, Resolver, probe_hosts
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.outcome import Outcome
from pkitools.models.template import CertificateTemplate
from pkitools.transport.credentials import Credentials, DirectoryAddress
from pkitools.transport.dc_locator import Locator
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.ldap import Directory
from pkitools.transport.security import Logon

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

    Hosts are asked on port 135, all at once, unless ``directory_only``; ``check`` adds findings. ``timeout`` in seconds
    is for everything together. Raises what the directory's connection raises.
    """
    where, deadline = address or DirectoryAddress(), Deadline(timeout)
    trust = None
    with _logon(where, credentials) as logon, Directory.open(where, logon, deadline) as directory:
        cas = discovery.find_cas(
            directory, computer_name=computer_name, name=name, enterprise=enterprise, standalone=standalone
        )
        if check:
            from pkitools.adcs import checks  # the judge of certificates is heavy

            trust = checks.read_trust(directory)
    hosts: Mapping[str, Reachability] = {}
    fetched: Mapping[str, str] = {}
    if not directory_only:
        hosts, fetched = _ask_outside(cas, where, deadline, fetch=check)
        cas = discovery.with_reachability(cas, hosts)
    if trust is not None:
        cas = checks.check_cas(cas, trust, hosts, fetched)
    yield from map(discovery.ca_outcome, cas)


def get_ca_template(
    targets: Sequence[str] = (),
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    *,
    timeout: float = TIMEOUT,
) -> Iterator[Outcome[CATemplate]]:
    """The templates of each CA that a target means (name, host, ``host\\name``, or a wildcard); all without targets."""
    where, deadline = address or DirectoryAddress(), Deadline(timeout)
    with _logon(where, credentials) as logon, Directory.open(where, logon, deadline) as directory:
        yield from discovery.find_ca_templates(directory, targets)


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


def _ask_outside(
    cas: Sequence[CertificationAuthority], address: DirectoryAddress, deadline: Deadline, *, fetch: bool
) -> tuple[Mapping[str, Reachability], Mapping[str, str]]:
    """The hosts and the addresses in the certificates, side by side: dead hosts take the whole time."""

    def fetch_all() -> Mapping[str, str]:
        from pkitools.adcs import checks
        from pkitools.transport.http import HttpFetcher

        return checks.fetch_all(checks.addresses(cas), HttpFetcher(), deadline)

    fetching = Side(fetch_all) if fetch else None
    hosts = probe_hosts((ca.computer_name for ca in cas), deadline, _resolver(address))
    return hosts, fetching.result() if fetching else {}


def _logon(address: DirectoryAddress, credentials: Credentials | None) -> Logon:
    return Logon(credentials or Credentials(), address.dns_server)


def _resolver(address: DirectoryAddress) -> Resolver:
    locator = Locator(address.dns_server)

    def resolve(host: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
        return tuple(Endpoint(item, port) for item in locator.addresses(host, deadline))

    return resolve
