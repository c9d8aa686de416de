"""Certificate templates as Get-CertificateTemplate shows them, and the flags in them (MS-CRTD 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import KEEP, Enum, Flag
from typing import ClassVar

from pkitools.models.certificate import Oid
from pkitools.models.directory import AccessRule, AccountRights, UndecodableValue
from pkitools.models.outcome import Finding


class GeneralFlags(Flag, boundary=KEEP):
    """Attribute flags, MS-CRTD 2.4 (CT_FLAG_…)."""

    ENROLLEE_SUPPLIES_SUBJECT = 0x1
    ADD_EMAIL = 0x2
    ADD_OBJ_GUID = 0x4
    PUBLISH_TO_DS = 0x8
    EXPORTABLE_KEY = 0x10
    AUTO_ENROLLMENT = 0x20
    MACHINE_TYPE = 0x40
    IS_CA = 0x80
    ADD_DIRECTORY_PATH = 0x100
    ADD_TEMPLATE_NAME = 0x200
    ADD_SUBJECT_DIRECTORY_PATH = 0x400
    IS_CROSS_CA = 0x800
    DONOTPERSISTINDB = 0x1000
    IS_DEFAULT = 0x10000
    IS_MODIFIED = 0x20000
    IS_DELETED = 0x40000
    POLICY_MISMATCH = 0x80000


class EnrollmentFlags(Flag, boundary=KEEP):
    """Attribute msPKI-Enrollment-Flag, MS-CRTD 2.26 (CT_FLAG_…)."""

    INCLUDE_SYMMETRIC_ALGORITHMS = 0x1
    PEND_ALL_REQUESTS = 0x2
    PUBLISH_TO_KRA_CONTAINER = 0x4
    PUBLISH_TO_DS = 0x8
    AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE = 0x10
    AUTO_ENROLLMENT = 0x20
    PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT = 0x40
    DOMAIN_AUTHENTICATION_NOT_REQUIRED = 0x80
    USER_INTERACTION_REQUIRED = 0x100
    ADD_TEMPLATE_NAME = 0x200
    REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE = 0x400
    ALLOW_ENROLL_ON_BEHALF_OF = 0x800
    ADD_OCSP_NOCHECK = 0x1000
    ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL = 0x2000
    NOREVOCATIONINFOINISSUEDCERTS = 0x4000
    INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS = 0x8000
    ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT = 0x10000
    ISSUANCE_POLICIES_FROM_REQUEST = 0x20000
    SKIP_AUTO_RENEWAL = 0x40000
    NO_SECURITY_EXTENSION = 0x80000


class PrivateKeyFlags(Flag, boundary=KEEP):
    """Attribute msPKI-Private-Key-Flag, MS-CRTD 2.27 (CT_FLAG_…), without the two version fields in it."""

    REQUIRE_PRIVATE_KEY_ARCHIVAL = 0x1
    EXPORTABLE_KEY = 0x10
    STRONG_KEY_PROTECTION_REQUIRED = 0x20
    REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM = 0x40
    REQUIRE_SAME_KEY_RENEWAL = 0x80
    USE_LEGACY_PROVIDER = 0x100
    EK_TRUST_ON_USE = 0x200
    EK_VALIDATE_CERT = 0x400
    EK_VALIDATE_KEY = 0x800
    ATTEST_PREFERRED = 0x1000
    ATTEST_REQUIRED = 0x2000
    ATTESTATION_WITHOUT_POLICY = 0x4000
    HELLO_KSP_KEY = 0x100000
    HELLO_LOGON_KEY = 0x200000


class SubjectNameFlags(Flag, boundary=KEEP):
    """Attribute msPKI-Certificate-Name-Flag, MS-CRTD 2.28 (CT_FLAG_…)."""

    ENROLLEE_SUPPLIES_SUBJECT = 0x1
    OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME = 0x8
    ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME = 0x10000
    SUBJECT_ALT_REQUIRE_DOMAIN_DNS = 0x400000
    SUBJECT_ALT_REQUIRE_SPN = 0x800000
    SUBJECT_ALT_REQUIRE_DIRECTORY_GUID = 0x1000000
    SUBJECT_ALT_REQUIRE_UPN = 0x2000000
    SUBJECT_ALT_REQUIRE_EMAIL = 0x4000000
    SUBJECT_ALT_REQUIRE_DNS = 0x8000000
    SUBJECT_REQUIRE_DNS_AS_CN = 0x10000000
    SUBJECT_REQUIRE_EMAIL = 0x20000000
    SUBJECT_REQUIRE_COMMON_NAME = 0x40000000
    SUBJECT_REQUIRE_DIRECTORY_PATH = 0x80000000


class KeyUsageFlags(Flag, boundary=KEEP):
    """The key usage extension as .NET's X509KeyUsageFlags; pKIKeyUsage has the same bits, low byte first."""

    EncipherOnly = 0x1
    CrlSign = 0x2
    KeyCertSign = 0x4
    KeyAgreement = 0x8
    DataEncipherment = 0x10
    KeyEncipherment = 0x20
    NonRepudiation = 0x40
    DigitalSignature = 0x80
    DecipherOnly = 0x8000


