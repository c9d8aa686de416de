"""The public half of a key as comparable data, from a PrivateKeyInfo or a certificate's SubjectPublicKeyInfo.

RSA numbers are read from the DER itself: loading an RSA key into ``cryptography`` with its validation costs 50 ms.
RSA and RSA-PSS are one family here (RFC 4055 1.2): a certificate may name either for the same key.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import TYPE_CHECKING

from pkitools.errors import FormatError
from pkitools.protocol import der
from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.private_key import EC, RSA, RSA_PSS, algorithm_name, check_rsa_numbers, split_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_MAX_RSA_OCTETS = 2100
_NULL = der.element(der.NULL, b"")


def public_key_info(pkcs8: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a private key, in the form of ``normalized``. FormatError: Damaged, or
    UnsupportedAlgorithm with the OID."""
    oid, _, key = split_key(pkcs8)
    if oid in (RSA, RSA_PSS):
        return _rsa_info(_rsa_numbers(key))
    return normalized(_derived(pkcs8, oid))


def normalized(spki: bytes) -> bytes:
    """A SubjectPublicKeyInfo so that equal keys are equal octets: RSA-PSS as RSA, EC points uncompressed and without
    the curve (a point lies on one curve only). FormatError when it is damaged."""
    info = der.Reader(spki, "the public key").sequence("SubjectPublicKeyInfo")
    algorithm = info.sequence("the algorithm").oid("the algorithm")
    bits = info.content(der.BIT_STRING, "the public key")
    if algorithm in (RSA, RSA_PSS):
        numbers = der.Reader(bits[1:], "the RSA public key").sequence("RSAPublicKey")
        return _rsa_info((_number(numbers), _number(numbers)))
    if algorithm == EC and bits[1:2] != b"\4":
        bits = b"\0" + _uncompressed(spki)
    return der.sequence(der.sequence(der.oid(algorithm)), der.element(der.BIT_STRING, bits))


def fingerprint(normalized_info: bytes) -> str:
    """SHA-256 of a public key in upper-case hex, for people to compare."""
    return hashlib.sha256(normalized_info).hexdigest().upper()


def _number(reader: der.Reader) -> int:
    return reader.integer("a number of the RSA key", max_octets=_MAX_RSA_OCTETS)


def _rsa_numbers(key: bytes) -> tuple[int, int]:
    check_rsa_numbers(key)
    reader = der.Reader(key, "the RSA private key").sequence("RSAPrivateKey")
    reader.integer("the version")
    return _number(reader), _number(reader)


def _rsa_info(numbers: tuple[int, int]) -> bytes:
    key = der.sequence(*map(der.integer, numbers))
    return der.sequence(der.sequence(der.oid(RSA), _NULL), der.element(der.BIT_STRING, b"\0" + key))


def _derived(pkcs8: bytes, oid: str) -> bytes:
    """The SubjectPublicKeyInfo by ``cryptography``, which computes the public half."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    name = algorithm_name(oid)
    try:
        with warnings.catch_warnings(action="ignore"):
            return _encoded(load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True).public_key())
    except UnsupportedAlgorithm as error:
        raise FormatError(f"keys of type {name} ({oid}) are not supported", error_id="UnsupportedAlgorithm") from error
    except BaseException as error:
        if not means_unreadable(error):
            raise
        raise FormatError(f"the private key ({name}) is damaged", error_id="Damaged") from error


def _encoded(key: PublicKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _uncompressed(spki: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

    try:
        key = load_der_public_key(spki)
    except BaseException as error:
        if not means_unreadable(error):
            raise
        raise FormatError("the public key (EC) is damaged or on an unsupported curve") from error
    if not isinstance(key, EllipticCurvePublicKey):
        raise FormatError("the public key (EC) is damaged")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
