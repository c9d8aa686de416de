"""Writing a PFX that Windows can open."""

from __future__ import annotations

from enum import Enum

from pkitools.models.keystore import KeyStoreContent
from pkitools.models.secret import Secret

DEFAULT_ITERATIONS = 2048


class Profile(Enum):
    """Which Windows shall open the file."""

    WINDOWS = "windows"
    WINDOWS2016 = "windows2016"
    PBMAC1 = "pbmac1"


def write_pfx(
    content: KeyStoreContent,
    password: Secret,
    profile: Profile = Profile.WINDOWS,
    *,
    iterations: int = DEFAULT_ITERATIONS,
    mac_iterations: int = DEFAULT_ITERATIONS,
) -> bytes:
    """A PFX of keys and certificates in the order given, with their attributes."""
    raise NotImplementedError


def encrypt_private_key(pkcs8: bytes, password: Secret, *, iterations: int = DEFAULT_ITERATIONS) -> bytes:
    """The EncryptedPrivateKeyInfo (AES-256-CBC, PBKDF2 with HMAC-SHA-256) of a PrivateKeyInfo, attributes kept."""
    raise NotImplementedError
