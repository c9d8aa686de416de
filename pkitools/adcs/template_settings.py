"""The settings of a template: periods, purposes, cryptography, issuance requirements (MS-CRTD 2)."""

from __future__ import annotations

from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.triplets import (
    ASYMMETRIC_ALGORITHM,
    HASH_ALGORITHM,
    KEY_SECURITY_DESCRIPTOR,
    KEY_USAGE,
    RA_APPLICATION_POLICIES,
    SYMMETRIC_ALGORITHM,
    SYMMETRIC_KEY_LENGTH,
    PolicyAttribute,
    read_policy_attribute,
    uses_triplets,
)
from pkitools.errors import FormatError
from pkitools.models.certificate import Oid
from pkitools.models.template import (
    CertificateTemplateSettings,
    CngKeyUsages,
    CryptographySettings,
    EnrollmentFlags,
    GeneralFlags,
    IssuanceRequirements,
    KeyArchivalOptions,
    KeySpec,
    KeyUsageFlags,
    PrivateKeyFlags,
    Purpose,
    SubjectNameFlags,
    SubjectType,
    TemplateExtension,
)
from pkitools.protocol.ldap.attributes import AttributeReader, decode_int32
from pkitools.protocol.ldap.periods import period_text

KU = KeyUsageFlags
EF = EnrollmentFlags
PK = PrivateKeyFlags

# CNG algorithm names (BCRYPT_…_ALGORITHM) as the templates hold them
_ALGORITHMS = {
    "RSA": "1.2.840.113549.1.1.1",
    "DSA": "1.2.840.10040.4.1",
    "DH": "1.2.840.10046.2.1",
    "ECDSA_P256": "1.2.840.10045.3.1.7",
    "ECDSA_P384": "1.3.132.0.34",
    "ECDSA_P521": "1.3.132.0.35",
    "ECDH_P256": "1.2.840.10045.3.1.7",
    "ECDH_P384": "1.3.132.0.34",
    "ECDH_P521": "1.3.132.0.35",
    "MD5": "1.2.840.113549.2.5",
    "SHA1": "1.3.14.3.2.26",
    "SHA256": "2.16.840.1.101.3.4.2.1",
    "SHA384": "2.16.840.1.101.3.4.2.2",
    "SHA512": "2.16.840.1.101.3.4.2.3",
    "DES": "1.3.14.3.2.7",
    "3DES": "1.2.840.113549.3.7",
    "RC2": "1.2.840.113549.3.2",
    "RC4": "1.2.840.113549.3.4",
}
_AES = {128: "2.16.840.1.101.3.4.1.2", 192: "2.16.840.1.101.3.4.1.22", 256: "2.16.840.1.101.3.4.1.42"}
_DEFAULT_ARCHIVAL = ("3DES", 168)


def read_settings(
    reader: AttributeReader,
    oids: OidDirectory,
    *,
    schema_version: int,
    enrollment: EnrollmentFlags,
    private_key: PrivateKeyFlags,
) -> CertificateTemplateSettings:
    """The settings; what cannot be understood is noted in ``reader``."""
    general = GeneralFlags(reader.flags("flags") or 0)
    policy = _policy_attribute(reader, uses_triplets(schema_version, private_key))
    cryptography = _cryptography(reader, policy, private_key)
    subject_type = _subject_type(general)
    validity, renewal = reader.period_hours("pKIExpirationPeriod"), reader.period_hours("pKIOverlapPeriod")
    usages = _oids(reader, "pKIExtendedKeyUsage", oids)
    policies = _oids(reader, "msPKI-Certificate-Policy", oids)
    critical = reader.texts("pKICriticalExtensions")
    extensions = _extension_oids(schema_version, enrollment, subject_type, bool(usages), bool(policies))
    return CertificateTemplateSettings(
        validity_period=None if validity is None else period_text(validity),
        renewal_period=None if renewal is None else period_text(renewal),
        subject_type=subject_type,
        subject_name=SubjectNameFlags(reader.flags("msPKI-Certificate-Name-Flag") or 0),
        enhanced_key_usage=usages,
        certificate_policies=policies,
        purpose=_purpose(cryptography, enrollment, private_key),
        cryptography=cryptography,
        extensions=tuple(TemplateExtension(oids.named(oid), oid in critical) for oid in extensions),
        superseded_templates=reader.texts("msPKI-Supersede-Templates"),
        ca_manager_approval=EF.PEND_ALL_REQUESTS in enrollment,
        registration_authority=_requirements(reader, oids, policy, enrollment),
        critical_extensions=tuple(oids.named(oid) for oid in critical),
        key_archival_settings=_archival(policy, private_key),
        enrollment_options=enrollment,
        general_flags=general,
        application_policies=_oids(reader, "msPKI-Certificate-Application-Policy", oids),
        path_length_constraint=reader.int32("pKIMaxIssuingDepth"),
        validity_hours=validity,
        renewal_hours=renewal,
    )


