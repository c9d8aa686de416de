"""PKCS #12 (RFC 7292, RFC 9879): reading what Windows and others wrote, and writing what Windows can open."""

from __future__ import annotations

from pkitools.protocol.pkcs12.attributes import display_name
from pkitools.protocol.pkcs12.passwords import PasswordForm
from pkitools.protocol.pkcs12.reading import (
    MAX_ITERATIONS,
    Bag,
    PfxFile,
    Safe,
    decrypt_private_key,
    described,
    inspect_pfx,
    read_pfx,
)
from pkitools.protocol.pkcs12.writing import Profile, encrypt_private_key, write_pfx

__all__ = [
    "MAX_ITERATIONS",
    "Bag",
    "PasswordForm",
    "PfxFile",
    "Profile",
    "Safe",
    "decrypt_private_key",
    "described",
    "display_name",
    "encrypt_private_key",
    "inspect_pfx",
    "read_pfx",
    "write_pfx",
]
