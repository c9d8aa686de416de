"""What is wrong with a CA: its certificate, its place in the forest's trust, its templates, its host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from pkitools.adcs import enrollment_services, templates
from pkitools.adcs.at_once import at_once
from pkitools.adcs.connection import DirectoryConnection
from pkitools.adcs.forest import entry_name, object_class, pks_dn
from pkitools.adcs.reachability import Reachability
from pkitools.errors import FormatError, PkiToolsError
from pkitools.models.ca import CertificationAuthority
from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.protocol.ldap import filters
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import folded_dn, is_below
from pkitools.protocol.ldap.messages import Entry
from pkitools.transport.deadline import Deadline
from pkitools.trust.fetcher import Fetcher
from pkitools.trust.members import Member, member_of
from pkitools.trust.signatures import Proof

EXPIRY_WARNING = timedelta(days=60)
MAX_FETCHED = 16 * 1024 * 1024
MAX_DEPTH = 16
MAX_NAMESAKES = 64
"""So many certificates of one name are tried as an issuer: each costs a signature check."""
_SEQUENCE = 0x30

Fetched = Mapping[str, str]
"""Address to why it gave nothing; an empty text for one that is well."""

Issuers = Mapping[bytes, Sequence[Member]]
"""Subject (DER) to the certificates of that name in AIA and Certification Authorities."""


@dataclass(slots=True)
class ForestTrust:
    """What the forest trusts and knows: certificates (DER) of its containers, names of templates in lower case, the
    objects that ldap addresses may mean (folded DNs of those that hold a CRL or a certificate), and how many CA objects
    name a host (in lower case)."""

    nt_auth: set[bytes] = field(default_factory=set)
    roots: set[bytes] = field(default_factory=set)
    issuers: set[bytes] = field(default_factory=set)
    templates: set[str] = field(default_factory=set)
    published: set[tuple[str, ...]] = field(default_factory=set)
    hosts: Counter[str] = field(default_factory=Counter)


def read_trust(directory: DirectoryConnection) -> ForestTrust:
    """NTAuthCertificates, Certification Authorities, AIA, CDP and the names of the templates, in one search."""
    base = pks_dn(directory)
    lists = filters.all_of(
        [filters.equals("objectClass", "cRLDistributionPoint"), filters.present("certificateRevocationList")]
    )
    classes = ("certificationAuthority", templates.OBJECT_CLASS, enrollment_services.OBJECT_CLASS)
    query = filters.any_of([lists, *(filters.equals("objectClass", name) for name in classes)])
    trust = ForestTrust()
    for entry in directory.search(base, query, ("objectClass", "cn", "cACertificate", "dNSHostName")):
        kind = object_class(entry.attributes)
        if kind == templates.OBJECT_CLASS.lower():
            trust.templates.add(entry_name(entry).casefold())
        elif kind == enrollment_services.OBJECT_CLASS.lower():
            trust.hosts[(AttributeReader(entry.attributes).text("dNSHostName") or "").casefold()] += 1
        else:
            _add_certificates(trust, entry, base, is_list=kind == "crldistributionpoint")
    return trust


def _add_certificates(trust: ForestTrust, entry: Entry, base: str, *, is_list: bool) -> None:
    values = AttributeReader(entry.attributes).all_octets("cACertificate")
    certificates = {value for value in values if len(value) > 1}  # one zero byte stands for none
    if is_list or certificates:
        trust.published.add(folded_dn(entry.dn))
    for container, known in (
        ("NTAuthCertificates", trust.nt_auth),
        ("Certification Authorities", trust.roots),
        ("AIA", trust.issuers),
    ):
        if is_below(entry.dn, f"CN={container},{base}"):
            known.update(certificates)


def check_cas(
    cas: Sequence[CertificationAuthority],
    trust: ForestTrust,
    hosts: Mapping[str, Reachability],
    fetched: Fetched,
    now: datetime | None = None,
) -> list[CertificationAuthority]:
    """The CAs with these findings behind those that they have.

    ``hosts`` is what ``probe_hosts`` found, ``fetched`` what ``fetch_all`` did.
    """
    moment = now or datetime.now(UTC)
    issuers = _by_subject(trust)
    return [replace(ca, findings=(*ca.findings, *_findings(ca, trust, issuers, hosts, fetched, moment))) for ca in cas]


def addresses(cas: Iterable[CertificationAuthority]) -> tuple[str, ...]:
    """Every CDP and AIA address in the CAs' certificates that http leads to."""
    found = (url for ca in cas if ca.certificate for _, url in _pointers(ca.certificate))
    return tuple(dict.fromkeys(url for url in found if url.lower().startswith("http:")))


