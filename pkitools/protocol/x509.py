"""X.509 certificates (RFC 5280 4) from DER into the model. No judging, no signatures, and as little refusing as can be.

Only what has not the outer shape of a certificate is refused; a field or an extension that cannot be read becomes a
line in ``Certificate.defects``, so that the rest can still be shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, TypeVar

from pkitools.errors import FormatError
from pkitools.models.certificate import Certificate, Extension, Oid
from pkitools.protocol.names import read_rdns, x500_text
from pkitools.protocol.oid_names import CURVES, EXTENSIONS, KEYS, named
from pkitools.protocol.signed import read_signature_algorithm
from pkitools.protocol.strict_der import BIT_STRING, BOOLEAN, INTEGER, OBJECT, OCTET_STRING, SEQUENCE, Reader, Value
from pkitools.protocol.x509_extensions import READERS

MAX_CERTIFICATE = 1 << 20
MAX_EXTENSIONS = 256
T = TypeVar("T")


@lru_cache(maxsize=256)
def read_certificate(data: bytes) -> Certificate:
    """The certificate in ``data`` (DER, exactly one). FormatError when it has not the shape of a certificate.

    The last 256 are kept: the hosts of one estate show the same CA certificates again and again.
    """
    if len(data) > MAX_CERTIFICATE:
        raise FormatError(f"a certificate of {len(data)} bytes: more than {MAX_CERTIFICATE} are not read")
    try:
        parts = split_certificate(data)
    except FormatError as error:
        raise FormatError(f"not a certificate: {error.message}", code="CERT_E_MALFORMED") from error
    return _model(data, parts)


@dataclass(frozen=True, slots=True)
class CertificateParts:
    """The pieces of a certificate (RFC 5280 4.1), still encoded; ``serial`` holds the content octets, ``body`` is what
    ``signature`` covers."""

    version: int
    serial: bytes
    issuer: bytes
    subject: bytes
    validity: Value
    spki: Value
    extensions: Value | None
    algorithm: Value
    inner_algorithm: Value
    body: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def split_certificate(data: bytes) -> CertificateParts:
    """The pieces of one certificate; FormatError when the outer shape is wrong."""
    outer = Reader(data)
    reader = outer.sequence()
    outer.require_end()
    tbs_value, algorithm = reader.read(SEQUENCE), reader.read(SEQUENCE)
    signature = reader.read(BIT_STRING)
    reader.require_end()
    tbs = tbs_value.children()
    version = tbs.optional(0xA0)
    serial, inner = tbs.read(INTEGER), tbs.read(SEQUENCE)
    issuer, validity, subject, spki = (tbs.read(SEQUENCE) for _ in range(4))
    tbs.optional(0x81), tbs.optional(0x82)
    extensions = tbs.optional(0xA3)
    tbs.require_end()
    return CertificateParts(
        version.children().read(INTEGER).small() + 1 if version else 1,
        serial.content,
        issuer.encoded,
        subject.encoded,
        validity,
        spki,
        extensions,
        algorithm,
        inner,
        tbs_value.encoded,
        signature.bit_octets(),
    )


def _model(data: bytes, parts: CertificateParts) -> Certificate:
    defects: list[str] = []
    validity = _tried(defects, "the validity", lambda: parts.validity.children().rest()) or []
    algorithm, signature_hash = _tried(defects, "the signature algorithm", lambda: _signature(parts)) or (Oid(""), "")
    key = _tried(defects, "the public key", lambda: public_key_fields(parts.spki)) or (Oid(""), None, None)
    extensions = _extensions(parts.extensions, defects)
    values = _extension_values(extensions, defects)
    return Certificate(
        subject=_tried(defects, "the subject", lambda: _name(parts.subject)) or "",
        issuer=_tried(defects, "the issuer", lambda: _name(parts.issuer)) or "",
        serial_number=parts.serial.hex().upper(),
        version=parts.version,
        not_before=_tried(defects, "the start of validity", lambda: _time(validity, 0)),
        not_after=_tried(defects, "the end of validity", lambda: _time(validity, 1)),
        thumbprint=hashlib.sha1(data).hexdigest().upper(),
        thumbprint_sha256=hashlib.sha256(data).hexdigest().upper(),
        signature_algorithm=algorithm,
        signature_hash=signature_hash,
        key_algorithm=key[0],
        key_size=key[1],
        key_curve=key[2],
        extensions=extensions,
        raw_data=data,
        **values,
        defects=tuple(defects),
    )


def _tried(defects: list[str], what: str, read: Callable[[], T]) -> T | None:
    try:
        return read()
    except FormatError as error:
        defects.append(f"{what} cannot be read: {error.message}")
        return None


def _name(encoded: bytes) -> str:
    return x500_text(read_rdns(Reader(encoded).sequence()))


def _time(validity: list[Value], index: int) -> datetime:
    if len(validity) != 2:
        raise FormatError("a validity that is not two times")
    return validity[index].time()


def _signature(parts: CertificateParts) -> tuple[Oid, str]:
    algorithm = read_signature_algorithm(parts.algorithm)
    return Oid(algorithm.oid, algorithm.name), algorithm.hash


def public_key_fields(spki: Value) -> tuple[Oid, int | None, str | None]:
    """Algorithm, size in bits and curve of a SubjectPublicKeyInfo (RFC 3279 2.3, RFC 5480, RFC 8410)."""
    reader = spki.children()
    algorithm, bits = reader.sequence(), reader.read(BIT_STRING)
    oid = algorithm.read(OBJECT).oid()
    name = KEYS.get(oid, "")
    if name in ("RSA", "RSASSA-PSS"):
        modulus = Reader(bits.bit_octets()).sequence().read(INTEGER).integer()
        return Oid(oid, name), modulus.bit_length(), None
    if name == "ECC":
        curve = algorithm.read()
        known = CURVES.get(curve.oid() if curve.tag == OBJECT else "", None)
        return Oid(oid, name), known[1] if known else None, known[0] if known else _curve_text(curve)
    if name == "DSA":
        prime = algorithm.sequence().read(INTEGER).integer() if algorithm.peek() == SEQUENCE else 0
        return Oid(oid, name), prime.bit_length() or None, None
    return Oid(oid, name), {"Ed25519": 256, "X25519": 256, "Ed448": 456}.get(name), None


def _curve_text(curve: Value) -> str:
    return curve.oid() if curve.tag == OBJECT else "explicit parameters"


def _extensions(value: Value | None, defects: list[str]) -> tuple[Extension, ...]:
    if value is None:
        return ()
    items = _tried(defects, "the list of extensions", lambda: value.children().sequence().rest()) or []
    if len(items) > MAX_EXTENSIONS:
        defects.append(f"{len(items)} extensions: only the first {MAX_EXTENSIONS} were read")
    found = (_tried(defects, "an extension", partial(_extension, item)) for item in items[:MAX_EXTENSIONS])
    return tuple(item for item in found if item is not None)


def _extension(value: Value) -> Extension:
    reader = value.children()
    oid = reader.read(OBJECT).oid()
    critical = reader.optional(BOOLEAN)
    content = reader.read(OCTET_STRING).content
    reader.require_end()
    return Extension(named(oid, EXTENSIONS), critical is not None and critical.boolean(), content)


def extension_fields(value: Value | None) -> dict[str, Any]:
    """Fields of the model from the ``[3]`` of a TBSCertificate, what cannot be read left out."""
    return _extension_values(_extensions(value, []), [])


def _extension_values(extensions: tuple[Extension, ...], defects: list[str]) -> dict[str, Any]:
    """Fields of the model from the extensions; of a repeated extension the first counts."""
    values: dict[str, Any] = {}
    seen: set[str] = set()
    for extension in extensions:
        oid = extension.oid.value
        label = extension.oid.friendly_name or oid
        if oid in seen:
            defects.append(f"the extension {label} stands there twice")
            continue
        seen.add(oid)
        read = READERS.get(oid)
        if read is not None:
            found = _tried(defects, f"the extension {label}", partial(read, extension.raw_data))
            for name, value in (found or {}).items():
                values[name] = values.get(name) or value
    return values
