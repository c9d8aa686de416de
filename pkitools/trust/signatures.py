"""Does this key's signature stand on that structure? Answered by cryptography's primitives and by nothing of our own.

``cryptography.x509`` itself is not asked, because it refuses to look at what Windows still accepts or at least shows:
SHA-1 signatures, negative serial numbers, dates and extensions out of form.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.signed import SignatureAlgorithm, Signed

_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
MAX_RSA_BITS = 16384


class Proof(Enum):
    """What became of checking a signature."""

    GOOD = "good"
    BAD = "bad"
    UNSUPPORTED = "unsupported"


def proof_of(signed: Signed, spki: bytes) -> Proof:
    """Whether the key in ``spki`` (SubjectPublicKeyInfo) made the signature of ``signed``.

    UNSUPPORTED when the algorithm or the key is none that can be computed here.
    """
    key = load_key(spki)
    if key is None:
        return Proof.UNSUPPORTED
    try:
        return Proof.GOOD if _verify(key, signed) else Proof.UNSUPPORTED
    except InvalidSignature:
        return Proof.BAD
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return Proof.UNSUPPORTED


@lru_cache(maxsize=128)
def load_key(spki: bytes) -> Any:
    """The public key, None when cryptography cannot use it."""
    try:
        key = load_der_public_key(spki)
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return None
    # A modulus of a million bits would keep the processor busy for the hostile peer that sent it.
    return None if isinstance(key, rsa.RSAPublicKey) and key.key_size > MAX_RSA_BITS else key


def _verify(key: Any, signed: Signed) -> bool:
    """False when key and algorithm do not belong together; InvalidSignature when the signature is wrong."""
    algorithm = signed.algorithm
    digest = _HASHES.get(algorithm.hash)
    if isinstance(key, rsa.RSAPublicKey):
        if digest is None or "RSA" not in algorithm.name:
            return False
        key.verify(signed.signature, signed.body, _padding(algorithm, digest), digest())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if digest is None or "ECDSA" not in algorithm.name:
            return False
        key.verify(signed.signature, signed.body, ec.ECDSA(digest()))
    elif isinstance(key, dsa.DSAPublicKey):
        if digest is None or not algorithm.name.endswith("DSA") or "ECDSA" in algorithm.name:
            return False
        key.verify(signed.signature, signed.body, digest())
    elif hasattr(key, "verify") and not algorithm.hash and algorithm.name:  # Ed25519, Ed448, ML-DSA
        key.verify(signed.signature, signed.body)
    else:
        return False
    return True


def _padding(algorithm: SignatureAlgorithm, digest: type[hashes.HashAlgorithm]) -> padding.AsymmetricPadding:
    if algorithm.name == "RSASSA-PSS":
        return padding.PSS(padding.MGF1(digest()), algorithm.salt)
    return padding.PKCS1v15()
