"""``show``: what is in a file of keys, certificates, requests or CRLs, without ever writing a key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path

from pkitools.errors import FormatError, PasswordError
from pkitools.files.reading import read_capped
from pkitools.keystore.inputs import read_block, read_source
from pkitools.keystore.pairing import Pairing, certificate_public_key, match, order_chains, public_key_of, thumbprint
from pkitools.keystore.show_findings import certificate_findings, pairing_findings, pfx_findings
from pkitools.models.keystore import Attribute, CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.outcome import Finding, Outcome, Severity, failed, finding, judged
from pkitools.models.secret import Secret
from pkitools.models.shown import (
    BagAttributeText,
    FitFor,
    ReaderPrediction,
    ShownBag,
    ShownCertificate,
    ShownCrl,
    ShownFile,
    ShownKey,
    ShownRequest,
    ShownSafe,
)
from pkitools.models.trust import Judgement
from pkitools.protocol import der, pem
from pkitools.protocol.crl import read_crl
from pkitools.protocol.csr import read_request
from pkitools.protocol.formats import Format, sniff, unarmored
from pkitools.protocol.pkcs12 import MAX_ITERATIONS, Bag, PfxFile, described, display_name, inspect_pfx, read_pfx
from pkitools.protocol.pkcs12.attributes import LOCAL_KEY_SET, NAMES, octets_value, text_value
from pkitools.protocol.private_key import algorithm_name, split_key
from pkitools.protocol.public_key import fingerprint
from pkitools.protocol.x509 import read_certificate

_FORMATS = {
    Format.PFX: "PFX",
    Format.PEM: "PEM",
    Format.P7B: "P7B",
    Format.CSR: "CSR",
    Format.CRL: "CRL",
}
_MAX_ATTRIBUTE_TEXT = 200


@dataclass(frozen=True, slots=True)
class ShowOptions:
    """``fit_for`` asks whether the certificate is fit for that purpose, ``name`` the host name it should carry then,
    ``ca_files`` are roots to trust beside the machine's and the file's own."""

    fit_for: FitFor | None = None
    name: str | None = None
    ca_files: tuple[Path, ...] = ()
    max_iterations: int = MAX_ITERATIONS


@dataclass(slots=True)
class _Found:
    """What a file held, whatever its format."""

    content: KeyStoreContent = field(default_factory=KeyStoreContent)
    requests: list[ShownRequest] = field(default_factory=list)
    locked: list[ShownKey] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    pfx: PfxFile | None = None
    refusal: PasswordError | None = None


def show(
    path: str | PathLike[str], password: str | Secret | None = None, options: ShowOptions | None = None
) -> Outcome[ShownFile]:
    """What is in a file: PFX, PEM, DER, P7B, CSR, CRL. Without the password, what the outside tells.

    The outcome's status is FINDING when a finding is an error or a warning. With a wrong password its value still
    holds what the outside tells. Raises FileAccessError and FormatError.
    """
    secrets = () if password is None else (password if isinstance(password, Secret) else Secret(password),)
    return show_data(fspath(path), read_capped(path), secrets, options or ShowOptions())


def show_data(name: str, data: bytes, passwords: Sequence[Secret], options: ShowOptions) -> Outcome[ShownFile]:
    """``show`` for bytes; ``passwords`` are tried in order. Raises FormatError."""
    found = sniff(data)
    inside = unarmored(data) if found in (Format.PEM, Format.UNKNOWN) else None
    if found is Format.PFX or (inside is not None and sniff(inside) is Format.PFX):
        held = _read_pfx(data, passwords, options)
        found = Format.PFX
    elif found is Format.PEM:
        held = _read_pem(name, data, passwords, options)
    elif found is Format.CSR:
        held = _Found(requests=[read_request(_first_element(data))])
    else:
        held = _read_other(name, data, passwords, options)
    shown = _shown(name, _FORMATS.get(found, "DER"), held, options)
    if held.refusal:
        return failed(name, held.refusal, shown)
    return judged(name, shown, shown.findings)


def _read_pfx(data: bytes, passwords: Sequence[Secret], options: ShowOptions) -> _Found:
    """Opened with the password, or with none; what stays closed is shown from outside."""
    try:
        pfx = read_pfx(data, passwords, max_iterations=options.max_iterations)
    except PasswordError as error:
        pfx = inspect_pfx(data)
        refusal = error if passwords or error.error_id not in ("WrongPassword", "SidProtected") else None
        return _Found(pfx.content, pfx=pfx, refusal=refusal, locked=list(_locked(pfx)), findings=_why_closed(error))
    return _Found(pfx.content, pfx=pfx)


def _why_closed(error: PasswordError) -> list[Finding]:
    return [finding(Severity.NOTE, error.error_id, error.message, error.hint)]


def _locked(pfx: PfxFile) -> Iterator[ShownKey]:
    """Keys whose bag is visible and whose content is not."""
    for bag in pfx.bags:
        if bag.kind == "ShroudedKey" and bag.entry is None:
            yield _shown_key(KeyEntry(b""), (), bag)


def _read_pem(name: str, data: bytes, passwords: Sequence[Secret], options: ShowOptions) -> _Found:
    """Block by block: a key that stays closed, or a damaged block, hides no other."""
    held = _Found()
    parameters: bytes | None = None
    parts: list[KeyStoreContent] = []
    for block in pem.read_pem(data):
        try:
            if block.label == "EC PARAMETERS":
                parameters = block.der
                continue
            if block.label in pem.REQUEST_LABELS:
                held.requests.append(read_request(block.der))
            else:
                parts.append(read_block(name, block, passwords, options.max_iterations, parameters))
        except PasswordError as error:
            held.locked.append(_locked_key())
            held.refusal = held.refusal or (error if passwords else None)
            held.findings += _why_closed(error)
        except FormatError as error:
            text = f"the {block.label} in line {block.line} cannot be read: {error.message}"
            held.findings.append(finding(Severity.ERROR, "DamagedBlock", text, error.hint))
        parameters = None
    held.content = _joined(parts)
    return held


def _read_other(name: str, data: bytes, passwords: Sequence[Secret], options: ShowOptions) -> _Found:
    try:
        return _Found(read_source(name, data, passwords, max_iterations=options.max_iterations).content)
    except PasswordError as error:
        return _Found(locked=[_locked_key()], refusal=error if passwords else None, findings=_why_closed(error))
    except FormatError as error:
        if error.error_id != "NotPfx":
            raise
        text = f"neither keys nor certificates: this is {described(sniff(data))}"
        raise FormatError(text, hint=error.hint, error_id="UnknownFormat") from error


def _locked_key() -> ShownKey:
    return _shown_key(KeyEntry(b""), (), None)


def _joined(parts: Sequence[KeyStoreContent]) -> KeyStoreContent:
    return KeyStoreContent(
        tuple(key for part in parts for key in part.keys),
        tuple(certificate for part in parts for certificate in part.certificates),
        tuple(crl for part in parts for crl in part.crls),
        tuple(note for part in parts for note in part.notes),
    )


def _first_element(data: bytes) -> bytes:
    return der.Reader(data, "the file").any()[1]


def _shown(name: str, form: str, held: _Found, options: ShowOptions) -> ShownFile:
    pairing = match(held.content.keys, held.content.certificates)
    ordered = _ordered(pairing)
    closed = bool(held.locked) or (held.pfx is not None and _is_closed(held.pfx))
    findings = [*held.content.notes, *held.findings, *certificate_findings(ordered), *pairing_findings(pairing)]
    crls = [crl for data in held.content.crls if (crl := _crl(data, findings)) is not None]
    judgements, about_fitness = _fitness(ordered, pairing, options) if options.fit_for else ((), ())
    shown = ShownFile(
        name,
        form,
        not closed,
        tuple(_certificates(ordered, pairing)),
        (*_keys(pairing, held.pfx), *held.locked),
        tuple(held.requests),
        tuple(crls),
        fitness=judgements,
        findings=(*findings, *about_fitness),
    )
    return _with_structure(shown, held.pfx, opened=not closed) if held.pfx else shown


def _fitness(
    ordered: Sequence[CertificateEntry], pairing: Pairing, options: ShowOptions
) -> tuple[tuple[Judgement, ...], tuple[Finding, ...]]:
    from pkitools.keystore.fitness import fitness

    return fitness(ordered, pairing, options)


def _is_closed(pfx: PfxFile) -> bool:
    return any(safe.bags is None and safe.encryption is not None for safe in pfx.safes)


def _with_structure(shown: ShownFile, pfx: PfxFile, *, opened: bool) -> ShownFile:
    return replace(
        shown,
        mac=pfx.mac,
        safes=tuple(_safe(safe.content_type, safe.encryption, safe.bags) for safe in pfx.safes),
        password_form=pfx.password_form.value if pfx.password_form else None,
        protected_to=pfx.protected_to or (),
        readers=_predictions(pfx, opened),
        findings=(*shown.findings, *pfx_findings(pfx)),
    )


def _predictions(pfx: PfxFile, opened: bool) -> tuple[ReaderPrediction, ...]:
    from pkitools.keystore.readers import predict

    return predict(pfx, opened=opened)


def _ordered(pairing: Pairing) -> tuple[CertificateEntry, ...]:
    """The certificates of the pairs with their chains first, then the others; each chain leaf to root."""
    chains = (entry for pair in pairing.pairs for entry in pair.chain)
    return tuple({entry.der: entry for entry in (*chains, *order_chains(pairing.others))}.values())


def _certificates(ordered: Sequence[CertificateEntry], pairing: Pairing) -> Iterator[ShownCertificate]:
    with_key = {pair.certificate.der for pair in pairing.pairs}
    for entry in ordered:
        try:
            certificate = read_certificate(entry.der)
        except FormatError:
            continue
        public = certificate_public_key(entry.der)
        yield ShownCertificate(
            certificate.subject,
            certificate.thumbprint,
            _role(certificate.self_issued, bool(certificate.basic_constraints
                  and certificate.basic_constraints.certificate_authority)),
            entry.der in with_key,
            display_name(entry.friendly_name),
            entry.local_key_id.hex().upper() if entry.local_key_id else None,
            fingerprint(public) if public else None,
            certificate,
        )  # fmt: skip


def _role(self_issued: bool, authority: bool) -> str:
    if not authority:
        return "Leaf"
    return "Root" if self_issued else "Intermediate"


def _keys(pairing: Pairing, pfx: PfxFile | None) -> Iterator[ShownKey]:
    bags = {bag.entry.pkcs8: bag for bag in reversed(pfx.bags) if isinstance(bag.entry, KeyEntry)} if pfx else {}
    for key in pairing.keys:
        fitting = tuple(thumbprint(pair.certificate.der) for pair in pairing.pairs if pair.key is key)
        yield _shown_key(key, fitting, bags.get(key.pkcs8))


def _shown_key(key: KeyEntry, fitting: tuple[str, ...], bag: Bag | None) -> ShownKey:
    public = public_key_of(key.pkcs8)
    return ShownKey(
        _algorithm(key),
        fingerprint(public) if public else None,
        fitting,
        display_name(key.friendly_name),
        key.local_key_id.hex().upper() if key.local_key_id else None,
        key.provider,
        key.key_spec,
        key.machine,
        bag.encryption if bag else None,
        bool(key.pkcs8),
    )


def _algorithm(key: KeyEntry) -> str | None:
    try:
        return algorithm_name(split_key(key.pkcs8)[0])
    except FormatError:
        return None


def _crl(data: bytes, findings: list[Finding]) -> ShownCrl | None:
    try:
        crl = read_crl(data)
        return ShownCrl(crl.issuer_text, crl.this_update, crl.next_update, crl.number, crl.base_number)
    except FormatError as error:
        findings.append(finding(Severity.ERROR, "DamagedCrl", f"a CRL cannot be read: {error.message}"))
        return None


def _safe(content_type: str, encryption, bags: tuple[Bag, ...] | None) -> ShownSafe:  # type: ignore[no-untyped-def]
    shown = tuple(_bag(bag) for bag in bags or ())
    return ShownSafe(content_type, encryption, bags is not None, shown)


def _bag(bag: Bag) -> ShownBag:
    subject = mark = None
    if isinstance(bag.entry, CertificateEntry):
        mark = thumbprint(bag.entry.der)
        try:
            subject = read_certificate(bag.entry.der).subject
        except FormatError:
            subject = None
    return ShownBag(bag.kind, subject, mark, bag.encryption, tuple(map(_attribute, bag.attributes)), bag.depth)


def _value_text(value: bytes) -> str:
    text = display_name(text_value(value))
    return text if text is not None else (octets_value(value) or value).hex().upper()


def _attribute(attribute: Attribute) -> BagAttributeText:
    values = [_value_text(value) for value in attribute.values]
    text = "; ".join(values) or ("set" if attribute.oid == LOCAL_KEY_SET else "")
    return BagAttributeText(attribute.oid, NAMES.get(attribute.oid, attribute.oid), text[:_MAX_ATTRIBUTE_TEXT])
