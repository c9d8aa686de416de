"""Password-based encryption: PBES1 and PBES2 (RFC 8018 6), the PKCS #12 schemes (RFC 7292 appendix C).

``Scheme.parse`` reads an AlgorithmIdentifier and refuses what it does not know by OID; ``decrypt`` answers None when
the password does not fit, which only the padding and the plaintext's shape can tell.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import dataclass
from typing import Any

from pkitools.errors import FormatError, MissingDependencyError
from pkitools.models.keystore import Encryption
from pkitools.protocol import der
from pkitools.protocol.pkcs12 import algorithms as alg
from pkitools.protocol.pkcs12 import kdf
from pkitools.protocol.pkcs12.passwords import Candidate

_SCRYPT_MAX_OCTETS = 128 * 1024 * 1024
_SCRYPT_MAX_WORK = 1 << 26
_RC2_KEY_OCTETS = range(5, 129)  # RFC 2268 2: up to 128; pycryptodomex takes no fewer than 5


def unsupported(what: str, oid: str) -> FormatError:
    """The refusal of an algorithm that is not implemented."""
    return FormatError(f"{what} uses an unsupported algorithm, {oid}", error_id="UnsupportedAlgorithm")


@dataclass(frozen=True, slots=True)
class KeyDerivation:
    """How the key comes from the password. ``kind`` is PKCS12, PBKDF1, PBKDF2 or scrypt; ``digest`` hashlib's name."""

    kind: str
    digest: str
    salt: bytes
    iterations: int
    key_length: int | None = None
    r: int = 0
    p: int = 0

    @property
    def work(self) -> int:
        """The cost in iterations of a hash; for scrypt in blocks mixed."""
        return self.iterations * self.r * self.p if self.kind == "scrypt" else self.iterations

    def derive(self, password: bytes, size: int) -> bytes:
        """``size`` octets by PBKDF2 or scrypt."""
        if self.kind == "scrypt":
            return kdf.scrypt(password, self.salt, n=self.iterations, r=self.r, p=self.p, size=size)
        return kdf.pbkdf2(self.digest, password, self.salt, self.iterations, size)


@dataclass(frozen=True, slots=True)
class Scheme:
    """An encryption scheme with its parameters, ready for a password."""

    oid: str
    cipher: alg.Cipher
    derivation: KeyDerivation
    iv: bytes = b""

    @classmethod
    def parse(cls, reader: der.Reader, what: str) -> Scheme:
        """Read an AlgorithmIdentifier. FormatError: UnsupportedAlgorithm (names the OID) or Damaged."""
        algorithm = reader.sequence("the encryption algorithm")
        oid = algorithm.oid("the encryption algorithm")
        if oid in alg.PBES1:
            scheme = alg.PBES1[oid]
            derivation = _pbe_parameters(algorithm.sequence("PBE parameters"), scheme)
            return cls(oid, scheme.cipher, derivation)
        if oid == alg.PBES2:
            return _pbes2(algorithm.sequence("PBES2 parameters"), what)
        raise unsupported(what, oid)

    def describe(self) -> Encryption:
        """The scheme as data that leaves the program."""
        one = self.derivation
        prf = None if one.kind == "scrypt" else ("HMAC-" if one.kind == "PBKDF2" else "") + alg.digest_name(one.digest)
        return Encryption(self.cipher.name, self.oid, one.kind, prf, one.iterations, len(one.salt))

    def same_key(self, first: Candidate, second: Candidate) -> bool:
        """Whether two forms of a password are one to this scheme."""
        if self.derivation.kind == "PKCS12":
            return first.wide == second.wide
        return first.narrow == second.narrow

    def decrypt(self, encrypted: bytes, password: Candidate) -> bytes | None:
        """The plaintext without its padding; None when the padding is wrong."""
        key, iv = self._key_and_iv(password)
        return decrypt(self.cipher, key, iv, encrypted)

    def encrypt(self, plain: bytes, password: Candidate) -> bytes:
        """The ciphertext. Only for the schemes that ``writing`` makes: AES and 3DES."""
        key, iv = self._key_and_iv(password)
        encryptor = _cbc(self.cipher.kind, key, iv).encryptor()
        padding = self.cipher.iv_size - len(plain) % self.cipher.iv_size
        done: bytes = encryptor.update(plain + bytes((padding,)) * padding) + encryptor.finalize()
        return done

    def _key_and_iv(self, password: Candidate) -> tuple[bytes, bytes]:
        one, cipher = self.derivation, self.cipher
        if one.kind == "PKCS12":
            arguments = (one.digest, password.wide, one.salt, one.iterations)
            iv = kdf.pkcs12_kdf(*arguments, purpose=kdf.IV, size=cipher.iv_size) if cipher.iv_size else b""
            return kdf.pkcs12_kdf(*arguments, purpose=kdf.KEY, size=cipher.key_size), iv
        if one.kind == "PBKDF1":
            both = kdf.pbkdf1(one.digest, password.narrow, one.salt, one.iterations, 16)
            return both[:8], both[8:]
        return one.derive(password.narrow, cipher.key_size), self.iv


