"""``test-ike`` for eyes: what the server accepts, what is wrong with it, and what else it showed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pkitools.models.ike import IkeCertificate, IkeFeatures, IkeServer, IkeVerdict
from pkitools.models.ipsec import EncryptionMethod, IkePolicy, IntegrityCheckMethod
from pkitools.models.outcome import Finding, Outcome, Severity, Status
from pkitools.output.text import Line, Style, Styled, finding_lines

_LABEL_WIDTH = 15
_MAX_LISTED = 12


def render(outcome: Outcome[IkeServer], many: bool) -> list[Line]:
    """The answer first, then the findings, then the policies and everything else that was seen."""
    value = outcome.value
    if value is None:
        return []
    answer = _answer(outcome, value)
    if many:
        return [answer]
    lines: list[Line] = [answer, *finding_lines(value.findings), "", *_details(value)]
    return lines


def _answer(outcome: Outcome[IkeServer], value: IkeServer) -> Line:
    grave = [item for item in value.findings if item.severity is not Severity.NOTE]
    if outcome.status not in (Status.OK, Status.FINDING):
        label, text = Styled("????", Style.WARN), _incomplete(value)
    elif outcome.status is Status.OK:
        label, text = Styled("OK  ", Style.GOOD), f"accepts {_count(value)}"
    else:
        bad = any(item.severity is Severity.ERROR for item in grave)
        label = Styled("FAIL", Style.BAD) if bad else Styled("WARN", Style.WARN)
        text = f"accepts {_count(value)}; {_names(grave)}"
    return (label, "  ", Styled(outcome.target, Style.BOLD), "  ", text)


def _incomplete(value: IkeServer) -> str:
    if value.verdict is IkeVerdict.THROTTLED:
        return f"accepts {_count(value)} so far; {len(value.undecided_policies)} not decided"
    return "it is not known what it accepts"


def _count(value: IkeServer) -> str:
    accepted = value.accepted_policies
    if not accepted:
        return "no IKE policy that Windows can express"
    if len(accepted) == 1:
        return _words(accepted[0])
    return f"{len(accepted)} of the 168 IKE policies that Windows can express"


def _names(findings: Iterable[Finding]) -> str:
    return ", ".join(dict.fromkeys(item.code or item.id for item in findings))


def _words(policy: IkePolicy) -> str:
    return f"{policy.encryption_method.value} {policy.integrity_check_method.value} {policy.dh_group.value}"


def _details(value: IkeServer) -> Iterator[Line]:
    yield _row("address", value.address)
    for port in value.ports:
        said = port.message or ("answers" if port.answers else "no answer")
        verdict = "" if port.verdict is None else f"  {port.verdict.value}"
        yield _row(f"UDP {port.port}", f"{said}{verdict}")
    yield from _policies(value)
    if value.expected is not None:
        yield _row("expected", value.expected)
    if value.features is not None:
        yield from _features(value.features)
    if value.certificate is not None:
        yield from _certificate(value.certificate)
    again = f" ({value.retransmissions} sent again)" if value.retransmissions else ""
    cookie = ", cookies asked for" if value.cookie_required else ""
    yield _row(
        "asked",
        f"{value.packets_sent} packets{again} of at most {value.largest_packet} bytes, {value.method or 'one'}{cookie}",
    )
    yield _row("not visible", "child SA policy, PFS group, NPS policy and lifetimes: they need credentials")


def _policies(value: IkeServer) -> Iterator[Line]:
    """EncryptionMethod, IntegrityCheckMethod, DHGroup; combined where they are a whole product."""
    label = "IKE policies"
    for line in _products(value.accepted_policies):
        yield _row(label, line)
        label = ""
    if value.other_policy is not None:
        other = value.other_policy
        length = f" {other.key_length}" if other.key_length else ""
        parts = (f"{other.encryption}{length}", other.integrity, f"PRF {other.prf}", other.dh_group)
        yield _row("not Windows", ", ".join(part for part in parts if part))
    if value.undecided_policies:
        yield _row("not decided", f"{len(value.undecided_policies)} of 168")


def _products(policies: tuple[IkePolicy, ...]) -> list[str]:
    """One line for each set of ciphers that go with the same hashes and group."""
    hashes: dict[tuple[str, EncryptionMethod], list[IntegrityCheckMethod]] = {}
    for policy in policies:
        hashes.setdefault((policy.dh_group.value, policy.encryption_method), []).append(policy.integrity_check_method)
    ciphers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, cipher), found in hashes.items():
        ciphers.setdefault((group, tuple(item.value for item in found)), []).append(cipher.value)
    return [f"{'/'.join(names)}  {'/'.join(digests)}  {group}" for (group, digests), names in ciphers.items()]


def _features(features: IkeFeatures) -> Iterator[Line]:
    yield _row("fragmentation", "announced" if features.fragmentation else "not announced")
    yield _row("NAT", _nat(features))
    authorities = features.certificate_authorities
    for number, authority in enumerate(authorities[:_MAX_LISTED]):
        subject = f"{authority.subject}  " if authority.subject else ""
        yield _row("asks for CAs" if not number else "", f"{subject}public key SHA-1 {authority.public_key_sha1}")
    if len(authorities) > _MAX_LISTED:
        yield _row("", f"and {len(authorities) - _MAX_LISTED} more")
    for number, vendor in enumerate(features.vendor_ids[:_MAX_LISTED]):
        yield _row(
            "vendor id" if not number else "", f"{vendor.value}" + (f"  hint: {vendor.hint}" if vendor.hint else "")
        )
    if features.notifies:
        yield _row("announces", ", ".join(features.notifies[:_MAX_LISTED]))


def _nat(features: IkeFeatures) -> str:
    if features.nat_at_client is None and features.nat_at_server is None:
        return "not told"
    sides = [side for side, found in (("client", features.nat_at_client), ("server", features.nat_at_server)) if found]
    return f"at the {' and the '.join(sides)}" if sides else "none"


def _certificate(certificate: IkeCertificate) -> Iterator[Line]:
    if not certificate.shown:
        yield _row("certificate", certificate.message)
        return
    proof = "verified" if certificate.auth_verified else f"NOT VERIFIED: {certificate.message}"
    yield _row("AUTH signature", f"{proof}  {certificate.auth_algorithm}")
    yield _row("identity", certificate.identity)
    if certificate.fragments > 1:
        yield _row("fragments", str(certificate.fragments))
    if certificate.judgement is None:
        return
    leaf = certificate.judgement.chain[0].certificate
    yield _row("subject", leaf.subject or "(empty)")
    yield _row("issuer", leaf.issuer)
    yield _row("serial number", leaf.serial_number)
    yield _row("valid", f"{leaf.not_before:%Y-%m-%d} to {leaf.not_after:%Y-%m-%d} UTC")
    yield _row("SHA-1", leaf.thumbprint)
    usages = leaf.enhanced_key_usages
    yield _row("purposes", "any (no EKU extension)" if usages is None else ", ".join(map(str, usages)) or "none")
    for number, element in enumerate(certificate.judgement.chain):
        flags = ", ".join(flag.name for flag in element.status)
        line = f"{number}  {element.certificate.subject}  ({element.origin.value})" + (f"  {flags}" if flags else "")
        yield _row("path" if not number else "", line)


def _row(label: str, text: Any) -> Line:
    return (Styled(f"  {label:<{_LABEL_WIDTH}}", Style.DIM), str(text))
