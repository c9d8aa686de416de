"""Certificates out of what AIA addresses and CA folders hold: DER, PEM, certs-only PKCS #7 (RFC 5652 5.1, RFC 8551).

Nothing is verified here, and signatures of a PKCS #7 message do not count: each certificate must prove itself.
"""

from __future__ import annotations

from pkitools.errors import FormatError
from pkitools.protocol import pem
from pkitools.protocol.strict_der import INTEGER, OBJECT, SEQUENCE, SET, Reader
from pkitools.protocol.x509 import split_certificate

SIGNED_DATA_OID = "1.2.840.113549.1.7.2"
MAX_CERTIFICATES = 5_000


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates in ``data``, each as DER: one certificate, a certs-only message, or a PEM of any number of both.

    FormatError when there is none or when one is not of the shape of a certificate.
    """
    if pem.looks_like_pem(data):
        found = [der for block in pem.read_pem(data) for der in _from_block(block)]
    else:
        found = list(_from_der(data))
    if not found:
        raise FormatError("no certificate in it")
    return tuple(dict.fromkeys(found))


def _from_block(block: pem.PemBlock) -> tuple[bytes, ...]:
    if block.label in pem.CERTIFICATE_LABELS:
        # OpenSSL's TRUSTED CERTIFICATE has its own attributes behind the certificate.
        return (Reader(block.der).read(SEQUENCE).encoded,)
    return _from_der(block.der) if block.label in pem.PKCS7_LABELS else ()


def _from_der(data: bytes) -> tuple[bytes, ...]:
    reader = Reader(data)
    first = reader.read(SEQUENCE)
    reader.require_end()
    if first.children().peek() == OBJECT:
        return read_pkcs7_certificates(data)
    split_certificate(data)
    return (data,)


def read_pkcs7_certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates of a SignedData message in DER, in file order; attribute certificates are left out."""
    content = Reader(data).sequence()
    kind = content.read(OBJECT).oid()
    if kind != SIGNED_DATA_OID:
        raise FormatError(f"a PKCS #7 message of type {kind} instead of signed data")
    signed = content.read(0xA0).children().sequence()
    signed.read(INTEGER), signed.read(SET), signed.read(SEQUENCE)
    certificates = signed.optional(0xA0)
    values = certificates.children().rest() if certificates else []
    if len(values) > MAX_CERTIFICATES:
        raise FormatError(f"{len(values)} certificates in one message: more than {MAX_CERTIFICATES}")
    return tuple(value.encoded for value in values if value.tag == SEQUENCE)
