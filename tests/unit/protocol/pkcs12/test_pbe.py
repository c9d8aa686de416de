"""Parameters of PBES2 that a hostile file may choose: refused before they cost time or memory."""

from __future__ import annotations

import pytest

from pkitools.errors import FormatError, PasswordError
from pkitools.models.secret import Secret
from pkitools.protocol import der
from pkitools.protocol.pkcs12 import algorithms as alg
from pkitools.protocol.pkcs12 import decrypt_private_key

PASSWORD = (Secret("Würzel 🔑"),)
SALT = der.octet_string(b"saltsalt")
RC2 = der.sequence(der.oid(alg.RC2_CBC), der.sequence(der.integer(58), der.octet_string(bytes(8))))
AES = der.sequence(der.oid(alg.AES_256_CBC), der.octet_string(bytes(16)))


def encrypted(derivation: bytes, cipher: bytes) -> bytes:
    scheme = der.sequence(der.oid(alg.PBES2), der.sequence(derivation, cipher))
    return der.sequence(scheme, der.octet_string(bytes(16)))


def pbkdf2(key_length: int) -> bytes:
    prf = der.sequence(der.oid(alg.HMAC_SHA256), der.element(der.NULL, b""))
    return der.sequence(der.oid(alg.PBKDF2), der.sequence(SALT, der.integer(1), der.integer(key_length), prf))


def scrypt(n: int, r: int, p: int) -> bytes:
    numbers = map(der.integer, (n, r, p))
    return der.sequence(der.oid(alg.SCRYPT), der.sequence(SALT, *numbers))


@pytest.mark.parametrize("size", [-1, 0, 4, 129, 1 << 26, 1 << 40])
def test_key_length_of_rc2(size):
    with pytest.raises(FormatError, match=f"damaged .*a key length of {size} octets for RC2"):
        decrypt_private_key(encrypted(pbkdf2(size), RC2), PASSWORD)


@pytest.mark.parametrize("numbers", [(1 << 16, 1, 1), (1 << 20, 1, 1), (3, 8, 1), (0, 8, 1), (16, 0, 1), (16, 8, 0)])
def test_scrypt_outside_its_ranges(numbers):
    with pytest.raises(FormatError, match="damaged .*scrypt with N="):
        decrypt_private_key(encrypted(scrypt(*numbers), AES), PASSWORD)


@pytest.mark.parametrize("derivation", [pbkdf2(5), pbkdf2(16), pbkdf2(128)])
def test_sound_key_lengths_of_rc2_are_tried(derivation):
    with pytest.raises(PasswordError):
        decrypt_private_key(encrypted(derivation, RC2), PASSWORD)


@pytest.mark.parametrize("numbers", [(1 << 15, 1, 1), (2, 1, 1), (1 << 10, 8, 2)])
def test_sound_scrypt_is_tried(numbers):
    with pytest.raises(PasswordError):
        decrypt_private_key(encrypted(scrypt(*numbers), AES), PASSWORD)
