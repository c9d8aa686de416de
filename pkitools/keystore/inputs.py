"""Any file that holds keys or certificates, read into one content: PFX, PEM in every shape, DER, P7B.

Nothing is chosen here: what belongs to what, ``pairing`` finds by the keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pkitools.errors import FormatError, PkiToolsError
from pkitools.keystore.comments import apply_to_certificate, apply_to_key, read_comments
from pkitools.models.keystore import CertificateEntry, KeyEntry, KeyStoreContent
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.secret import Secret
from pkitools.protocol import der, pem
from pkitools.protocol.formats import Format, sniff
from pkitools.protocol.pkcs7 import read_pkcs7_certificates
from pkitools.protocol.pkcs12.attributes import key_spec_of
from pkitools.protocol.private_key import (
    MAX_ITERATIONS,
    RSA,
    RSA_PSS,
    KeyForm,
    check_rsa_numbers,
    key_form,
    key_from_der,
    key_from_pem,
    split_key,
)
from pkitools.protocol.x509 import split_certificate

if TYPE_CHECKING:
    from pkitools.protocol.pem import PemBlock

_KEYS = frozenset({Format.PKCS8, Format.ENCRYPTED_PKCS8, Format.PKCS1, Format.SEC1})


@dataclass(frozen=True, slots=True)
class Source:
    """One input file: its name, what it held, and whether it was a PFX."""

    name: str
    content: KeyStoreContent
    is_pfx: bool


def read_source(name: str, data: bytes, passwords: Sequence[Secret], *, max_iterations: int = MAX_ITERATIONS) -> Source:
    """What one input holds. ``passwords`` are tried in order on what is encrypted.

    ``name`` stands in notes. Raises FormatError and PasswordError of the readers.
    """
    found = sniff(data)
    if found is Format.PEM:
        return _read_pem(name, data, passwords, max_iterations)
    if found is Format.CERTIFICATE:
        first, *rest = _elements(data)
        notes = (_note("TrailingBytes", f"{name}: bytes after the certificate were left out"),) if rest else ()
        return Source(name, KeyStoreContent(certificates=(_certificate(first),), notes=notes), False)
    if found is Format.P7B:
        certificates = tuple(_certificate(one) for one in read_pkcs7_certificates(_elements(data)[0]))
        return Source(name, KeyStoreContent(certificates=certificates), False)
    if found is Format.CRL:
        return Source(name, KeyStoreContent(crls=(_elements(data)[0],)), False)
    if found is Format.CSR:
        return Source(name, KeyStoreContent(notes=(_request_note(name),)), False)
    # A DSA key as OpenSSL writes it is a row of numbers, as nothing else is.
    if found in _KEYS or key_form(data) is KeyForm.DSA:
        key = key_from_der(_elements(data)[0], passwords, max_iterations=max_iterations)
        return Source(name, KeyStoreContent(keys=(_key(key),)), False)
    return Source(name, _pfx(data, passwords, max_iterations), True)


def in_file(name: str, error: PkiToolsError) -> PkiToolsError:
    """The same error with the name of the file in front of its message."""
    kind = FormatError if isinstance(error, FormatError) else type(error)
    return kind(f"{name}: {error.message}", hint=error.hint, code=error.code, error_id=error.error_id)


def merge(sources: Sequence[Source]) -> KeyStoreContent:
    """The contents of all inputs in their order."""
    return KeyStoreContent(
        keys=tuple(key for source in sources for key in source.content.keys),
        certificates=tuple(one for source in sources for one in source.content.certificates),
        crls=tuple(crl for source in sources for crl in source.content.crls),
        notes=tuple(note for source in sources for note in source.content.notes),
    )


def _pfx(data: bytes, passwords: Sequence[Secret], max_iterations: int) -> KeyStoreContent:
    from pkitools.protocol.pkcs12 import read_pfx

    content = read_pfx(data, passwords, max_iterations=max_iterations).content
    for key in content.keys:
        _check(key.pkcs8)
    return content


def _elements(data: bytes) -> list[bytes]:
    """The DER element that a file begins with, and what follows it when that is more than line ends."""
    reader = der.Reader(data, "the file")
    first = reader.any()[1]
    rest = data[reader.position :].strip(b"\0\r\n\t \x1a")
    return [first, rest] if rest else [first]


def _read_pem(name: str, data: bytes, passwords: Sequence[Secret], max_iterations: int) -> Source:
    blocks = pem.read_pem(data)
    parameters: bytes | None = None
    parts: list[KeyStoreContent] = []
    for block in blocks:
        if block.label == "EC PARAMETERS":
            parameters = block.der
            continue
        parts.append(read_block(name, block, passwords, max_iterations, parameters))
        parameters = None
    if not parts:
        raise FormatError("no certificate and no key in it")
    only_pfx = all(block.label in pem.PKCS12_LABELS for block in blocks)
    return Source(name, merge([Source(name, part, False) for part in parts]), only_pfx)


def read_block(
    name: str, block: PemBlock, passwords: Sequence[Secret], max_iterations: int, parameters: bytes | None
) -> KeyStoreContent:
    """What one PEM block holds, with the comment lines before it; ``parameters`` are of an EC PARAMETERS block."""
    if block.label in pem.CERTIFICATE_LABELS:
        # What stands behind the certificate in a TRUSTED CERTIFICATE is OpenSSL's own.
        entry = _certificate(der.Reader(block.der, f"the certificate in line {block.line}").any()[1], block.line)
        return _commented(name, block, KeyStoreContent(certificates=(entry,)))
    if block.label in pem.PRIVATE_KEY_LABELS:
        entry_of_key = _key(key_from_pem(block, passwords, parameters=parameters, max_iterations=max_iterations))
        return _commented(name, block, KeyStoreContent(keys=(entry_of_key,)))
    if block.label in pem.PKCS7_LABELS:
        return KeyStoreContent(certificates=tuple(_certificate(one) for one in read_pkcs7_certificates(block.der)))
    if block.label in pem.PKCS12_LABELS:
        return _pfx(block.der, passwords, max_iterations)
    if block.label in pem.CRL_LABELS:
        return KeyStoreContent(crls=(block.der,))
    if block.label in pem.REQUEST_LABELS:
        return KeyStoreContent(notes=(_request_note(name),))
    return KeyStoreContent(notes=(_note("LeftOut", f"{name}: the block {block.label} was left out"),))


def _commented(name: str, block: PemBlock, content: KeyStoreContent) -> KeyStoreContent:
    """The entry with what the comment lines before it say; damaged lines are noted, not obeyed."""
    comments = read_comments(block.preamble)
    if not comments:
        return content
    try:
        return replace(
            content,
            keys=tuple(apply_to_key(key, comments) for key in content.keys),
            certificates=tuple(apply_to_certificate(one, comments) for one in content.certificates),
        )
    except (ValueError, FormatError):
        note = _note("DamagedComment", f"{name}: the comment lines before line {block.line} are damaged, so left out")
        return replace(content, notes=(*content.notes, note))


def _certificate(data: bytes, line: int | None = None) -> CertificateEntry:
    try:
        split_certificate(data)
    except FormatError as error:
        where = f" in line {line}" if line else ""
        raise FormatError(f"the certificate{where} is damaged: {error.message}", error_id="Damaged") from error
    return CertificateEntry(data)


def _key(pkcs8: bytes) -> KeyEntry:
    _check(pkcs8)
    return KeyEntry(pkcs8, key_spec=key_spec_of(pkcs8))


def _check(pkcs8: bytes) -> None:
    """FormatError for an RSA key whose numbers do not belong together: libraries load it without a word."""
    oid, _, inner = split_key(pkcs8)
    if oid in (RSA, RSA_PSS):
        check_rsa_numbers(inner)


def _request_note(name: str) -> Finding:
    return _note("RequestLeftOut", f"{name}: a certificate request (CSR) is no certificate and was left out")


def _note(identifier: str, message: str) -> Finding:
    return finding(Severity.NOTE, identifier, message)