class CngKeyUsages(Flag, boundary=KEEP):
    """What a CNG key may do: NCRYPT_ALLOW_…, msPKI-Key-Usage in the triplets (MS-CRTD 2.23.2)."""

    DECRYPT = 0x1
    SIGN = 0x2
    KEY_AGREEMENT = 0x4
    ALL_USAGES = 0xFFFFFF


class KeySpec(Enum):
    """Attribute pKIDefaultKeySpec, MS-CRTD 2.7."""

    AT_NONE = 0
    AT_KEYEXCHANGE = 1
    AT_SIGNATURE = 2


class SubjectType(Enum):
    """Whom the certificate is for."""

    COMPUTER = "Computer"
    USER = "User"
    CA = "CA"
    CROSS_CA = "CrossCA"


class Purpose(Enum):
    """The "Purpose" of the template's Request Handling tab."""

    ENCRYPTION = "Encryption"
    SIGNATURE = "Signature"
    ENCRYPTION_AND_SIGNATURE = "EncryptionAndSignature"
    SIGNATURE_AND_SMART_CARD_LOGON = "SignatureAndSmartCardLogon"


@dataclass(frozen=True, slots=True)
class CryptographySettings:
    """What key the client makes. ``minimal_key_length`` in bits; ``provider_list`` in the template's order."""

    PS_TYPE: ClassVar[str] = "PKI.CertificateTemplates.CryptographyTemplateSettings"

    provider_list: tuple[str, ...]
    key_algorithm: Oid
    hash_algorithm: Oid
    minimal_key_length: int | None
    private_key_options: PrivateKeyFlags
    key_spec: KeySpec | None
    key_usage: KeyUsageFlags
    cng_key_usage: CngKeyUsages | None = field(metadata={"name": "CNGKeyUsage"})
    private_key_security_sddl: str | None = field(metadata={"name": "PrivateKeySecuritySDDL"})


@dataclass(frozen=True, slots=True)
class IssuanceRequirements:
    """What a request needs beside the right to enroll. ``application_policy`` is the first of
    ``application_policies``: PSPKI knows one only."""

    PS_TYPE: ClassVar[str] = "PKI.CertificateTemplates.IssuanceRequirements"

    ca_manager_approval: bool = field(metadata={"name": "CAManagerApproval"})
    signature_count: int
    application_policy: Oid | None
    certificate_policies: tuple[Oid, ...]
    existing_cert_for_renewal: bool
    application_policies: tuple[Oid, ...]


