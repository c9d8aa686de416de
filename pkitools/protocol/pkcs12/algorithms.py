"""The object identifiers of PKCS #12 and PKCS #5, and what they stand for."""

from __future__ import annotations

from typing import NamedTuple

PBES2 = "1.2.840.113549.1.5.13"
PBKDF2 = "1.2.840.113549.1.5.12"
PBMAC1 = "1.2.840.113549.1.5.14"
SCRYPT = "1.3.6.1.4.1.11591.4.11"
HMAC_SHA1 = "1.2.840.113549.2.7"
HMAC_SHA256 = "1.2.840.113549.2.9"
AES_256_CBC = "2.16.840.1.101.3.4.1.42"
RC2_CBC = "1.2.840.113549.3.2"
SHA1 = "1.3.14.3.2.26"
SHA256 = "2.16.840.1.101.3.4.2.1"
PBE_3DES = "1.2.840.113549.1.12.1.3"


class Cipher(NamedTuple):
    """``name`` as shown; ``kind`` aes, camellia, 3des, des, rc2 or rc4; key and IV in octets; RC2's effective bits."""

    name: str
    kind: str
    key_size: int
    iv_size: int
    effective_bits: int = 0


class Pbe(NamedTuple):
    """A scheme that fixes everything: its derivation (PKCS12 or PBKDF1), digest and cipher."""

    kdf: str
    digest: str
    cipher: Cipher


# RFC 7292 appendix C
PKCS12_PBES = {
    f"1.2.840.113549.1.12.1.{number}": Pbe("PKCS12", "sha1", cipher)
    for number, cipher in (
        (1, Cipher("RC4-128", "rc4", 16, 0)),
        (2, Cipher("RC4-40", "rc4", 5, 0)),
        (3, Cipher("3DES-CBC", "3des", 24, 8)),
        (4, Cipher("2-key 3DES-CBC", "3des", 16, 8)),
        (5, Cipher("RC2-128-CBC", "rc2", 16, 8, 128)),
        (6, Cipher("RC2-40-CBC", "rc2", 5, 8, 40)),
    )
}
# RFC 8018 A.3
PKCS5_PBES = {
    "1.2.840.113549.1.5.3": Pbe("PBKDF1", "md5", Cipher("DES-CBC", "des", 8, 8)),
    "1.2.840.113549.1.5.6": Pbe("PBKDF1", "md5", Cipher("RC2-64-CBC", "rc2", 8, 8, 64)),
    "1.2.840.113549.1.5.10": Pbe("PBKDF1", "sha1", Cipher("DES-CBC", "des", 8, 8)),
    "1.2.840.113549.1.5.11": Pbe("PBKDF1", "sha1", Cipher("RC2-64-CBC", "rc2", 8, 8, 64)),
}
PBES1 = PKCS12_PBES | PKCS5_PBES

CIPHERS = {
    "2.16.840.1.101.3.4.1.2": Cipher("AES-128-CBC", "aes", 16, 16),
    "2.16.840.1.101.3.4.1.22": Cipher("AES-192-CBC", "aes", 24, 16),
    AES_256_CBC: Cipher("AES-256-CBC", "aes", 32, 16),
    "1.2.840.113549.3.7": Cipher("3DES-CBC", "3des", 24, 8),
    "1.3.14.3.2.7": Cipher("DES-CBC", "des", 8, 8),
    "1.2.392.200011.61.1.1.1.2": Cipher("Camellia-128-CBC", "camellia", 16, 16),
    "1.2.392.200011.61.1.1.1.3": Cipher("Camellia-192-CBC", "camellia", 24, 16),
    "1.2.392.200011.61.1.1.1.4": Cipher("Camellia-256-CBC", "camellia", 32, 16),
}
# RFC 8018 B.2.3: the version in RC2-CBC-Parameter stands for the effective bits
RC2_VERSIONS = {160: 40, 120: 64, 58: 128}

DIGESTS = {
    "1.2.840.113549.2.5": "md5",
    SHA1: "sha1",
    SHA256: "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.5": "sha512_224",
    "2.16.840.1.101.3.4.2.6": "sha512_256",
    "2.16.840.1.101.3.4.2.7": "sha3_224",
    "2.16.840.1.101.3.4.2.8": "sha3_256",
    "2.16.840.1.101.3.4.2.9": "sha3_384",
    "2.16.840.1.101.3.4.2.10": "sha3_512",
}
HMACS = {
    HMAC_SHA1: "sha1",
    "1.2.840.113549.2.8": "sha224",
    HMAC_SHA256: "sha256",
    "1.2.840.113549.2.10": "sha384",
    "1.2.840.113549.2.11": "sha512",
    "1.2.840.113549.2.12": "sha512_224",
    "1.2.840.113549.2.13": "sha512_256",
    "2.16.840.1.101.3.4.2.13": "sha3_224",
    "2.16.840.1.101.3.4.2.14": "sha3_256",
    "2.16.840.1.101.3.4.2.15": "sha3_384",
    "2.16.840.1.101.3.4.2.16": "sha3_512",
}


def digest_name(digest: str) -> str:
    """hashlib's name as people write it: SHA-256, SHA-512/256, SHA3-256, MD5."""
    if digest.startswith("sha3_"):
        return digest.upper().replace("_", "-")
    return "MD5" if digest == "md5" else "SHA-" + digest[3:].replace("_", "/")
