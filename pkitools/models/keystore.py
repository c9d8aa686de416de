"""Keys and certificates on their way between PFX and PEM, and how a PFX protects them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar

from pkitools.models.outcome import Finding


class KeySpec(Enum):
    """What a legacy CSP may use the key for; a KSP key has none. Windows keeps it as KeyUsage inside the PKCS #8."""

    NONE = "None"
    EXCHANGE = "AT_KEYEXCHANGE"
    SIGNATURE = "AT_SIGNATURE"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a bag or of a PKCS #8 key, kept as found: ``values`` are the whole DER values, unsorted."""

    oid: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A private key with all that travels with it.

    ``pkcs8`` is the raw DER PrivateKeyInfo (RFC 5208) with its attributes and its algorithm as found: an RSA-PSS key
    stays one. ``key_spec`` is what counts on writing; a reader fills it from ``pkcs8``. Names are as stored, Windows'
    trailing NUL included (``display_name`` of ``protocol.pkcs12`` cuts it). ``attributes`` are the bag attributes that
    no other field stands for.
    """

    pkcs8: bytes = field(repr=False)
    friendly_name: str | None = None
    local_key_id: bytes | None = None
    provider: str | None = None
    machine: bool = False
    key_spec: KeySpec = KeySpec.NONE
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate (DER) with the attributes of its bag; fields as in ``KeyEntry``."""

    der: bytes
    friendly_name: str | None = None
    local_key_id: bytes | None = None
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class KeyStoreContent:
    """What a key store holds, whatever its format; keys and certificates in the file's order.

    ``notes`` are findings of severity Note: what was odd, skipped or repaired on reading.
    """

    keys: tuple[KeyEntry, ...] = ()
    certificates: tuple[CertificateEntry, ...] = ()
    crls: tuple[bytes, ...] = ()
    notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Encryption:
    """How a part of a PFX is encrypted. ``kdf`` is PKCS12, PBKDF1, PBKDF2 or scrypt (``iterations`` is then N)."""

    PS_TYPE: ClassVar[str] = "PkiTools.PfxEncryption"

    algorithm: str
    oid: str = field(metadata={"name": "OID"})
    kdf: str
    prf: str | None
    iterations: int
    salt_length: int


@dataclass(frozen=True, slots=True)
class Mac:
    """The integrity check of a PFX: ``kind`` is PKCS12 or PBMAC1; ``verified`` is None without a password."""

    PS_TYPE: ClassVar[str] = "PkiTools.PfxMac"

    kind: str
    digest: str
    oid: str = field(metadata={"name": "OID"})
    prf: str | None
    iterations: int
    salt_length: int
    verified: bool | None = None