def _pbe_parameters(parameters: der.Reader, scheme: alg.Pbe) -> KeyDerivation:
    salt = parameters.octets("salt")
    iterations = _iterations(parameters)
    return KeyDerivation(scheme.kdf, scheme.digest, salt, iterations)


def _iterations(reader: der.Reader) -> int:
    iterations = reader.integer("iteration count")
    if iterations < 1:
        raise reader.error(f"an iteration count of {iterations}")
    return iterations


def _pbes2(parameters: der.Reader, what: str) -> Scheme:
    derivation = parse_derivation(parameters, what)
    scheme = parameters.sequence("encryption scheme")
    oid = scheme.oid("encryption scheme")
    if oid == alg.RC2_CBC:
        cipher, iv = _rc2(scheme, derivation, what)
    elif oid in alg.CIPHERS:
        cipher, iv = alg.CIPHERS[oid], scheme.octets("IV")
    else:
        raise unsupported(what, oid)
    if len(iv) != cipher.iv_size:
        raise scheme.error(f"an IV of {len(iv)} octets for {cipher.name}")
    if derivation.key_length not in (None, cipher.key_size):
        raise scheme.error(f"a key length of {derivation.key_length} octets for {cipher.name}")
    return Scheme(oid, cipher, derivation, iv)


def _rc2(scheme: der.Reader, derivation: KeyDerivation, what: str) -> tuple[alg.Cipher, bytes]:
    parameters = scheme.sequence("RC2 parameters")
    version = parameters.integer("RC2 version") if parameters.peek() == der.INTEGER else 0
    bits = alg.RC2_VERSIONS.get(version, version if version >= 256 else 32)
    if bits not in (40, 64, 128):
        raise unsupported(what, f"{alg.RC2_CBC} with {bits} effective bits")
    size = bits // 8 if derivation.key_length is None else derivation.key_length
    if size not in _RC2_KEY_OCTETS:
        raise parameters.error(f"a key length of {size} octets for RC2")
    return alg.Cipher(f"RC2-{bits}-CBC", "rc2", size, 8, bits), parameters.octets("IV")


def parse_derivation(reader: der.Reader, what: str) -> KeyDerivation:
    """Read the AlgorithmIdentifier of PBKDF2 or scrypt."""
    algorithm = reader.sequence("key derivation")
    oid = algorithm.oid("key derivation")
    if oid == alg.SCRYPT:
        return _scrypt(algorithm.sequence("scrypt parameters"))
    if oid != alg.PBKDF2:
        raise unsupported(what, oid)
    parameters = algorithm.sequence("PBKDF2 parameters")
    salt = parameters.octets("salt")
    iterations = _iterations(parameters)
    key_length = parameters.integer("key length") if parameters.peek() == der.INTEGER else None
    prf = alg.HMAC_SHA1
    if parameters.more():
        prf = parameters.sequence("PRF").oid("PRF")
    if prf not in alg.HMACS:
        raise unsupported(what, prf)
    return KeyDerivation("PBKDF2", alg.HMACS[prf], salt, iterations, key_length)


