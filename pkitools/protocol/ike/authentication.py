"""Verification of the AUTH payload: the server proves that it holds the key of its certificate.

RFC 7296 2.15 (what is signed) and 3.8 (RSA), RFC 4754 (ECDSA methods 9 to 11), RFC 7427 (method 14: the algorithm is
named in front of the signature).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.keys import prf
from pkitools.protocol.ike.numbers import AuthMethod
from pkitools.protocol.ike.payloads import Authentication, Identification
from pkitools.protocol.ike.reader import Reader

if TYPE_CHECKING:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes

# RFC 7427 4: hash numbers for SIGNATURE_HASH_ALGORITHMS: SHA1, SHA2-256, SHA2-384, SHA2-512.
SIGNATURE_HASHES: Final = b"".join(number.to_bytes(2, "big") for number in (1, 2, 3, 4))

# RFC 7427 A: DER of the AlgorithmIdentifier, which peers send byte for byte.
_RSA_PKCS1: Final = {
    bytes.fromhex("300d06092a864886f70d0101050500"): "sha1",
    bytes.fromhex("300d06092a864886f70d01010b0500"): "sha256",
    bytes.fromhex("300d06092a864886f70d01010c0500"): "sha384",
    bytes.fromhex("300d06092a864886f70d01010d0500"): "sha512",
}
_ECDSA: Final = {
    bytes.fromhex("300906072a8648ce3d0401"): "sha1",
    bytes.fromhex("300a06082a8648ce3d040302"): "sha256",
    bytes.fromhex("300a06082a8648ce3d040303"): "sha384",
    bytes.fromhex("300a06082a8648ce3d040304"): "sha512",
}
_PSS_OID: Final = bytes.fromhex("06092a864886f70d01010a")
_HASH_OIDS: Final = {
    bytes.fromhex("06052b0e03021a"): "sha1",
    bytes.fromhex("0609608648016503040201"): "sha256",
    bytes.fromhex("0609608648016503040202"): "sha384",
    bytes.fromhex("0609608648016503040203"): "sha512",
}
_ECDSA_METHODS: Final = {AuthMethod.ECDSA_256: "sha256", AuthMethod.ECDSA_384: "sha384", AuthMethod.ECDSA_521: "sha512"}


@dataclass(frozen=True, slots=True)
class SignedOctets:
    """What the responder signs, RFC 7296 2.15: its IKE_SA_INIT message, our nonce, prf(SK_pr, its IDr body)."""

    message: bytes
    initiator_nonce: bytes
    prf_hash: str
    sk_pr: bytes

    def of(self, identity: Identification) -> bytes:
        """ResponderSignedOctets."""
        return self.message + self.initiator_nonce + prf(self.prf_hash, self.sk_pr, identity.body)


def verify(auth: Authentication, key: CertificatePublicKeyTypes, octets: bytes) -> str:
    """Checks the signature over ``octets`` and returns the algorithm's name, such as ``RSA-PSS with SHA256``.

    Raises ProtocolError when the signature is wrong, of another key type, or its algorithm unknown.
    """
    if auth.method == AuthMethod.RSA_SIGNATURE:
        return _verify_rsa(auth.data, key, octets, ("sha1", "sha256", "sha384", "sha512"))
    if auth.method in _ECDSA_METHODS:
        return _verify_raw_ecdsa(auth.data, key, octets, _ECDSA_METHODS[AuthMethod(auth.method)])
    if auth.method == AuthMethod.DIGITAL_SIGNATURE:
        return _verify_named(auth.data, key, octets)
    raise ProtocolError(f"the server authenticates by method {auth.method}, which is no certificate's signature")


def _hash(name: str) -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives import hashes

    known = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    return known[name]


def _verify_named(data: bytes, key: CertificatePublicKeyTypes, octets: bytes) -> str:
    reader = Reader(data, "AUTH signature")
    algorithm = reader.take(reader.number(1))
    signature = reader.rest()
    if algorithm in _RSA_PKCS1:
        return _verify_rsa(signature, key, octets, (_RSA_PKCS1[algorithm],))
    if algorithm in _ECDSA:
        return _verify_ecdsa(signature, key, octets, _ECDSA[algorithm])
    if _PSS_OID in algorithm:
        return _verify_pss(signature, key, octets, algorithm)
    raise ProtocolError(f"the server signs with an unknown algorithm ({algorithm.hex()})")


def _verify_rsa(signature: bytes, key: CertificatePublicKeyTypes, octets: bytes, names: tuple[str, ...]) -> str:
    """PKCS #1 v1.5. Method 1 does not name its hash: RFC 7296 3.8 says SHA-1 unless both sides know better."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if not isinstance(key, rsa.RSAPublicKey):
        raise ProtocolError("the server signs with RSA and its certificate has no RSA key")
    for name in names:
        try:
            key.verify(signature, octets, padding.PKCS1v15(), _hash(name))
        except (InvalidSignature, ValueError):
            continue
        return f"RSA PKCS1 with {name.upper()}"
    raise ProtocolError("the AUTH signature does not belong to the server's certificate")


def _verify_pss(signature: bytes, key: CertificatePublicKeyTypes, octets: bytes, algorithm: bytes) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    if not isinstance(key, rsa.RSAPublicKey):
        raise ProtocolError("the server signs with RSA and its certificate has no RSA key")
    # the hash and the mask's hash are the same in practice (RFC 8017 A.2.3); no hash named means SHA-1
    name = next((name for oid, name in _HASH_OIDS.items() if oid in algorithm), "sha1")
    pss = padding.PSS(padding.MGF1(_hash(name)), padding.PSS.AUTO)
    try:
        key.verify(signature, octets, pss, _hash(name))
    except (InvalidSignature, ValueError) as error:
        raise ProtocolError("the AUTH signature does not belong to the server's certificate") from error
    return f"RSA-PSS with {name.upper()}"


def _verify_ecdsa(signature: bytes, key: CertificatePublicKeyTypes, octets: bytes, name: str) -> str:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec

    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ProtocolError("the server signs with ECDSA and its certificate has no ECDSA key")
    try:
        key.verify(signature, octets, ec.ECDSA(_hash(name)))
    except (InvalidSignature, ValueError) as error:
        raise ProtocolError("the AUTH signature does not belong to the server's certificate") from error
    return f"ECDSA with {name.upper()}"


def _verify_raw_ecdsa(data: bytes, key: CertificatePublicKeyTypes, octets: bytes, name: str) -> str:
    """RFC 4754 7: r | s without DER."""
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    half = len(data) // 2
    numbers = int.from_bytes(data[:half], "big"), int.from_bytes(data[half:], "big")
    return _verify_ecdsa(encode_dss_signature(*numbers), key, octets, name)