def _oids(reader: AttributeReader, attribute: str, oids: OidDirectory) -> tuple[Oid, ...]:
    return tuple(oids.named(oid) for oid in reader.texts(attribute))


def _policy_attribute(reader: AttributeReader, triplets: bool) -> PolicyAttribute:
    try:
        return read_policy_attribute(reader.texts(RA_APPLICATION_POLICIES), triplets=triplets)
    except FormatError as error:
        for value in reader.all_octets(RA_APPLICATION_POLICIES):
            reader.note(RA_APPLICATION_POLICIES, value, error.message)
        return PolicyAttribute()


def _subject_type(flags: GeneralFlags) -> SubjectType:
    if GeneralFlags.IS_CA in flags:
        return SubjectType.CA
    if GeneralFlags.MACHINE_TYPE in flags:
        return SubjectType.COMPUTER
    return SubjectType.CROSS_CA if GeneralFlags.IS_CROSS_CA in flags else SubjectType.USER


def _cryptography(
    reader: AttributeReader, policy: PolicyAttribute, private_key: PrivateKeyFlags
) -> CryptographySettings:
    cng = policy.number(KEY_USAGE)
    return CryptographySettings(
        provider_list=_providers(reader),
        key_algorithm=_algorithm(policy.text(ASYMMETRIC_ALGORITHM) or "RSA"),
        hash_algorithm=_algorithm(policy.text(HASH_ALGORITHM) or "SHA1"),
        minimal_key_length=reader.int32("msPKI-Minimal-Key-Size"),
        private_key_options=private_key,
        key_spec=reader.converted("pKIDefaultKeySpec", _key_spec),
        key_usage=reader.converted("pKIKeyUsage", _key_usage) or KeyUsageFlags(0),
        cng_key_usage=None if cng is None else CngKeyUsages(cng),
        private_key_security_sddl=policy.text(KEY_SECURITY_DESCRIPTOR),
    )


def _providers(reader: AttributeReader) -> tuple[str, ...]:
    """``2,Name`` in the order of the numbers (MS-CRTD 2.6); a value without a number keeps its place at the end."""
    ranked: list[tuple[int, int, str]] = []
    for index, value in enumerate(reader.texts("pKIDefaultCSPs")):
        number, comma, provider = value.partition(",")
        if comma and number.strip().isdecimal() and len(number) < 12:
            ranked.append((int(number), index, provider))
        else:
            reader.note(
                "pKIDefaultCSPs", value.encode("utf-8", "surrogatepass"), "not a number, a comma and a provider"
            )
            ranked.append((1 << 40, index, value))
    return tuple(provider for _, _, provider in sorted(ranked))


def _algorithm(name: str, bits: int = 0) -> Oid:
    return Oid(_AES.get(bits, "") if name.upper() == "AES" else _ALGORITHMS.get(name.upper(), ""), name)


