"""OCSP (RFC 6960, and its subset RFC 5019): the request for one certificate, and reading the answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from pkitools.errors import FormatError
from pkitools.protocol import der
from pkitools.protocol.crl import REASONS
from pkitools.protocol.oid_names import HASHES
from pkitools.protocol.signed import Signed, read_signed
from pkitools.protocol.strict_der import (
    BIT_STRING,
    ENUMERATED,
    GENERALIZED_TIME,
    INTEGER,
    NULL,
    OBJECT,
    OCTET_STRING,
    SEQUENCE,
    Reader,
    Value,
)

SHA1_OID, BASIC_OID, NONCE_OID = "1.3.14.3.2.26", "1.3.6.1.5.5.7.48.1.1", "1.3.6.1.5.5.7.48.1.2"
ANSWER_STATUS = {
    1: "malformedRequest",
    2: "internalError",
    3: "tryLater",
    5: "sigRequired",
    6: "unauthorized",
}
MAX_ANSWERS = 64
MAX_CERTIFICATES = 8


@dataclass(frozen=True, slots=True)
class CertificateId:
    """CertID: hashes of the issuer's name and key under ``hash`` (``sha1``), and the serial's content octets."""

    hash: str
    name_hash: bytes
    key_hash: bytes
    serial: bytes

    def fits(self, issuer_name: bytes, issuer_spki: bytes, serial: bytes) -> bool:
        """Whether it means the certificate ``serial`` of this issuer (encoded name and SubjectPublicKeyInfo)."""
        if self.serial != serial or not self.hash:
            return False
        mine = certificate_id(issuer_name, issuer_spki, serial, self.hash)
        return (self.name_hash, self.key_hash) == (mine.name_hash, mine.key_hash)


def certificate_id(issuer_name: bytes, issuer_spki: bytes, serial: bytes, digest: str = "sha1") -> CertificateId:
    """The CertID of a certificate (RFC 6960 4.1.1); SHA-1 is what every responder knows (RFC 5019 2.1.1)."""
    key = key_octets(issuer_spki)
    return CertificateId(digest, hashlib.new(digest, issuer_name).digest(), hashlib.new(digest, key).digest(), serial)


def key_octets(spki: bytes) -> bytes:
    """The key's BIT STRING without its count of unused bits: what OCSP hashes."""
    reader = Reader(spki).sequence()
    reader.read(SEQUENCE)
    return reader.read(BIT_STRING).bit_octets()


def build_request(wanted: CertificateId, nonce: bytes | None) -> bytes:
    """An OCSPRequest for one certificate (RFC 6960 4.1.1), unsigned; ``nonce`` as RFC 9654 has it."""
    algorithm = der.sequence(der.oid(SHA1_OID), der.element(NULL, b""))
    serial = der.element(INTEGER, wanted.serial)
    identifier = der.sequence(algorithm, der.octet_string(wanted.name_hash), der.octet_string(wanted.key_hash), serial)
    parts = [der.sequence(der.sequence(identifier))]
    if nonce is not None:
        extension = der.sequence(der.oid(NONCE_OID), der.octet_string(der.octet_string(nonce)))
        parts.append(der.element(0xA2, der.sequence(extension)))
    return der.sequence(der.sequence(*parts))


@dataclass(frozen=True, slots=True)
class SingleAnswer:
    """What is said of one certificate: ``status`` is ``good``, ``revoked`` or ``unknown``."""

    certificate: CertificateId
    status: str
    this_update: datetime
    next_update: datetime | None
    revoked_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OcspAnswer:
    """A successful basic answer. The responder calls itself by ``responder_name`` (encoded) or ``responder_key`` (SHA-1
    of its key); ``certificates`` are those it sent along."""

    signed: Signed
    responder_name: bytes | None
    responder_key: bytes | None
    produced_at: datetime
    answers: tuple[SingleAnswer, ...]
    nonce: bytes | None
    certificates: tuple[bytes, ...] = field(repr=False)


def read_answer(data: bytes) -> OcspAnswer:
    """The basic answer in an OCSPResponse. FormatError: another shape, or an error status of the responder."""
    outer = Reader(data)
    reader = outer.sequence()
    outer.require_end()
    status = reader.read(ENUMERATED).small()
    if status != 0:
        raise FormatError(f"the OCSP responder answers {ANSWER_STATUS.get(status, status)}")
    wrapped = reader.read(0xA0).children().sequence()
    kind = wrapped.read(OBJECT).oid()
    if kind != BASIC_OID:
        raise FormatError(f"an OCSP answer of type {kind}, which is not supported")
    signed = read_signed(wrapped.read(OCTET_STRING).content)
    return _basic(signed)


def _basic(signed: Signed) -> OcspAnswer:
    reader = Reader(signed.body).sequence()
    reader.optional(0xA0)
    responder = reader.read()
    if responder.tag not in (0xA1, 0xA2):
        raise FormatError("an OCSP answer without the responder's name")
    inner = responder.children().read()
    produced = reader.read(GENERALIZED_TIME).time()
    singles = reader.read(SEQUENCE).children().rest()
    if len(singles) > MAX_ANSWERS:
        raise FormatError(f"{len(singles)} answers in one OCSP answer")
    extensions = reader.optional(0xA1)
    reader.require_end()
    return OcspAnswer(
        signed,
        inner.encoded if responder.tag == 0xA1 else None,
        inner.content if responder.tag == 0xA2 else None,
        produced,
        tuple(map(_single, singles)),
        _nonce(extensions),
        _certificates(signed.rest),
    )


def _single(value: Value) -> SingleAnswer:
    reader = value.children()
    identifier = _certificate_id(reader.sequence())
    state, this_update = reader.read(), reader.read(GENERALIZED_TIME).time()
    following = reader.optional(0xA0)
    next_update = following.children().read(GENERALIZED_TIME).time() if following else None
    if state.tag == 0x80:
        return SingleAnswer(identifier, "good", this_update, next_update)
    if state.tag != 0xA1:
        return SingleAnswer(identifier, "unknown", this_update, next_update)
    details = state.children()
    revoked_at, explicit = details.read(GENERALIZED_TIME).time(), details.optional(0xA0)
    number = explicit.children().read(ENUMERATED).small() if explicit else None
    reason = REASONS.get(number, str(number)) if number is not None else None
    return SingleAnswer(identifier, "revoked", this_update, next_update, revoked_at, reason)


def _certificate_id(reader: Reader) -> CertificateId:
    digest = HASHES.get(reader.sequence().read(OBJECT).oid(), "")
    name, key = reader.read(OCTET_STRING).content, reader.read(OCTET_STRING).content
    return CertificateId(digest, name, key, reader.read(INTEGER).content)


def _nonce(extensions: Value | None) -> bytes | None:
    if extensions is None:
        return None
    for item in extensions.children().read(SEQUENCE).children().rest():
        reader = item.children()
        if reader.read(OBJECT).oid() == NONCE_OID:
            reader.optional(0x01)
            content = reader.read(OCTET_STRING).content
            inner = Reader(content)
            # Some responders return the bare octets instead of an OCTET STRING in the OCTET STRING.
            return inner.read().content if inner.peek() == OCTET_STRING else content
    return None


def _certificates(rest: Reader | None) -> tuple[bytes, ...]:
    if rest is None:
        return ()
    values = rest.read(0xA0).children().read(SEQUENCE).children().rest()
    return tuple(value.encoded for value in values[:MAX_CERTIFICATES])
