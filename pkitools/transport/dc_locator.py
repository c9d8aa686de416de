"""Finds domain controllers and KDCs by a domain's name through DNS (MS-ADTS 6.3.6, RFC 2782)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.resolver

from pkitools.errors import DeadlineExceededError, InputError, NameResolutionError, NoAnswerError
from pkitools.transport import dns as system_dns
from pkitools.transport.deadline import Deadline

MAX_SERVERS = 64
_QUERY_SECONDS = 3.0
_HINT = "check the domain's name, or give a domain's DNS server with --dns, or a domain controller with --server"


@dataclass(frozen=True, slots=True)
class Service:
    """A service of a domain: the protocol's label, and what stands between it and the domain's name."""

    protocol: str
    role: str

    def name(self, domain: str, site: str | None = None) -> str:
        """The name of its SRV records (MS-ADTS 6.3.2.3), those of one site with ``site``."""
        labels = (self.protocol, f"{site}._sites" if site else "", self.role, domain)
        return ".".join(label for label in labels if label)


LDAP = Service("_ldap._tcp", "dc._msdcs")
GLOBAL_CATALOG = Service("_ldap._tcp", "gc._msdcs")
KERBEROS = Service("_kerberos._tcp", "")


@dataclass(frozen=True, slots=True)
class ServiceHost:
    """A host that offers a service, and the port that DNS names."""

    host: str
    port: int
    priority: int = 0
    weight: int = 0


class Locator:
    """Asks the system's resolver, or the DNS server that the user named."""

    def __init__(self, dns_server: str | None = None) -> None:
        """``dns_server`` is ``ADDRESS`` or ``ADDRESS:PORT``. Raises InputError when it is neither."""
        self._server = _parse_server(dns_server) if dns_server else None

    def services(
        self, service: Service, domain: str, deadline: Deadline, *, site: str | None = None
    ) -> list[ServiceHost]:
        """The hosts of a service, the ones to ask first at the front: by priority, then drawn by weight (RFC 2782).

        With a site, its own hosts come before all others. Raises NameResolutionError when there is none.
        """
        near: list[ServiceHost] = []
        if site:
            try:
                near = self._query(service.name(domain, site), deadline)
            except NameResolutionError:
                pass  # an unknown site, or one without a controller of its own: the others serve it
        try:
            everywhere = self._query(service.name(domain), deadline)
        except NameResolutionError:
            if not near:
                raise
            everywhere = []
        known = {item.host.lower() for item in near}
        return near + [item for item in everywhere if item.host.lower() not in known]

    def addresses(self, host: str, deadline: Deadline) -> tuple[str, ...]:
        """The numeric addresses of a host. Raises NameResolutionError, DeadlineExceededError."""
        if self._server is None or system_dns.is_address(host):
            return tuple(item.address for item in system_dns.resolve(host, 0, deadline))
        found: list[str] = []
        for kind in ("A", "AAAA"):
            try:
                answer = self._resolver().resolve(host, kind, lifetime=self._lifetime(deadline), search=False)
            except dns.resolver.NXDOMAIN as error:
                raise _no_name(host) from error
            except dns.resolver.NoAnswer:
                continue
            except dns.exception.Timeout as error:
                raise self._silent(deadline) from error
            except dns.exception.DNSException as error:
                raise NameResolutionError(f"the name {host} does not resolve: {error}", hint=_HINT) from error
            found += [str(record.address) for record in answer]
        if not found:
            raise _no_name(host)
        return tuple(dict.fromkeys(found))[:MAX_SERVERS]

    def _query(self, name: str, deadline: Deadline) -> list[ServiceHost]:
        try:
            answer = self._resolver().resolve(name, "SRV", lifetime=self._lifetime(deadline), search=False, tcp=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            raise NameResolutionError(
                f"DNS knows no {name}", hint=_HINT, code="ERROR_DOMAIN_CONTROLLER_NOT_FOUND"
            ) from error
        except dns.exception.Timeout as error:
            raise self._silent(deadline) from error
        except dns.resolver.NoNameservers as error:
            raise NameResolutionError(f"{self._named()} cannot answer for {name}", hint=_HINT) from error
        except (dns.exception.DNSException, UnicodeError) as error:
            raise NameResolutionError(f"cannot look up {name}: {error}", hint=_HINT) from error
        records = [
            ServiceHost(str(item.target).rstrip("."), item.port, item.priority, item.weight)
            for item in answer
            if str(item.target) != "."
        ]
        if not records:
            raise NameResolutionError(
                f"DNS says that {name} is not offered", hint=_HINT, code="ERROR_DOMAIN_CONTROLLER_NOT_FOUND"
            )
        return order(records)[:MAX_SERVERS]

    def _resolver(self) -> dns.resolver.Resolver:
        if self._server is None:
            try:
                return dns.resolver.Resolver()
            except dns.resolver.NoResolverConfiguration as error:
                raise NameResolutionError("this machine has no DNS server", hint="give one with --dns") from error
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self._server[0]]
        resolver.port = self._server[1]
        return resolver

    @staticmethod
    def _lifetime(deadline: Deadline) -> float:
        return min(_QUERY_SECONDS, deadline.require("asking DNS for domain controllers"))

    def _named(self) -> str:
        return f"the DNS server {self._server[0]}" if self._server else "this machine's DNS server"

    def _silent(self, deadline: Deadline) -> NoAnswerError:
        where = self._named()
        if deadline.expired():
            return DeadlineExceededError(f"timed out after {deadline.seconds:g} s while asking {where}", hint=_HINT)
        return NameResolutionError(f"{where} does not answer", hint=_HINT)


def search_domain() -> str | None:
    """The first domain of the resolver's search list; None without one."""
    try:
        resolver = dns.resolver.Resolver()
    except dns.exception.DNSException:
        return None
    names = [item.to_text(omit_final_dot=True) for item in (*resolver.search, resolver.domain)]
    return next((name for name in names if "." in name), None)


def order(records: Sequence[ServiceHost]) -> list[ServiceHost]:
    """By priority, lowest first; within one priority drawn by weight (RFC 2782, "Usage rules")."""
    ordered: list[ServiceHost] = []
    for priority in sorted({item.priority for item in records}):
        group = sorted((item for item in records if item.priority == priority), key=lambda item: item.weight)
        while group:
            draw = random.randint(0, sum(item.weight for item in group))  # noqa: S311 - spreads load, guards nothing
            total = 0
            for item in group:
                total += item.weight
                if total >= draw:
                    ordered.append(item)
                    group.remove(item)
                    break
    return ordered


def _no_name(host: str) -> NameResolutionError:
    return NameResolutionError(f"the name {host} does not resolve", hint="check the name, and DNS from this machine")


def _parse_server(text: str) -> tuple[str, int]:
    address, port = text, "53"
    if text.startswith("[") and "]" in text:
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":") or "53"
    elif text.count(":") == 1:
        address, port = text.split(":")
    if not system_dns.is_address(address) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{text!r} is not a DNS server's address", hint="give --dns as ADDRESS or ADDRESS:PORT")
    return address, int(port)
