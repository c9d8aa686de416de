"""What converting between PFX and PEM gives back, and the choices that it takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import ClassVar

from pkitools.models.keystore import KeySpec
from pkitools.models.outcome import Finding


class KeyFormat(Enum):
    """The form of the private key in PEM: PKCS #8 plain, PKCS #1 (RSA), SEC 1 (EC), PKCS #8 encrypted."""

    PKCS8 = "pkcs8"
    PKCS1 = "pkcs1"
    SEC1 = "sec1"
    ENCRYPTED = "encrypted"


class ChainChoice(Enum):
    """Which certificates: leaf to root, the leaf alone, all but the root, or the CAs alone (no leaf and no key)."""

    FULL = "full"
    LEAF = "leaf"
    NO_ROOT = "no-root"
    ONLY_CA = "only-ca"


class Layout(Enum):
    """Which files, with what in them in which order; what each program or device wants."""

    SINGLE = "single"
    SPLIT = "split"
    HAPROXY = "haproxy"
    NGINX = "nginx"
    F5 = "f5"
    KEMP = "kemp"
    NETSCALER = "netscaler"
    AWS = "aws"
    AZURE = "azure"
    FORTIGATE = "fortigate"
    PALOALTO = "paloalto"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True)
class CertificateSummary:
    """A certificate in short: what tells it from others. ``thumbprint`` is SHA-1 in upper-case hex, as in Windows."""

    PS_TYPE: ClassVar[str] = "PkiTools.CertificateSummary"

    subject: str
    issuer: str
    thumbprint: str
    not_before: datetime | None
    not_after: datetime | None
    friendly_name: str | None = None


@dataclass(frozen=True, slots=True)
class PemFile:
    """One PEM file: its path (its name alone when nothing was written) and what stands in it, in order
    (``Key``, ``Certificate``, ``Chain``). ``data`` is in no record: it may hold the key."""

    PS_TYPE: ClassVar[str] = "PkiTools.PemFile"

    path: str
    contents: tuple[str, ...]
    data: bytes = field(repr=False, metadata={"hidden": True})


@dataclass(frozen=True, slots=True)
class PfxToPemResult:
    """A PFX turned into PEM. ``chain`` are the certificates written, leaf first."""

    PS_TYPE: ClassVar[str] = "PkiTools.PfxToPem"

    subject: str
    thumbprint: str
    friendly_name: str | None
    key_algorithm: str
    files: tuple[PemFile, ...]
    layout: Layout
    key_format: KeyFormat
    chain: tuple[CertificateSummary, ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PemToPfxResult:
    """A PFX made of any inputs. The first properties are those of the X509Certificate2 that Convert-PemToPfx returns;
    ``path`` is empty when nothing was written. ``data`` is in no record."""

    PS_TYPE: ClassVar[str] = "PkiTools.PemToPfx"

    subject: str
    issuer: str
    thumbprint: str
    friendly_name: str | None
    not_before: datetime | None
    not_after: datetime | None
    has_private_key: bool
    path: str
    profile: str
    key_algorithm: str
    provider: str | None
    key_spec: KeySpec
    machine: bool
    chain: tuple[CertificateSummary, ...]
    data: bytes = field(repr=False, metadata={"hidden": True})
    findings: tuple[Finding, ...] = ()
