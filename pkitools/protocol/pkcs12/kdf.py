"""Key derivation: PKCS #12 (RFC 7292 B.2), PBKDF1 and PBKDF2 (RFC 8018 5), scrypt (RFC 7914).

PBKDF2 and scrypt are ``cryptography``'s. Nothing in Python offers the PKCS #12 function, which hashes a hash over and
over: written in Python it spends its time in calls. Many iterations are therefore given to the libcrypto that Python's
own hashlib is linked to, when that has the function; the code here is what specifies it and what remains without.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from itertools import repeat
from typing import Protocol

KEY = 1
IV = 2
MAC_KEY = 3

_BLOCK_OCTETS = {"sha384": 128, "sha512": 128, "sha512_224": 128, "sha512_256": 128, "sha3_224": 144, "sha3_256": 136}
_BLOCK_OCTETS |= {"sha3_384": 104, "sha3_512": 72}
_NATIVE_FROM = 10_000  # iterations of a process: loading ctypes takes as long as some thousands of them


class _Native(Protocol):
    def __call__(
        self, digest: str, password: bytes, salt: bytes, iterations: int, *, purpose: int, size: int
    ) -> bytes | None: ...


class _Spent:
    """Iterations that this process has asked for so far."""

    def __init__(self) -> None:
        self.total = 0

    def add(self, iterations: int) -> int:
        """The new total."""
        self.total += iterations
        return self.total


_spent = _Spent()


def pkcs12_kdf(digest: str, password: bytes, salt: bytes, iterations: int, *, purpose: int, size: int) -> bytes:
    """``size`` octets for ``purpose`` (KEY, IV or MAC_KEY). ``digest`` is hashlib's name.

    ``password`` is UTF-16BE with two NUL octets behind it, or no octets at all for an absent password.
    """
    if _spent.add(iterations) >= _NATIVE_FROM and (native := _native_kdf()) is not None:
        derived = native(digest, password, salt, iterations, purpose=purpose, size=size)
        if derived is not None:
            return derived
    return pkcs12_kdf_portable(digest, password, salt, iterations, purpose=purpose, size=size)


def pkcs12_kdf_portable(
    digest: str, password: bytes, salt: bytes, iterations: int, *, purpose: int, size: int
) -> bytes:
    """RFC 7292 B.2, step by step; arguments as for ``pkcs12_kdf``."""
    make = _constructor(digest)
    block = _BLOCK_OCTETS.get(digest, 64)
    mixed = _filled(salt, block) + _filled(password, block)
    diversifier = bytes((purpose,)) * block
    derived: bytes = b""
    while True:
        hashed = make(diversifier + mixed).digest()
        for _ in repeat(None, iterations - 1):
            hashed = make(hashed).digest()
        derived += hashed
        if len(derived) >= size:
            return bytes(derived[:size])
        addend = int.from_bytes(_filled(hashed, block)[:block], "big") + 1
        mixed = b"".join(_sum(mixed[i : i + block], addend) for i in range(0, len(mixed), block))


def _constructor(digest: str) -> Callable[[bytes], hashlib._Hash]:
    # the named constructors are faster than hashlib.new, which alone knows SHA-512/224 and SHA-512/256
    return getattr(hashlib, digest, None) or functools.partial(hashlib.new, digest)


def _filled(part: bytes, block: int) -> bytes:
    """``part`` repeated up to the next multiple of ``block``; nothing stays nothing."""
    if not part:
        return b""
    size = -(-len(part) // block) * block
    return (part * -(-size // len(part)))[:size]


def _sum(block: bytes, addend: int) -> bytes:
    total = int.from_bytes(block, "big") + addend
    return (total & ((1 << 8 * len(block)) - 1)).to_bytes(len(block), "big")


@functools.cache
def _native_kdf() -> _Native | None:
    """libcrypto's ``PKCS12_key_gen_uni``, or None where hashlib is not linked to it or gives other results."""
    try:
        import _hashlib
        import ctypes

        library = ctypes.CDLL(_hashlib.__file__)
        derive, by_name = library.PKCS12_key_gen_uni, library.EVP_get_digestbyname
    except (ImportError, OSError, AttributeError):
        return None
    text, number, pointer = ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p
    by_name.restype, by_name.argtypes = pointer, [text]
    derive.restype, derive.argtypes = number, [text, number, text, number, number, number, number, text, pointer]

    def native(digest: str, password: bytes, salt: bytes, iterations: int, *, purpose: int, size: int) -> bytes | None:
        method = by_name(digest.upper().replace("_", "-").encode())
        if not method or not salt or iterations >= 1 << 31:
            return None
        out = ctypes.create_string_buffer(size)
        if derive(password, len(password), salt, len(salt), purpose, iterations, size, out, method) != 1:
            return None
        return out.raw

    sample = ("sha256", b"\0a\0\0", b"salt", 3)
    expected = pkcs12_kdf_portable(*sample, purpose=MAC_KEY, size=40)
    return native if native(*sample, purpose=MAC_KEY, size=40) == expected else None


def pbkdf1(digest: str, password: bytes, salt: bytes, iterations: int, size: int) -> bytes:
    """RFC 8018 5.1: ``size`` is at most the digest's length."""
    make = _constructor(digest)
    hashed = password + salt
    for _ in repeat(None, iterations):
        hashed = make(hashed).digest()
    return bytes(hashed[:size])


def pbkdf2(digest: str, password: bytes, salt: bytes, iterations: int, size: int) -> bytes:
    """RFC 8018 5.2 with HMAC of ``digest`` (hashlib's name)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

    method = getattr(hashes, digest.upper())()
    try:
        return PBKDF2HMAC(method, size, salt, iterations).derive(password)
    except UnsupportedAlgorithm:  # a libcrypto without this digest; hashlib may have it
        return hashlib.pbkdf2_hmac(digest, password, salt, iterations, size)


def scrypt(password: bytes, salt: bytes, *, n: int, r: int, p: int, size: int) -> bytes:
    """RFC 7914; memory is 128 * n * r octets."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt, size, n, r, p).derive(password)
