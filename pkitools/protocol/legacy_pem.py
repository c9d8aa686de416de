"""RFC 1421 encryption as OpenSSL's traditional key files have it: ``Proc-Type: 4,ENCRYPTED`` and ``DEK-Info``.

The key is derived by one pass of MD5 over password and the first 8 octets of the IV (OpenSSL's EVP_BytesToKey with a
count of 1). Nothing proves the password but the padding and what stands inside, so the caller looks at each candidate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pkitools.errors import FormatError
from pkitools.models.secret import Secret
from pkitools.protocol.pem import PemBlock

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

_KEY_OCTETS = {
    "AES-128-CBC": 16,
    "AES-192-CBC": 24,
    "AES-256-CBC": 32,
    "DES-EDE3-CBC": 24,
    "DES-EDE-CBC": 16,
    "DES-CBC": 8,
    "CAMELLIA-128-CBC": 16,
    "CAMELLIA-192-CBC": 24,
    "CAMELLIA-256-CBC": 32,
}


def decrypted(block: PemBlock, passwords: Sequence[Secret]) -> Iterator[bytes]:
    """The contents of a block under each password that gives a well-formed padding: UTF-8, then Latin-1.

    Raises FormatError: no or damaged ``DEK-Info``, a cipher that nobody uses here (named).
    """
    cipher, _, iv_text = (block.header("DEK-Info") or "").partition(",")
    cipher = cipher.strip().upper()
    octets = _KEY_OCTETS.get(cipher)
    where = f"the {block.label} in line {block.line}"
    if not cipher:
        raise FormatError(f"{where} is encrypted but has no DEK-Info", error_id="Damaged")
    if octets is None:
        raise FormatError(
            f"{where} is encrypted with {cipher!r}, which is unsupported", error_id="UnsupportedAlgorithm"
        )
    try:
        iv = bytes.fromhex(iv_text.strip())
    except ValueError as error:
        raise FormatError(f"{where} has a damaged DEK-Info", error_id="Damaged") from error
    size = 8 if cipher.startswith("DES") else 16
    if len(iv) != size or not block.der or len(block.der) % size:
        raise FormatError(f"{where} is damaged: its length does not fit its cipher", error_id="Damaged")
    for password in _octets_of(passwords):
        content = _decrypt(cipher, derive(password, iv[:8], octets), iv, block.der)
        padding = content[-1]
        if 1 <= padding <= size and content.endswith(bytes((padding,)) * padding):
            yield content[:-padding]


def _octets_of(passwords: Sequence[Secret]) -> Iterator[bytes]:
    for password in passwords:
        text = password.reveal()
        octets = text.encode("utf-8", "surrogatepass")
        yield octets
        other = text.encode("latin-1", "ignore")
        if other.decode("latin-1") == text and other != octets:
            yield other


def derive(password: bytes, salt: bytes, length: int) -> bytes:
    """OpenSSL's EVP_BytesToKey with MD5 and a count of 1."""
    key = block = b""
    while len(key) < length:
        block = hashlib.md5(block + password + salt, usedforsecurity=False).digest()
        key += block
    return key[:length]


def _decrypt(cipher: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    worker = Cipher(_algorithm(cipher, key), modes.CBC(iv)).decryptor()
    return worker.update(data) + worker.finalize()


def _algorithm(cipher: str, key: bytes) -> BlockCipherAlgorithm:
    from cryptography.hazmat.decrepit.ciphers.algorithms import Camellia, TripleDES
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

    if cipher.startswith("AES"):
        return AES(key)
    if cipher.startswith("CAMELLIA"):
        return Camellia(key)
    # Single DES is Triple DES with one key three times; with two keys the first comes again (K1 K2 K1).
    return TripleDES((key * 3)[:24])
