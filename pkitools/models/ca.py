"""Certification authorities as Get-CertificationAuthority and Get-CATemplate show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import KEEP, Enum, Flag
from typing import ClassVar

from pkitools.models.ca_state import CaState
from pkitools.models.certificate import Certificate
from pkitools.models.directory import AccountRights, UndecodableValue
from pkitools.models.outcome import Finding, Reason
from pkitools.models.template import CertificateTemplate


class ServerFlags(Flag, boundary=KEEP):
    """Attribute flags of an enrollment service (DsEnrollServerFlag)."""

    NO_TEMPLATE_SUPPORT = 1
    SUPPORTS_NT_AUTHENTICATION = 2
    CA_SUPPORTS_MANUAL_AUTHENTICATION = 4
    CA_SERVERTYPE_ADVANCED = 8


class SetupStatus(Flag, boundary=KEEP):
    """How far the setup of a CA has come (SETUP_… of CertSrv.h, in PSPKI's names)."""

    ServerInstall = 0x1
    ClientInstall = 0x2
    Incomplete = 0x4
    RenewalPending = 0x8
    OnlineRenewalPending = 0x10
    OnlineRenewalDenied = 0x20
    CreateDB = 0x40
    AttemptVRootCreate = 0x80
    ForceCRL = 0x100
    UpdateCAObjectSvrType = 0x200
    ServerUpgraded = 0x400
    SecurityUpgradePending = 0x800
    PermissionsUpdatePending = 0x1000
    SecurityUpgraded = 0x2000
    ServerIsUpToDate = 0x4000


class EnrollmentAuthentication(Enum):
    """How a client proves itself to an enrollment web service (X509EnrollmentAuthFlags)."""

    NONE = "None"
    ANONYMOUS = "Anonymous"
    KERBEROS = "Kerberos"
    USER_NAME_AND_PASSWORD = "UserNameAndPassword"
    CLIENT_CERTIFICATE = "ClientCertificate"


@dataclass(frozen=True, slots=True)
class EnrollmentEndpoint:
    """One value of msPKI-Enrollment-Servers: a certificate enrollment web service."""

    PS_TYPE: ClassVar[str] = "SysadminsLV.PKI.Management.CertificateServices.PolicyEnrollEndpointUri"

    uri: str
    authentication: EnrollmentAuthentication
    priority: int
    renewal_only: bool
    key_based_renewal: bool


@dataclass(frozen=True, slots=True)
class CertificationAuthority:
    """One enterprise or standalone CA that the directory knows, in PSPKI's order; those after
    ``enrollment_endpoints`` are ours.

    ``name`` is the sanitized name, ``config_string`` ``host\\\\name``. ``operating_system``, ``registry_online`` and
    ``setup_status`` are None: the directory does not know them. ``is_accessible`` and ``service_status`` come with a
    reason when they are not a plain yes; None means that nobody looked. ``state`` is what the CA said itself, where it
    could be asked; then ``type``, ``is_enterprise`` and ``is_root`` are the CA's own words.
    """

    PS_TYPE: ClassVar[str] = "PKI.CertificateServices.CertificateAuthority"

    name: str
    display_name: str
    computer_name: str
    config_string: str
    distinguished_name: str | None
    type: str
    is_enterprise: bool
    is_root: bool | None
    operating_system: str | None
    is_accessible: bool | None
    registry_online: bool | None
    service_status: str
    setup_status: SetupStatus | None
    certificate: Certificate | None
    enrollment_endpoints: tuple[EnrollmentEndpoint, ...]
    flags: ServerFlags
    is_accessible_reason: Reason | None = None
    service_status_reason: Reason | None = None
    certificates: tuple[Certificate, ...] = ()
    templates: tuple[str, ...] = ()
    ca_rights: AccountRights | None = field(default=None, metadata={"name": "CARights"})
    undecodable: tuple[UndecodableValue, ...] = ()
    findings: tuple[Finding, ...] = ()
    state: CaState | None = None


@dataclass(frozen=True, slots=True)
class CATemplate:
    """The templates that a CA issues from; names that the directory has no template for are there too,
    ``is_missing`` set. ``is_modified`` is PSPKI's and always false: nothing is changed here. ``is_live`` says whether
    the CA's own list was read and compared (None: nobody asked), ``live_reason`` why not."""

    PS_TYPE: ClassVar[str] = "PKI.CertificateServices.CATemplate"

    name: str
    display_name: str
    computer_name: str
    templates: tuple[CertificateTemplate, ...]
    is_modified: bool
    config_string: str
    ca_rights: AccountRights | None = field(metadata={"name": "CARights"})
    missing_templates: tuple[str, ...]
    findings: tuple[Finding, ...]
    is_live: bool | None = None
    live_reason: Reason | None = None