def fetch_all(urls: Sequence[str], fetcher: Fetcher, deadline: Deadline) -> Fetched:
    """Each address asked once, all at the same time."""
    found = at_once(urls, lambda url: _fetch(url, fetcher, deadline), deadline)
    return {url: found.get(url, "no answer in time") for url in urls}


def _fetch(url: str, fetcher: Fetcher, deadline: Deadline) -> str:
    try:
        body = fetcher.fetch(url, limit=MAX_FETCHED, deadline=deadline)
    except PkiToolsError as error:
        return error.message
    return (
        "" if body[:1] == bytes([_SEQUENCE]) or b"-----BEGIN" in body[:100] else "the answer is no CRL or certificate"
    )


def _findings(
    ca: CertificationAuthority,
    trust: ForestTrust,
    issuers: Issuers,
    hosts: Mapping[str, Reachability],
    fetched: Fetched,
    now: datetime,
) -> Iterator[Finding]:
    if ca.certificate is None:
        step = "publish it: certutil -dspublish -f CA.cer, or reinstall the role"
        yield finding(Severity.ERROR, "NoCertificate", "the object holds no readable CA certificate", step)
    else:
        yield from _validity(ca.certificate, now)
        yield from _trust(ca, ca.certificate, trust, issuers)
        yield from _reachable_pointers(ca.certificate, trust, fetched)
    yield from _templates(ca, trust)
    yield from _host(ca, trust, hosts)


def _validity(certificate: Certificate, now: datetime) -> Iterator[Finding]:
    end, start = certificate.not_after, certificate.not_before
    if end is not None and end < now:
        message = f"the CA certificate expired on {end:%Y-%m-%d}"
        yield finding(Severity.ERROR, "Expired", message, "renew it, or remove the stale CA", code="CERT_E_EXPIRED")
    elif end is not None and end - now < EXPIRY_WARNING:
        message = f"the CA certificate expires on {end:%Y-%m-%d}, in {(end - now).days} days"
        yield finding(Severity.WARNING, "Expiring", message, "renew it now: certutil -renewCert", code="CERT_E_EXPIRED")
    if start is not None and start > now:
        message = f"the CA certificate is valid from {start:%Y-%m-%d} on only"
        yield finding(Severity.ERROR, "NotYetValid", message, "check the clocks", code="CERT_E_EXPIRED")


def _trust(
    ca: CertificationAuthority, certificate: Certificate, trust: ForestTrust, issuers: Issuers
) -> Iterator[Finding]:
    if ca.is_enterprise and certificate.raw_data not in trust.nt_auth:
        message = "the CA certificate is not in NTAuthCertificates: its certificates cannot be used to log on"
        step = "certutil -dspublish -f CA.cer NTAuthCA"
        yield finding(Severity.ERROR, "NotInNTAuth", message, step, code="CERT_E_UNTRUSTEDCA")
    try:
        yield from _chain(member_of(certificate.raw_data), trust, issuers)
    except FormatError as error:
        step = "look at the certificate: pkitools show"
        yield finding(Severity.ERROR, "ChainNotChecked", f"the chain cannot be followed: {error.message}", step)


def _chain(member: Member, trust: ForestTrust, issuers: Issuers) -> Iterator[Finding]:
    """From the CA up to a root, with nothing but what the directory hands to every member of the forest."""
    for _ in range(MAX_DEPTH):
        if member.self_issued:
            if member.der not in trust.roots:
                message = f"the root {member.model.subject!r} is not in Certification Authorities"
                step = "certutil -dspublish -f root.cer RootCA"
                yield finding(Severity.ERROR, "RootNotPublished", message, step, code="CERT_E_UNTRUSTEDROOT")
            return
        namesakes = issuers.get(member.issuer, ())
        issuer = next((item for item in namesakes[:MAX_NAMESAKES] if member.proof(item) is not Proof.BAD), None)
        if issuer is None and len(namesakes) > MAX_NAMESAKES:
            message = f"the directory holds {len(namesakes)} certificates named {member.model.issuer!r}"
            step = "remove those that are not in use from AIA"
            yield finding(Severity.ERROR, "ChainNotChecked", message, step, code="CERT_E_CHAINING")
            return
        if issuer is None:
            message = f"the issuer {member.model.issuer!r} is neither in AIA nor in Certification Authorities"
            step = "certutil -dspublish -f issuer.cer SubCA (or RootCA)"
            yield finding(Severity.ERROR, "ChainIncomplete", message, step, code="CERT_E_CHAINING")
            return
        member = issuer
    yield finding(Severity.ERROR, "ChainIncomplete", "the chain has no end", "look for a loop", code="CERT_E_CHAINING")


