"""SIGNED of X.509: certificates, CRLs and basic OCSP answers have one outer shape (RFC 5280 4.1.1, RFC 6960 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pkitools.protocol.oid_names import HASHES, SIGNATURES
from pkitools.protocol.strict_der import BIT_STRING, INTEGER, OBJECT, SEQUENCE, Reader, Value


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """``name`` as Windows shows it, ``hash`` such as ``sha256`` (empty: none or unknown), ``salt`` of RSASSA-PSS."""

    oid: str
    name: str
    hash: str
    salt: int = 20


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed structure: ``body`` is what the signature covers."""

    body: bytes = field(repr=False)
    algorithm: SignatureAlgorithm
    signature: bytes = field(repr=False)
    rest: Reader | None = None


def read_signature_algorithm(value: Value) -> SignatureAlgorithm:
    """An AlgorithmIdentifier of a signature (RFC 3279, RFC 4055, RFC 5758, RFC 8410)."""
    reader = value.children()
    oid = reader.read(OBJECT).oid()
    name, digest = SIGNATURES.get(oid, ("", ""))
    if name != "RSASSA-PSS":
        return SignatureAlgorithm(oid, name, digest)
    digest, salt = _pss_parameters(reader.optional(SEQUENCE))
    return SignatureAlgorithm(oid, name, digest, salt)


def _pss_parameters(parameters: Value | None) -> tuple[str, int]:
    """Hash and salt length of RSASSA-PSS-params (RFC 4055 3.1): SHA-1 and 20 when nothing is said."""
    digest, salt = "sha1", 20
    reader = parameters.children() if parameters else None
    if reader is not None:
        explicit, _, length = reader.optional(0xA0), reader.optional(0xA1), reader.optional(0xA2)
        if explicit is not None:
            digest = HASHES.get(explicit.children().sequence().read(OBJECT).oid(), "")
        if length is not None:
            salt = length.children().read(INTEGER).small()
    return digest, salt


def read_signed(data: bytes) -> Signed:
    """The one signed structure that ``data`` is; FormatError for any other shape."""
    outer = Reader(data)
    reader = outer.sequence()
    outer.require_end()
    body, algorithm, signature = reader.read(SEQUENCE), reader.read(SEQUENCE), reader.read(BIT_STRING)
    return Signed(
        body.encoded, read_signature_algorithm(algorithm), signature.bit_octets(), reader if reader.peek() else None
    )
