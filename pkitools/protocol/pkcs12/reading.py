"""Reading a PFX (RFC 7292 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pkitools.models.keystore import Attribute, CertificateEntry, Encryption, KeyEntry, KeyStoreContent, Mac
from pkitools.models.secret import Secret

MAX_ITERATIONS = 10_000_000


class PasswordForm(Enum):
    """The form of the password that opened a file; all but STANDARD are worth a note."""

    STANDARD = "Standard"
    EMPTY = "Empty"
    ABSENT = "Absent"
    UTF8_AS_LATIN1 = "Utf8AsLatin1"
    LATIN1 = "Latin1"


@dataclass(frozen=True, slots=True)
class Bag:
    """One bag, in the file's order. ``kind`` is Key, ShroudedKey, Certificate, Crl, Secret, SafeContents or Unknown.

    ``encryption`` is that of a shrouded key; ``entry`` is None for what is neither key nor certificate, and for a key
    that was not decrypted. ``attributes`` are all attributes as found. ``depth`` counts the nested safes around it.
    """

    kind: str
    oid: str
    depth: int
    attributes: tuple[Attribute, ...]
    entry: KeyEntry | CertificateEntry | None = None
    encryption: Encryption | None = None
    secret_type: str | None = None


@dataclass(frozen=True, slots=True)
class Safe:
    """One ContentInfo of the authenticated safe; ``bags`` is None while its encryption hides them."""

    content_type: str
    encryption: Encryption | None
    bags: tuple[Bag, ...] | None


@dataclass(frozen=True, slots=True)
class PfxFile:
    """A PFX as found: what it holds (``content``: every key and certificate bag, in order, doubles included) and how it
    is built. ``trailing`` counts bytes after the end; ``ber`` tells an encoding that is not DER; ``password_form`` is
    None when no password was needed or given."""

    content: KeyStoreContent
    safes: tuple[Safe, ...]
    mac: Mac | None
    password_form: PasswordForm | None
    version: int = 3
    ber: bool = False
    trailing: int = 0


def inspect_pfx(data: bytes) -> PfxFile:
    """What a PFX tells without its password. Raises FormatError as ``read_pfx`` does."""
    raise NotImplementedError


def read_pfx(data: bytes, passwords: Sequence[Secret], *, max_iterations: int = MAX_ITERATIONS) -> PfxFile:
    """Read a PFX wholly: check its MAC, decrypt everything.

    ``passwords`` are tried in order, for the MAC and for each encrypted part; an empty one stands for the empty and for
    the absent password. Raises PasswordError (WrongPassword, MacPasswordDiffers, EncryptionPasswordDiffers,
    SidProtected) or FormatError (NotPfx, Damaged, IterationsOverLimit, UnsupportedAlgorithm).
    """
    raise NotImplementedError


def decrypt_private_key(
    encrypted: bytes, passwords: Sequence[Secret], *, max_iterations: int = MAX_ITERATIONS
) -> bytes:
    """The PrivateKeyInfo in an EncryptedPrivateKeyInfo (RFC 5958 3), as found. Raises as ``read_pfx``."""
    raise NotImplementedError
