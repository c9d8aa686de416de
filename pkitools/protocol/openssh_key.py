"""OpenSSH's own private keys (``PROTOCOL.key`` of OpenSSH: ``openssh-key-v1``), read into PKCS #8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from pkitools.errors import FormatError, MissingDependencyError
from pkitools.models.secret import Secret
from pkitools.protocol.foreign import means_unreadable
from pkitools.protocol.pem import write_pem

_MAGIC = b"openssh-key-v1\0"
# bcrypt_pbkdf costs about 10 ms a round and the file names the number; ssh-keygen writes 16 to 24.
MAX_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class OpenSshHeader:
    """What stands before the key: cipher and KDF by name, rounds of the KDF (0 without), number of keys."""

    cipher: str
    kdf: str
    rounds: int
    keys: int


def read_header(data: bytes) -> OpenSshHeader:
    """The header of an ``openssh-key-v1`` container. FormatError when it is none or cut off."""
    if not data.startswith(_MAGIC):
        raise _damaged()
    cipher, position = _string(data, len(_MAGIC))
    kdf, position = _string(data, position)
    options, position = _string(data, position)
    rounds = 0
    if options:
        _, after_salt = _string(options, 0)
        rounds = _number(options, after_salt)
    return OpenSshHeader(cipher.decode("latin-1"), kdf.decode("latin-1"), rounds, _number(data, position))


def _number(data: bytes, position: int) -> int:
    if position + 4 > len(data):
        raise _damaged()
    return int.from_bytes(data[position : position + 4], "big")


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    end = position + 4 + _number(data, position)
    if end > len(data):
        raise _damaged()
    return data[position + 4 : end], end


def _damaged() -> FormatError:
    return FormatError("the OpenSSH private key is damaged", error_id="Damaged")


def read_openssh_key(data: bytes, passwords: Sequence[Secret]) -> bytes:
    """The PrivateKeyInfo of the one key in the container.

    Raises PasswordError, FormatError (Damaged; UnsupportedAlgorithm: keys on a security token, several keys, too many
    rounds), MissingDependencyError for an encryption that only the bcrypt package knows.
    """
    header = read_header(data)
    if header.keys != 1:
        raise FormatError(
            f"the OpenSSH file holds {header.keys} keys; one is expected", error_id="UnsupportedAlgorithm"
        )
    if header.rounds > MAX_ROUNDS:
        raise FormatError(f"the OpenSSH key asks for {header.rounds} KDF rounds (limit {MAX_ROUNDS})")
    if header.cipher == "none":
        key = _load(data, None)
        return key if key is not None else _give_up()
    for password in passwords:
        if password and (key := _load(data, password.reveal().encode("utf-8", "surrogatepass"), header)) is not None:
            return key
    from pkitools.protocol.private_key import wrong_password

    raise wrong_password("the OpenSSH private key", passwords)


def _give_up() -> NoReturn:
    raise _damaged()


def _load(data: bytes, password: bytes | None, header: OpenSshHeader | None = None) -> bytes | None:
    """The key as PKCS #8, None when the password is wrong or the content damaged."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_ssh_private_key,
    )

    text = write_pem("OPENSSH PRIVATE KEY", data)
    try:
        key = load_ssh_private_key(text, password)
        return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    except UnsupportedAlgorithm as error:
        if header is not None and "bcrypt" in str(error):
            return _load_without_bcrypt(text, password or b"", header)
        raise FormatError("the OpenSSH key is of an unsupported type", error_id="UnsupportedAlgorithm") from error
    except BaseException as error:
        if not means_unreadable(error):
            raise
        return None


def _load_without_bcrypt(text: bytes, password: bytes, header: OpenSshHeader) -> bytes | None:
    """``cryptography`` needs the bcrypt package for encrypted keys; Cryptodome knows ssh-keygen's default cipher."""
    if header.cipher != "aes256-ctr":
        raise MissingDependencyError(
            f"an OpenSSH key encrypted with {header.cipher} needs the bcrypt package",
            hint="pip install bcrypt, or write the key anew: ssh-keygen -p -m PKCS8 -f KEY",
        )
    from Cryptodome.PublicKey import ECC, RSA

    octets = password.decode("latin-1")  # Cryptodome turns text into octets as Latin-1
    try:
        return _rsa_pkcs8(RSA.import_key(text, octets))
    except (ValueError, IndexError, TypeError):
        pass  # not RSA, or the wrong password
    try:
        return bytes(ECC.import_key(text, octets).export_key(format="DER", use_pkcs8=True))
    except (ValueError, IndexError, TypeError):
        return None


def _rsa_pkcs8(key: Any) -> bytes:
    """Cryptodome turns the primes about; the larger one comes first again, as OpenSSL and Windows have it."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    p, q, d = max(int(key.p), int(key.q)), min(int(key.p), int(key.q)), int(key.d)
    public = rsa.RSAPublicNumbers(int(key.e), int(key.n))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    restored = numbers.private_key(unsafe_skip_rsa_key_validation=True)
    return restored.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
