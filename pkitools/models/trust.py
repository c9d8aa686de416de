"""What the judge of certificates says: the built path, Windows' chain status, the findings, and what was fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import ClassVar

from pkitools.models.certificate import Certificate
from pkitools.models.outcome import Finding


class Purpose(Enum):
    """What a certificate is judged for."""

    SSTP_SERVER = "SstpServer"
    WEB_SERVER = "WebServer"
    IKE_SERVER = "IkeServer"
    NPS_SERVER = "NpsServer"
    VPN_USER = "VpnUser"
    DEVICE = "Device"


class ChainFlag(Enum):
    """.NET's X509ChainStatusFlags, which are the CERT_TRUST bits of wincrypt.h."""

    NotTimeValid = 0x1
    NotTimeNested = 0x2
    Revoked = 0x4
    NotSignatureValid = 0x8
    NotValidForUsage = 0x10
    UntrustedRoot = 0x20
    RevocationStatusUnknown = 0x40
    Cyclic = 0x80
    InvalidExtension = 0x100
    InvalidPolicyConstraints = 0x200
    InvalidBasicConstraints = 0x400
    InvalidNameConstraints = 0x800
    HasNotSupportedNameConstraint = 0x1000
    HasNotDefinedNameConstraint = 0x2000
    HasNotPermittedNameConstraint = 0x4000
    HasExcludedNameConstraint = 0x8000
    PartialChain = 0x10000
    HasWeakSignature = 0x100000
    OfflineRevocation = 0x1000000
    NoIssuanceChainPolicy = 0x2000000
    ExplicitDistrust = 0x4000000
    HasNotSupportedCriticalExtension = 0x8000000


@dataclass(frozen=True, slots=True)
class ChainStatus:
    """One flag of a chain, as .NET's X509ChainStatus; ``code`` is the HRESULT's name that Windows gives for it."""

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.X509Certificates.X509ChainStatus"

    status: ChainFlag
    status_information: str
    code: str | None = None
    code_hex: str | None = None


class RevocationStatus(Enum):
    """What is known of one certificate."""

    GOOD = "Good"
    REVOKED = "Revoked"
    OFFLINE = "Offline"
    NO_CHECK = "NoCheck"
    NOT_ASKED = "NotAsked"


@dataclass(frozen=True, slots=True)
class RevocationResult:
    """The revocation status of one certificate of the path and where it comes from.

    ``source`` is ``Crl``, ``DeltaCrl``, ``Ocsp`` or ``Staple`` (None without an answer), ``url`` where the answer came
    from; ``this_update``/``next_update`` of the answer; ``reason`` and ``revoked_at`` of a revocation; ``message`` one
    sentence on what went wrong.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.RevocationResult"

    subject: str
    serial_number: str
    revocation_status: RevocationStatus = field(metadata={"name": "RevocationStatus"})
    source: str | None = None
    url: str | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    reason: str | None = field(default=None, metadata={"name": "RevocationReason"})
    message: str = ""


@dataclass(frozen=True, slots=True)
class FetchedUrl:
    """One address that the judge asked for: ``use`` is ``Aia``, ``Crl``, ``DeltaCrl`` or ``Ocsp``; ``size`` in bytes;
    ``cached`` when another target of this run had fetched it; ``error`` why it gave nothing (empty on success)."""

    PS_TYPE: ClassVar[str] = "PkiTools.FetchedUrl"

    url: str
    use: str
    size: int = 0
    seconds: float = 0.0
    cached: bool = False
    error: str = ""


class Origin(Enum):
    """Where a member of the path came from."""

    SENT = "Sent"
    STORE = "Store"
    EXTRA = "CaFile"
    AIA = "Aia"


@dataclass(frozen=True, slots=True)
class ChainElement:
    """One certificate of the built path, as .NET's X509ChainElement, and where it came from."""

    PS_TYPE: ClassVar[str] = "System.Security.Cryptography.X509Certificates.X509ChainElement"

    certificate: Certificate
    origin: Origin
    status: tuple[ChainFlag, ...] = field(default=(), metadata={"name": "ChainElementStatus"})
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one certificate for one purpose.

    ``chain`` is the built path from the leaf up. ``certificate_is_valid`` is what PSPKI's CertificateIsValid says: the
    chain with its revocation, for server authentication or what the purpose needs, without the name. ``name_match`` is
    None when no name was asked for. ``error_information`` holds the flags of all members, as .NET's ChainStatus.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.Judgement"

    purpose: Purpose
    certificate_is_valid: bool
    name_match: bool | None
    error_information: tuple[ChainStatus, ...]
    chain: tuple[ChainElement, ...]
    findings: tuple[Finding, ...]
    revocation: tuple[RevocationResult, ...] = ()
    fetched: tuple[FetchedUrl, ...] = ()
