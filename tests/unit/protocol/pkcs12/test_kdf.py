"""Key derivation against published and confirmed vectors."""

from __future__ import annotations

import hashlib

import pytest

from pkitools.protocol.pkcs12 import kdf
from pkitools.protocol.pkcs12.passwords import wide

SALT = bytes(range(8))
VECTORS = [
    (wide("smeg"), "0a58cf64530d823f", 1, kdf.KEY, "sha1", "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3"),
    (wide("smeg"), "0a58cf64530d823f", 1, kdf.IV, "sha1", "79993dfe048d3b76"),
    (wide("pässwörd"), SALT.hex(), 2048, kdf.MAC_KEY, "sha256",
     "6e94889d282422cba66289ce52536bff75b5fdcb414d8308cf801f65b4f0839d"),
    (bytes.fromhex("d83ddd11006b006500790000"), SALT.hex(), 2048, kdf.MAC_KEY, "sha256",
     "7decfa20b2cfe4d2ef768e4864c20259041021c3968e769add2d27c085daeeb7"),
    (b"\0\0", SALT.hex(), 1, kdf.MAC_KEY, "sha1", "cb755dadf6fef4d79efb7042fc3b2f6fea141b80"),
    (b"", SALT.hex(), 1, kdf.MAC_KEY, "sha1", "e245c173af5d4bd9392566eb5610dad312a45e40"),
]  # fmt: skip


@pytest.mark.parametrize("derive", [kdf.pkcs12_kdf, kdf.pkcs12_kdf_portable])
@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(derive, vector):
    password, salt, iterations, purpose, digest, expected = vector
    derived = derive(digest, password, bytes.fromhex(salt), iterations, purpose=purpose, size=len(expected) // 2)
    assert derived.hex() == expected


def test_surrogate_pairs():
    assert wide("🔑key") == bytes.fromhex("d83ddd11006b006500790000")


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha512_256", "sha3_256"])
def test_libcrypto_and_our_own_agree(digest):
    native = kdf._native_kdf()
    if native is None:
        pytest.skip("hashlib is not linked to a libcrypto with this function")
    arguments = (digest, wide("pässwörd🔑"), b"nine octs", 77)
    for purpose, size in ((kdf.KEY, 200), (kdf.IV, 8), (kdf.MAC_KEY, 0 + hashlib.new(digest).digest_size)):
        expected = kdf.pkcs12_kdf_portable(*arguments, purpose=purpose, size=size)
        assert native(*arguments, purpose=purpose, size=size) == expected


def test_without_libcrypto_the_result_is_the_same(monkeypatch):
    arguments = ("sha256", wide("x"), SALT, 12_000)
    expected = kdf.pkcs12_kdf(*arguments, purpose=kdf.MAC_KEY, size=32)
    monkeypatch.setattr(kdf, "_native_kdf", lambda: None)
    monkeypatch.setattr(kdf, "_spent", kdf._Spent())
    assert kdf.pkcs12_kdf(*arguments, purpose=kdf.MAC_KEY, size=32) == expected


def test_pbkdf2_is_that_of_hashlib():
    expected = hashlib.pbkdf2_hmac("sha512", b"pw", SALT, 100, 48)
    assert kdf.pbkdf2("sha512", b"pw", SALT, 100, 48) == expected