def _key_spec(value: bytes) -> KeySpec:
    number = decode_int32(value)
    try:
        return KeySpec(number)
    except ValueError as error:
        raise FormatError("neither AT_KEYEXCHANGE nor AT_SIGNATURE") from error


def _key_usage(value: bytes) -> KeyUsageFlags:
    if not 1 <= len(value) <= 2:
        raise FormatError("a key usage has 1 or 2 octets")
    return KeyUsageFlags(int.from_bytes(value, "little"))


def _purpose(crypto: CryptographySettings, enrollment: EnrollmentFlags, private_key: PrivateKeyFlags) -> Purpose:
    usage = crypto.key_usage
    plain = EF.INCLUDE_SYMMETRIC_ALGORITHMS not in enrollment and PK.REQUIRE_PRIVATE_KEY_ARCHIVAL not in private_key
    keeps_old = EF.REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE not in enrollment
    asks_user = EF.USER_INTERACTION_REQUIRED in enrollment or PK.STRONG_KEY_PROTECTION_REQUIRED in private_key
    if usage == KU.DigitalSignature and crypto.key_spec is KeySpec.AT_KEYEXCHANGE and keeps_old and plain and asks_user:
        return Purpose.SIGNATURE_AND_SMART_CARD_LOGON
    if keeps_old and not usage & (KU.DigitalSignature | KU.NonRepudiation | KU.CrlSign | KU.KeyCertSign):
        return Purpose.ENCRYPTION
    encrypting = KU.KeyAgreement | KU.KeyEncipherment | KU.DataEncipherment | KU.DecipherOnly
    if plain and crypto.key_spec is KeySpec.AT_SIGNATURE and not usage & (KU.CrlSign | KU.KeyCertSign | encrypting):
        return Purpose.SIGNATURE
    return Purpose.ENCRYPTION_AND_SIGNATURE


def _requirements(
    reader: AttributeReader, oids: OidDirectory, policy: PolicyAttribute, enrollment: EnrollmentFlags
) -> IssuanceRequirements:
    count = reader.int32("msPKI-RA-Signature") or 0
    policies = tuple(oids.named(oid) for oid in policy.application_policies)
    return IssuanceRequirements(
        ca_manager_approval=EF.PEND_ALL_REQUESTS in enrollment,
        signature_count=count,
        application_policy=policies[0] if policies and count > 0 else None,
        certificate_policies=_oids(reader, "msPKI-RA-Policies", oids) if count > 0 else (),
        existing_cert_for_renewal=EF.PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT in enrollment,
        application_policies=policies,
    )


def _archival(policy: PolicyAttribute, private_key: PrivateKeyFlags) -> KeyArchivalOptions:
    name, bits = _DEFAULT_ARCHIVAL
    archived = PK.REQUIRE_PRIVATE_KEY_ARCHIVAL in private_key
    if archived:
        name = policy.text(SYMMETRIC_ALGORITHM) or name
        bits = policy.number(SYMMETRIC_KEY_LENGTH) or bits
    return KeyArchivalOptions(archived, _algorithm(name, bits), bits)


def _extension_oids(
    schema_version: int, enrollment: EnrollmentFlags, subject_type: SubjectType, usages: bool, policies: bool
) -> list[str]:
    """What the template itself puts into certificates; the CA adds its own (key identifiers, CDP, AIA, SID)."""
    found = ["2.5.29.15"]
    if usages:
        found += ["2.5.29.37", "1.3.6.1.4.1.311.21.10"]
    if policies:
        found.append("2.5.29.32")
    found.append("1.3.6.1.4.1.311.20.2" if schema_version == 1 else "1.3.6.1.4.1.311.21.7")
    if (
        subject_type in {SubjectType.CA, SubjectType.CROSS_CA}
        or EF.INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS in enrollment
    ):
        found.append("2.5.29.19")
    if EF.ADD_OCSP_NOCHECK in enrollment:
        found.append("1.3.6.1.5.5.7.48.1.5")
    return found