def _scrypt(parameters: der.Reader) -> KeyDerivation:
    salt = parameters.octets("salt")
    n, r, p = (parameters.integer(f"scrypt's {name}") for name in ("N", "r", "p"))
    key_length = parameters.integer("key length") if parameters.more() else None
    if n < 2 or n & (n - 1) or r < 1 or p < 1 or n.bit_length() > 16 * r:  # RFC 7914 2: N < 2 ** (128 * r / 8)
        raise parameters.error(f"scrypt with N={n}, r={r}, p={p}")
    if 128 * n * r > _SCRYPT_MAX_OCTETS or n * r * p > _SCRYPT_MAX_WORK:
        raise FormatError(
            f"scrypt with N={n}, r={r}, p={p} would take too much memory or time", error_id="IterationsOverLimit"
        )
    return KeyDerivation("scrypt", "", salt, n, key_length, r, p)


def decrypt(cipher: alg.Cipher, key: bytes, iv: bytes, encrypted: bytes) -> bytes | None:
    """Decrypt and take the padding off; None when it is wrong. RC4 has none."""
    if cipher.kind == "rc4":
        return _rc4(key, encrypted)
    if not encrypted or len(encrypted) % cipher.iv_size:
        return None
    plain = _rc2_cbc(cipher, key, iv, encrypted) if cipher.kind == "rc2" else _cbc_decrypt(cipher, key, iv, encrypted)
    padding = plain[-1]
    if not 0 < padding <= cipher.iv_size or plain[-padding:] != bytes((padding,)) * padding:
        return None
    return plain[:-padding]


def _cbc_decrypt(cipher: alg.Cipher, key: bytes, iv: bytes, encrypted: bytes) -> bytes:
    decryptor = _cbc(cipher.kind, key, iv).decryptor()
    plain: bytes = decryptor.update(encrypted) + decryptor.finalize()
    return plain


@functools.cache
def _block_ciphers() -> dict[str, object]:
    """The block ciphers by kind: where ``cryptography`` keeps them depends on how old they are to it."""
    from cryptography.hazmat.decrepit.ciphers import algorithms as decrepit
    from cryptography.hazmat.primitives.ciphers import algorithms

    return {
        "aes": algorithms.AES,
        "3des": decrepit.TripleDES,
        "des": decrepit.TripleDES,
        "camellia": getattr(decrepit, "Camellia", None) or algorithms.Camellia,
    }


def _cbc(kind: str, key: bytes, iv: bytes):  # type: ignore[no-untyped-def]  # cryptography's Cipher[CBC], imported late
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    if kind == "des":
        key = key * 3
    elif kind == "3des" and len(key) == 16:
        key += key[:8]
    make = _block_ciphers()[kind]
    return Cipher(make(key), modes.CBC(iv))  # type: ignore[operator]


def _rc2_cbc(cipher: alg.Cipher, key: bytes, iv: bytes, encrypted: bytes) -> bytes:
    """RC2 by pycryptodomex: ``cryptography`` has it with 128 bits only, and not with every OpenSSL."""
    options: dict[str, Any] = {"iv": iv, "effective_keylen": cipher.effective_bits}
    return bytes(_cryptodome("ARC2").new(key, 2, **options).decrypt(encrypted))  # 2 is MODE_CBC


def _rc4(key: bytes, encrypted: bytes) -> bytes:
    """RC4 by ``cryptography``, or by pycryptodomex where its OpenSSL has no legacy provider."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
    from cryptography.hazmat.primitives.ciphers import Cipher

    try:
        decryptor = Cipher(ARC4(key), None).decryptor()
        return bytes(decryptor.update(encrypted) + decryptor.finalize())
    except UnsupportedAlgorithm:
        return bytes(_cryptodome("ARC4").new(key).decrypt(encrypted))


def _cryptodome(name: str) -> Any:
    """A cipher module of pycryptodomex."""
    try:
        return importlib.import_module(f"Cryptodome.Cipher.{name}")
    except ImportError as error:
        raise MissingDependencyError(
            f"this file is encrypted with {name.removeprefix('A')}, which needs pycryptodomex",
            hint="pip install pycryptodomex",
        ) from error
