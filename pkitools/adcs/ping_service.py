"""ping-ca as a function: find the CAs that are meant, log on once, ping them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pkitools.adcs.ping import CaAddress, parse_config
from pkitools.adcs.ping_many import PingOptions, ping_many
from pkitools.adcs.wildcards import is_wildcard
from pkitools.errors import InputError, NoAnswerError
from pkitools.models.ca_ping import CaPing
from pkitools.models.outcome import Batch, Notice, Outcome, Severity
from pkitools.transport.credentials import AuthMethod, Credentials, DirectoryAddress
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint, is_address, resolve
from pkitools.transport.security import Logon

MAX_CA_NAME = 1535
"""Characters of a CA's name that the interface takes without its NUL (MS-WCCE 3.2.1.4.2.1: range 1 to 1536)."""

Addresses = Callable[[str, Deadline], Sequence[str]]


def ping_ca(
    targets: Sequence[str],
    address: DirectoryAddress | None = None,
    credentials: Credentials | None = None,
    options: PingOptions | None = None,
) -> Batch[CaPing]:
    """Ping each CA that a target means: ``host``, ``host\\name``, a CA's name or a wildcard over the directory's CAs.

    CAs whose host the directory named get no NTLM logon unless the credentials ask for it: a stale or hijacked name
    must not collect one. Raises InputError, and what the directory's connection raises when it is needed.
    """
    where, account = address or DirectoryAddress(), credentials or Credentials()
    wanted = options or PingOptions()
    if account.method is AuthMethod.SIMPLE:
        raise InputError("a CA takes no simple bind", hint="give --auth kerberos or --auth ntlm")
    logon = Logon(account, where.dns_server)
    addresses = _addresses(where.dns_server)

    def resolver(host: str, port: int, deadline: Deadline) -> list[Endpoint]:
        return [Endpoint(item, port) for item in addresses(host, deadline)]

    named, searched = _sorted_out(targets, addresses, Deadline(wanted.timeout))
    found = _from_directory(searched, where, logon, Deadline(wanted.timeout)) if searched else []
    if wanted.address and len(named) + len(found) > 1:
        raise InputError("--address goes with one CA only")

    def run() -> Iterator[Outcome[CaPing] | Notice]:
        with logon:
            yield from ping_many(named, logon, wanted, resolver)
            if found and account.method is None and account.user is not None:
                yield Notice("CAs that the directory named are asked with Kerberos alone (--auth ntlm)", Severity.NOTE)
            yield from ping_many(found, logon, _without_ntlm(wanted, account), resolver)

    return Batch(len(named) + len(found), run())


def _addresses(dns_server: str | None) -> Addresses:
    """The system's resolver, or the DNS server that the user named. Raises InputError when that is none."""
    if dns_server is None:
        return lambda host, deadline: [item.address for item in resolve(host, 0, deadline)]
    from pkitools.transport.dc_locator import Locator

    return Locator(dns_server).addresses


def _without_ntlm(options: PingOptions, credentials: Credentials) -> PingOptions:
    return options if credentials.method is not None else replace(options, methods=(AuthMethod.KERBEROS,))


def _sorted_out(targets: Sequence[str], addresses: Addresses, deadline: Deadline) -> tuple[list[CaAddress], list[str]]:
    """Targets that name a host, and those to be looked up in the directory. A plain word is a host if it resolves."""
    named: list[CaAddress] = []
    searched: list[str] = []
    for target in targets:
        if _names_a_host(target, addresses, deadline):
            named.append(_checked(parse_config(target)))
        else:
            searched.append(target)
    return named, searched


def _names_a_host(target: str, addresses: Addresses, deadline: Deadline) -> bool:
    if not target.strip() or "\x00" in target:
        raise InputError(f"{target!r} names no CA", hint="write host, host\\name, a CA's name or a wildcard")
    if "\\" in target or is_address(target):
        return not is_wildcard(target)
    if is_wildcard(target) or " " in target:
        return False
    if "." in target:
        return True
    try:
        return bool(addresses(target, deadline))
    except NoAnswerError:
        return False


def _checked(target: CaAddress) -> CaAddress:
    if not target.host:
        raise InputError(f"{target.config_string!r} has no host before the backslash")
    if target.name is not None and len(target.name) > MAX_CA_NAME:
        raise InputError(f"the CA's name has {len(target.name)} characters; {MAX_CA_NAME} is the most")
    return target


def _from_directory(
    targets: Sequence[str], address: DirectoryAddress, logon: Logon, deadline: Deadline
) -> list[CaAddress]:
    # most pings need no directory, and its libraries take longer to import than a ping takes
    from pkitools.adcs import discovery
    from pkitools.transport.ldap import Directory

    with Directory.open(address, logon, deadline) as directory:
        cas = discovery.find_cas(directory)
    found: dict[str, CaAddress] = {}
    for target in targets:
        matching = [ca for ca in cas if discovery.is_meant(ca, target)]
        if not matching:
            names = ", ".join(ca.config_string for ca in cas[:10]) or "none"
            raise InputError(f"the directory has no CA {target!r}", hint=f"it has: {names}", error_id="ObjectNotFound")
        for ca in matching:
            found.setdefault(ca.config_string, CaAddress(ca.computer_name, ca.name))
    return list(found.values())
