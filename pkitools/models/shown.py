"""What ``show`` says of a file that holds keys or certificates, and of the programs that will open it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import ClassVar

from pkitools.models.certificate import AlternativeName, Certificate, Oid, TemplateReference
from pkitools.models.keystore import Encryption, KeySpec, Mac
from pkitools.models.outcome import Finding
from pkitools.models.trust import Judgement


@dataclass(frozen=True, slots=True)
class BagAttributeText:
    """A bag attribute for the eye: its name where known, its value as text or hex."""

    PS_TYPE: ClassVar[str] = "PkiTools.BagAttribute"

    oid: str = field(metadata={"name": "OID"})
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class ShownBag:
    """One bag of a safe, in the file's order. ``depth`` is above 0 inside nested safes."""

    PS_TYPE: ClassVar[str] = "PkiTools.PfxBag"

    kind: str
    subject: str | None
    thumbprint: str | None
    encryption: Encryption | None
    attributes: tuple[BagAttributeText, ...]
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ShownSafe:
    """One safe (ContentInfo) of a PFX; ``opened`` is False while its encryption hides the bags."""

    PS_TYPE: ClassVar[str] = "PkiTools.PfxSafe"

    content_type: str
    encryption: Encryption | None
    opened: bool
    bags: tuple[ShownBag, ...]


@dataclass(frozen=True, slots=True)
class ReaderPrediction:
    """Whether a program opens the file: ``opens`` is None when it cannot be told, ``leaf`` the thumbprint that the
    program takes as the certificate with the key."""

    PS_TYPE: ClassVar[str] = "PkiTools.ReaderPrediction"

    reader: str
    opens: bool | None
    reason: str
    leaf: str | None = None


class FitFor(Enum):
    """Where a certificate shall serve: with a VPN user, on a device, on an RRAS server, on an NPS."""

    USER = "aovpn-user"
    DEVICE = "aovpn-device"
    RRAS = "rras"
    NPS = "nps"


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """A certificate of a file. ``role`` is Leaf, Intermediate or Root; ``public_key`` the SHA-256 of its key, equal to
    that of the private key that belongs to it; ``has_private_key`` whether that lies in the file."""

    PS_TYPE: ClassVar[str] = "PkiTools.ShownCertificate"

    subject: str
    thumbprint: str
    role: str
    has_private_key: bool
    friendly_name: str | None
    local_key_id: str | None
    public_key: str | None
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A private key of a file, never the key itself. ``certificates`` are the thumbprints of those it fits;
    ``algorithm`` is None and ``opened`` False while a password hides it."""

    PS_TYPE: ClassVar[str] = "PkiTools.ShownKey"

    algorithm: str | None
    public_key: str | None
    certificates: tuple[str, ...]
    friendly_name: str | None
    local_key_id: str | None
    provider: str | None
    key_spec: KeySpec
    machine_key: bool
    encryption: Encryption | None
    opened: bool = True


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A certificate request (RFC 2986) with the extensions that it asks for. ``signature_valid`` is None when the
    algorithm is unknown."""

    PS_TYPE: ClassVar[str] = "PkiTools.ShownRequest"

    subject: str
    key_algorithm: Oid
    key_size: int | None
    key_curve: str | None
    public_key: str | None
    subject_alternative_names: tuple[AlternativeName, ...]
    enhanced_key_usages: tuple[Oid, ...]
    certificate_template: TemplateReference | None
    signature_valid: bool | None


@dataclass(frozen=True, slots=True)
class ShownCrl:
    """A CRL in short. ``base_number`` is there for a delta CRL."""

    PS_TYPE: ClassVar[str] = "PkiTools.ShownCrl"

    issuer: str
    this_update: datetime
    next_update: datetime | None
    number: int | None
    base_number: int | None


@dataclass(frozen=True, slots=True)
class ShownFile:
    """What ``show`` says of a file.

    ``opened`` is False when a password hides a part of it. Certificates stand chain by chain, leaf first; ``safes``
    in the file's order. ``fitness`` holds the judgements that were asked for.
    """

    PS_TYPE: ClassVar[str] = "PkiTools.ShownFile"

    path: str
    format: str
    opened: bool
    certificates: tuple[ShownCertificate, ...] = ()
    keys: tuple[ShownKey, ...] = ()
    requests: tuple[ShownRequest, ...] = ()
    crls: tuple[ShownCrl, ...] = ()
    mac: Mac | None = None
    safes: tuple[ShownSafe, ...] = ()
    password_form: str | None = None
    protected_to: tuple[str, ...] = ()
    readers: tuple[ReaderPrediction, ...] = ()
    fitness: tuple[Judgement, ...] = ()
    findings: tuple[Finding, ...] = ()