def _by_subject(trust: ForestTrust) -> Issuers:
    found: dict[bytes, list[Member]] = {}
    for der in sorted(trust.issuers | trust.roots):
        member = _member(der)
        if member is not None:
            found.setdefault(member.subject, []).append(member)
    return found


def _member(der: bytes) -> Member | None:
    try:
        return member_of(der)
    except FormatError:
        return None


def _pointers(certificate: Certificate) -> Iterator[tuple[str, str]]:
    for point in certificate.crl_distribution_points:
        for name in point.names:
            yield "CDP", name
    for url in certificate.authority_information_access:
        yield "AIA", url


def _reachable_pointers(certificate: Certificate, trust: ForestTrust, fetched: Fetched) -> Iterator[Finding]:
    for use, url in _pointers(certificate):
        scheme = url.partition(":")[0].lower()
        problem = fetched.get(url, "") if scheme == "http" else _ldap_problem(url, trust) if scheme == "ldap" else ""
        if problem:
            message = f"the {use} address {url} gives nothing: {problem}"
            step = "publish the CRL (certutil -crl), and check the web server" if use == "CDP" else "put the file there"
            code = "CRYPT_E_REVOCATION_OFFLINE" if use == "CDP" else None
            yield finding(Severity.WARNING, f"{use}NotFetchable", message, step, code=code)


def _ldap_problem(url: str, trust: ForestTrust) -> str:
    """Why an address without a host, which means this forest's directory, leads to no CRL or certificate."""
    host, _, rest = url.partition("://")[2].partition("/")
    if host:
        return ""  # another directory: not asked
    dn = unquote(rest.partition("?")[0])
    return "" if folded_dn(dn) in trust.published else "the directory has no such object with a value"


def _templates(ca: CertificationAuthority, trust: ForestTrust) -> Iterator[Finding]:
    for name in ca.templates:
        if name.casefold() not in trust.templates:
            message = f"the CA publishes {name!r}, and the directory has no such template"
            step = "remove it from the CA: Certificate Templates, Delete"
            code = "CERTSRV_E_UNSUPPORTED_CERT_TYPE"
            yield finding(Severity.WARNING, "TemplateMissing", message, step, code=code)


def _host(ca: CertificationAuthority, trust: ForestTrust, hosts: Mapping[str, Reachability]) -> Iterator[Finding]:
    objects = trust.hosts[ca.computer_name.casefold()]
    if objects > 1:
        message = f"{objects} CA objects name the host {ca.computer_name}"
        step = "one of them is stale unless the CA was renamed or clustered: remove what is left of it"
        yield finding(Severity.WARNING, "SharedHost", message, step)
    found = hosts.get(ca.computer_name)
    if found is None:
        return
    if found.is_accessible:
        yield from _request_interface(ca)
        return
    reason = found.reason
    message = reason.message if reason else f"{ca.computer_name} does not answer"
    code = reason.code if reason else None
    if not found.in_dns:
        step = "correct DNS, or remove the stale CA from the directory"
        yield finding(Severity.ERROR, "HostNotInDns", message, step, code=code)
    else:
        step = "start the host, or open port 135 to it"
        yield finding(Severity.ERROR, "NotAccessible", message, step, code=code)


def _request_interface(ca: CertificationAuthority) -> Iterator[Finding]:
    """The host answers, and the CA on it was asked and did not."""
    reason = ca.is_accessible_reason
    if ca.is_accessible is False and reason is not None:
        step = reason.next_step or f"find out why: pkitools ping-ca '{ca.config_string}'"
        # not by finding(): DCE names have no number in the tables, and the reason has its own
        yield Finding(Severity.ERROR, "NotAccessible", reason.message, step, reason.code, reason.code_hex)
