"""``test-ssl`` for eyes: what a Windows client does, why, and then the details; one line for each of many targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding, Outcome, Severity
from pkitools.models.tls import SstpVerdict, WebServerSsl
from pkitools.output.text import Line, Style, Styled, finding_lines

_LABEL_WIDTH = 13
_MAX_NAMES = 12


def render(outcome: Outcome[WebServerSsl], many: bool) -> list[Line]:
    """The answer first, then the findings, then everything that was seen."""
    value = outcome.value
    if value is None:
        return []
    answer = _answer(outcome.target, value)
    if many:
        return [answer]
    return [answer, *finding_lines(value.findings), "", *_details(value)]


def _answer(target: str, value: WebServerSsl) -> Line:
    errors = [item for item in value.findings if item.severity is Severity.ERROR]
    warnings = [item for item in value.findings if item.severity is Severity.WARNING]
    days = "" if value.days_left is None else f", {value.days_left} days left"
    if errors:
        label, text = Styled("FAIL", Style.BAD), _verdict(errors, value)
    elif warnings:
        label, text = Styled("WARN", Style.WARN), f"works today: {_names(warnings)}"
    else:
        asked = value.sstp.verdict is SstpVerdict.LISTENER
        label, text = Styled("OK  ", Style.GOOD), f"a Windows {'SSTP ' if asked else ''}client accepts it"
    return (label, "  ", Styled(target, Style.BOLD), f"  {text}{days}")


def _verdict(errors: list[Finding], value: WebServerSsl) -> str:
    """What the errors come to: a refusal, a certificate that ends too soon for its owner, or no SSTP listener."""
    if all(item.id == "ExpiresSoon" for item in errors):
        return f"works today: {_names(errors)}"
    if all(item.id.startswith("Sstp") for item in errors):
        return f"no SSTP listener: {value.sstp.verdict.value}"
    return f"a Windows client refuses it: {_names(errors)}"


def _names(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(item.code or item.id for item in findings))


def _details(value: WebServerSsl) -> Iterator[Line]:
    tls = value.tls
    yield _row("address", f"{value.address}  {tls.version}  {tls.cipher}" + (f"  {tls.group}" if tls.group else ""))
    yield _row("server name", tls.sni or "none sent")
    if tls.accepted_versions is not None:
        yield _row("TLS versions", ", ".join(tls.accepted_versions))
    yield from _sstp(value)
    yield from _certificate(value.certificate, value)
    yield from _chains(value)
    yield from _revocation(value)
    for node in value.nodes:
        shown = node.error or f"{node.thumbprint}  {node.tls_version}  {node.subject}"
        yield _row("node", f"{node.address}  {shown}" + (f"  {node.sstp.value}" if node.sstp else ""))
    for answer in value.http:
        said = answer.error or answer.status_text or ""
        yield _row("HTTP", f"{answer.request}: {said}" + (f" -> {answer.location}" if answer.location else ""))
    for fetched in value.fetched:
        result = fetched.error or f"{fetched.size} bytes" + (" (fetched before)" if fetched.cached else "")
        yield _row("fetched", f"{fetched.use}  {fetched.url}  {result}")


def _sstp(value: WebServerSsl) -> Iterator[Line]:
    sstp = value.sstp
    yield _row("SSTP", f"{sstp.verdict.value}: {sstp.detail}")
    facts: list[str] = []
    if sstp.http_status is not None:
        facts.append(f"HTTP {sstp.http_status}, server {sstp.server or 'not named'}")
    if sstp.http_latency_ms is not None:
        facts.append(f"HTTP answer after {sstp.http_latency_ms:g} ms")
    if sstp.ack_latency_ms is not None:
        facts.append(f"acknowledge after {sstp.ack_latency_ms:g} ms")
        facts.append(
            f"binding with {' or '.join(sstp.hash_protocols) or 'nothing'}, nonce of {sstp.nonce_length} bytes"
        )
    if facts:
        yield _row("", "; ".join(facts))


def _certificate(leaf: Certificate, value: WebServerSsl) -> Iterator[Line]:
    yield _row("subject", leaf.subject or "(empty)")
    yield _row("issuer", leaf.issuer)
    yield _row("serial number", leaf.serial_number)
    yield _row("valid", f"{_day(leaf.not_before)} to {_day(leaf.not_after)} UTC")
    yield _row("SHA-1", f"{leaf.thumbprint}  (thumbprint; SSTP crypto binding hash)")
    yield _row("SHA-256", f"{leaf.thumbprint_sha256}  (SSTP crypto binding hash)")
    size = leaf.key_curve or (f"{leaf.key_size} bits" if leaf.key_size else "")
    yield _row("key", f"{leaf.key_algorithm} {size}".rstrip())
    yield _row("signature", str(leaf.signature_algorithm))
    yield _row("names", _listed(value.subject_alternative_names) or "none (no subject alternative name)")
    usages = leaf.enhanced_key_usages
    yield _row("purposes", "any (no EKU extension)" if usages is None else _listed(map(str, usages)) or "none")
    if leaf.key_usages is not None:
        yield _row("key usage", ", ".join(item.name for item in leaf.key_usages))
    yield _row("CRL", _listed(name for point in leaf.crl_distribution_points for name in point.names) or "none named")
    if leaf.ocsp_urls:
        yield _row("OCSP", _listed(leaf.ocsp_urls))
    if leaf.authority_information_access:
        yield _row("AIA", _listed(leaf.authority_information_access))
    template = leaf.certificate_template
    if template is not None:
        version = "" if template.major_version is None else f" {template.major_version}.{template.minor_version or 0}"
        yield _row("template", f"{template.name or template.oid or ''}{version}")
    for defect in leaf.defects:
        yield _row("defect", defect)


def _chains(value: WebServerSsl) -> Iterator[Line]:
    for number, certificate in enumerate(value.pkcs7_chain):
        yield _row("sent" if not number else "", f"{number}  {certificate.subject}  <-  {certificate.issuer}")
    for number, element in enumerate(value.chain):
        flags = ", ".join(flag.name for flag in element.status)
        origin = element.origin.value + (f" {element.url}" if element.url else "")
        line = f"{number}  {element.certificate.subject}  ({origin})" + (f"  {flags}" if flags else "")
        yield _row("path" if not number else "", line)


def _revocation(value: WebServerSsl) -> Iterator[Line]:
    for number, item in enumerate(value.revocation):
        parts = [item.subject, item.revocation_status.value]
        if item.source:
            parts.append(f"{item.source} {item.url or ''}".rstrip())
        if item.next_update is not None:
            parts.append(f"next update {_day(item.next_update)}")
        if item.reason:
            parts.append(item.reason)
        yield _row("revocation" if not number else "", "  ".join(parts) + (f"  {item.message}" if item.message else ""))


def _row(label: str, text: str) -> Line:
    return (Styled(f"  {label:<{_LABEL_WIDTH}} ", Style.DIM), text)


def _listed(items: Iterable[str]) -> str:
    texts = list(items)
    more = f" and {len(texts) - _MAX_NAMES} more" if len(texts) > _MAX_NAMES else ""
    return ", ".join(texts[:_MAX_NAMES]) + more


def _day(moment: Any) -> str:
    return "unknown" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
