"""The public half of a key as comparable data, from a PrivateKeyInfo or a certificate's SubjectPublicKeyInfo.

RSA numbers are read from the DER itself: loading an RSA key into ``cryptography`` with its validation costs 50 ms.
RSA and RSA-PSS are one family here (RFC 4055 1.2): a certificate may name either for the same key.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from pkitools.errors import FormatError
from pkitools.protocol import der

RSA = "1.2.840.113549.1.1.1"
RSA_PSS = "1.2.840.113549.1.1.10"
EC = "1.2.840.10045.2.1"
_RSA_FAMILY = (RSA, RSA_PSS)
_MAX_NUMBER_OCTETS = 4096
_NULL = der.element(der.NULL, b"")

PublicKey = tuple[str, bytes]


@lru_cache(maxsize=256)
def public_key_of_private(pkcs8: bytes) -> PublicKey:
    """Algorithm family (OID) and public key octets of a PrivateKeyInfo. FormatError: damaged or unsupported key."""
    info = der.Reader(pkcs8, "the private key").sequence("PrivateKeyInfo")
    info.integer("version")
    algorithm = info.sequence("the key's algorithm").oid("the key's algorithm")
    if algorithm in _RSA_FAMILY:
        return RSA, _rsa_public(info.inside_octets("the RSA key"))
    return split_public_key(_derived(pkcs8, algorithm))


def _rsa_public(reader: der.Reader) -> bytes:
    """RSAPublicKey out of an RSAPrivateKey (RFC 8017 A.1), after a look whether its numbers fit each other."""
    key = reader.sequence("RSAPrivateKey")
    key.integer("version")
    n, e, d, p, q = (key.integer("a number of the RSA key", max_octets=_MAX_NUMBER_OCTETS) for _ in range(5))
    two_primes = key.more()
    if min(n, e, d, p, q) < 1 or (two_primes and (p * q != n and len(pkcs1_primes(reader)) <= 2)):
        raise key.error("the numbers of the RSA key do not fit each other")
    return der.sequence(der.integer(n), der.integer(e))
