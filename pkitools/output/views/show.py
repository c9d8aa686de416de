"""``show`` as text: what it is, certificates, keys, how it is protected, who opens it, findings."""

from __future__ import annotations

from collections.abc import Iterator

from pkitools.models.keystore import Encryption, Mac
from pkitools.models.outcome import Outcome
from pkitools.models.shown import ReaderPrediction, ShownCertificate, ShownCrl, ShownFile, ShownKey, ShownRequest
from pkitools.output.text import Line, Style, Styled, finding_lines

_FINGERPRINT_SHOWN = 16
_OPENS = {True: ("opens", Style.GOOD), False: ("refuses", Style.BAD), None: ("unclear", Style.WARN)}


def render(outcome: Outcome[ShownFile], many: bool) -> list[Line]:
    """One file: contents first, findings after them, structure and readers last."""
    shown = outcome.value
    if shown is None:
        return []
    lines: list[Line] = [(Styled(outcome.target, Style.BOLD), f": {_summary(shown)}")]
    for certificate in shown.certificates:
        lines += _certificate(certificate)
    for key in shown.keys:
        lines += _key(key)
    for request in shown.requests:
        lines += _request(request)
    for crl in shown.crls:
        lines.append(("  CRL  ", _crl(crl)))
    lines += _fitness(shown)
    lines += finding_lines(shown.findings)
    if not many:
        lines += [*_protection(shown), *_readers(shown.readers)]
    return lines


def _summary(shown: ShownFile) -> str:
    counts = ((shown.certificates, "certificate"), (shown.keys, "private key"), (shown.requests, "request"))
    parts = [_count(len(items), word) for items, word in (*counts, (shown.crls, "CRL")) if items]
    text = ", ".join(parts) or "nothing visible"
    closed = "" if shown.opened else "; a password hides the rest"
    form = f", password form {shown.password_form}" if shown.password_form not in (None, "Standard") else ""
    protected = f"; protected to {', '.join(shown.protected_to)}" if shown.protected_to else ""
    return f"{shown.format} with {text}{form}{closed}{protected}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


def _certificate(shown: ShownCertificate) -> Iterator[Line]:
    one = shown.certificate
    until = f"{one.not_after:%Y-%m-%d}" if one.not_after else "?"
    start = f"{one.not_before:%Y-%m-%d}" if one.not_before else "?"
    mark = Styled(" + key", Style.GOOD) if shown.has_private_key else ""
    yield ("  ", Styled(f"{shown.role:<12} ", Style.DIM), shown.subject or "(no subject)", mark)
    kind = " ".join(str(part) for part in (one.key_algorithm, one.key_curve or one.key_size) if part)
    yield ("               ", f"{shown.thumbprint}  {start} to {until}  {kind}")
    names = ", ".join(name.value for name in one.subject_alternative_names)
    usages = ", ".join(str(usage) for usage in one.enhanced_key_usages or ())
    sid = one.security_identifier or ""
    for label, text in (("names", names), ("for", usages), ("SID", sid), ("called", shown.friendly_name or "")):
        if text:
            yield ("               ", Styled(f"{label}: ", Style.DIM), text)


def _key(key: ShownKey) -> Iterator[Line]:
    fits = f"fits {', '.join(key.certificates)}" if key.certificates else "fits no certificate here"
    if not key.opened:
        fits = "not opened"
    yield ("  ", Styled("Private key  ", Style.DIM), f"{key.algorithm or 'encrypted'}, {fits}")
    facts = (
        ("provider", key.provider),
        ("key spec", key.key_spec.value if key.key_spec.value != "None" else None),
        ("machine key", "yes" if key.machine_key else None),
        ("called", key.friendly_name),
        ("localKeyID", key.local_key_id),
        ("public key", key.public_key[:_FINGERPRINT_SHOWN] + "..." if key.public_key else None),
    )
    text = "; ".join(f"{label} {value}" for label, value in facts if value)
    if text:
        yield ("               ", text)


def _request(request: ShownRequest) -> Iterator[Line]:
    kind = " ".join(str(part) for part in (request.key_algorithm, request.key_curve or request.key_size) if part)
    yield ("  ", Styled("Request      ", Style.DIM), request.subject or "(no subject)", f", {kind}")
    names = ", ".join(name.value for name in request.subject_alternative_names)
    usages = ", ".join(map(str, request.enhanced_key_usages))
    signature = {True: "", False: "does NOT hold", None: "cannot be checked"}[request.signature_valid]
    for label, text in (("names", names), ("for", usages), ("signature", signature)):
        if text:
            yield ("               ", Styled(f"{label}: ", Style.DIM), text)


def _crl(crl: ShownCrl) -> str:
    until = f"{crl.next_update:%Y-%m-%d %H:%M}Z" if crl.next_update else "?"
    kind = f"delta to {crl.base_number}, " if crl.base_number is not None else ""
    number = f"number {crl.number}, " if crl.number is not None else ""
    return f"of {crl.issuer}, {kind}{number}{crl.this_update:%Y-%m-%d %H:%M}Z to {until}"


def _fitness(shown: ShownFile) -> Iterator[Line]:
    for judgement in shown.fitness:
        fit = judgement.certificate_is_valid and judgement.name_match is not False
        word = Styled("fit", Style.GOOD) if fit else Styled("not fit", Style.BAD)
        yield ("  ", Styled(f"{judgement.purpose.value:<12} ", Style.DIM), word)


def _protection(shown: ShownFile) -> Iterator[Line]:
    if shown.format != "PFX":
        return
    yield ("  ", Styled("Integrity    ", Style.DIM), _mac(shown.mac))
    for number, safe in enumerate(shown.safes, 1):
        how = _encryption(safe.encryption) if safe.encryption else "not encrypted"
        yield ("  ", Styled(f"Safe {number}       ", Style.DIM), how, "" if safe.opened else ", not opened")
        for bag in safe.bags:
            own = f": {_encryption(bag.encryption)}" if bag.encryption else ""
            names = "; ".join(f"{each.name} {each.value}".strip() for each in bag.attributes)
            what = f" {bag.thumbprint}" if bag.thumbprint else ""
            yield ("                 ", "  " * bag.depth, f"{bag.kind}{what}{own}", Styled(f"  {names}", Style.DIM))


def _encryption(one: Encryption) -> str:
    return f"{one.algorithm}, {one.kdf} {one.prf or ''}".rstrip() + f", {one.iterations:,} iterations"


def _mac(mac: Mac | None) -> str:
    if mac is None:
        return "none (no MAC)"
    state = {True: "holds", False: "does not hold", None: "not checked"}[mac.verified]
    kind = f"PBMAC1 HMAC-{mac.digest}" if mac.kind == "PBMAC1" else f"MAC {mac.digest}"
    return f"{kind}, {mac.iterations:,} iterations, salt of {mac.salt_length} octets, {state}"


def _readers(readers: tuple[ReaderPrediction, ...]) -> Iterator[Line]:
    for each in readers:
        word, style = _OPENS[each.opens]
        leaf = f" (takes {each.leaf})" if each.leaf and each.opens else ""
        yield ("  ", Styled(f"{word:<8} ", style), each.reader, leaf, f": {each.reason}" if each.reason else "")