@dataclass(frozen=True, slots=True)
class KeyArchivalOptions:
    """Whether the CA keeps a copy of the private key, and how that travels. ``key_length`` in bits."""

    PS_TYPE: ClassVar[str] = "PKI.CertificateTemplates.KeyArchivalOptions"

    key_archival: bool
    encryption_algorithm: Oid
    key_length: int


@dataclass(frozen=True, slots=True)
class TemplateExtension:
    """An extension that certificates of the template carry."""

    PS_TYPE: ClassVar[str] = "PkiTools.TemplateExtension"

    oid: Oid
    critical: bool


@dataclass(frozen=True, slots=True)
class CertificateTemplateSettings:
    """The settings of a template, in PSPKI's order; those after ``general_flags`` are ours.

    Periods are PSPKI's wording; ``validity_hours`` and ``renewal_hours`` are the same in whole hours (None when the
    attribute is absent or not a period).
    """

    PS_TYPE: ClassVar[str] = "PKI.CertificateTemplates.CertificateTemplateSettings"

    validity_period: str | None
    renewal_period: str | None
    subject_type: SubjectType
    subject_name: SubjectNameFlags
    enhanced_key_usage: tuple[Oid, ...]
    certificate_policies: tuple[Oid, ...]
    purpose: Purpose
    cryptography: CryptographySettings
    extensions: tuple[TemplateExtension, ...]
    superseded_templates: tuple[str, ...]
    ca_manager_approval: bool = field(metadata={"name": "CAManagerApproval"})
    registration_authority: IssuanceRequirements
    critical_extensions: tuple[Oid, ...]
    key_archival_settings: KeyArchivalOptions
    enrollment_options: EnrollmentFlags
    general_flags: GeneralFlags
    application_policies: tuple[Oid, ...]
    path_length_constraint: int | None
    validity_hours: int | None
    renewal_hours: int | None


@dataclass(frozen=True, slots=True)
class PublishingCA:
    """An enterprise CA that issues from a template, and whether the account in use may request there at all."""

    PS_TYPE: ClassVar[str] = "PkiTools.PublishingCA"

    config_string: str
    enroll: bool | None


class VpnRole(Enum):
    """What Always On VPN uses a certificate for."""

    USER_AUTHENTICATION = "UserAuthentication"
    DEVICE_TUNNEL = "DeviceTunnel"
    VPN_SERVER = "VpnServer"
    NPS_SERVER = "NpsServer"


@dataclass(frozen=True, slots=True)
class VpnMark:
    """A role in Always On VPN that a template is a candidate for; unsuitable when a finding of it is an error."""

    PS_TYPE: ClassVar[str] = "PkiTools.VpnMark"

    role: VpnRole
    is_suitable: bool
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class CertificateTemplate:
    """One certificate template of the forest.

    ``can_enroll`` and ``can_autoenroll`` are the rights of the account in use alone, on the template and on a CA that
    publishes it together (None: its groups are not known); whether autoenrollment is switched on is
    ``autoenrollment_allowed``. ``is_missing``: a CA publishes the name, and the directory has no such template; then
    all else is None or empty.
    """

    PS_TYPE: ClassVar[str] = "PKI.CertificateTemplates.CertificateTemplate"

    name: str
    display_name: str
    version: str | None
    schema_version: int | None
    autoenrollment_allowed: bool
    oid: Oid | None = field(metadata={"name": "OID"})
    last_write_time: datetime | None
    distinguished_name: str | None
    supported_ca: str | None = field(metadata={"name": "SupportedCA"})
    supported_client: str | None
    settings: CertificateTemplateSettings | None
    can_enroll: bool | None
    can_autoenroll: bool | None
    template_rights: AccountRights | None
    ca_rights: AccountRights | None = field(metadata={"name": "CARights"})
    published_by: tuple[PublishingCA, ...]
    access: tuple[AccessRule, ...]
    is_missing: bool = False
    undecodable: tuple[UndecodableValue, ...] = ()
    always_on_vpn: tuple[VpnMark, ...] = ()
