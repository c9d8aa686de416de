"""What Always On VPN needs of a template: each role that a template is a candidate for, with what speaks against it.

A finding names the setting that it was read from. An error is what makes the connection fail, a warning what makes it
weak or keeps enrollment from working by itself, a note what an administrator decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pkitools.models.directory import AccessType, TemplateRight
from pkitools.models.outcome import Finding, Severity, finding
from pkitools.models.template import (
    CertificateTemplate,
    CertificateTemplateSettings,
    EnrollmentFlags,
    GeneralFlags,
    PrivateKeyFlags,
    SubjectNameFlags,
    SubjectType,
    VpnMark,
    VpnRole,
)
from pkitools.protocol.oid_names import ANY_EKU, CLIENT_AUTH, IKE_INTERMEDIATE, SERVER_AUTH

PLATFORM_PROVIDER = "Microsoft Platform Crypto Provider"
NAMES = SubjectNameFlags
_SUPPLIED = NAMES.ENROLLEE_SUPPLIES_SUBJECT | NAMES.ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME
_MIN_RSA_BITS = 2048

Check = Callable[[CertificateTemplate, CertificateTemplateSettings], list[Finding]]


def mark(template: CertificateTemplate) -> CertificateTemplate:
    """The template with its marks; one that is a candidate for nothing stays without."""
    settings = template.settings
    if settings is None:
        return template
    marks = []
    for role in roles_of(settings):
        findings = tuple(item for check in _CHECKS[role] for item in check(template, settings))
        marks.append(VpnMark(role, all(item.severity is not Severity.ERROR for item in findings), findings))
    return replace(template, always_on_vpn=tuple(marks))


def roles_of(settings: CertificateTemplateSettings) -> list[VpnRole]:
    """The roles that subject type and key usages make a template a candidate for."""
    roles = []
    for_user = settings.subject_type is SubjectType.USER
    if _has(settings, CLIENT_AUTH):
        if for_user:
            roles.append(VpnRole.USER_AUTHENTICATION)
        elif settings.subject_type is SubjectType.COMPUTER:
            roles.append(VpnRole.DEVICE_TUNNEL)
    if _names(settings, IKE_INTERMEDIATE):
        roles.append(VpnRole.VPN_SERVER)
    elif settings.subject_type is SubjectType.COMPUTER and _names(settings, SERVER_AUTH):
        roles.append(VpnRole.NPS_SERVER)
    return roles


def _names(settings: CertificateTemplateSettings, oid: str) -> bool:
    return any(usage.value == oid for usage in (*settings.enhanced_key_usage, *settings.application_policies))


def _has(settings: CertificateTemplateSettings, oid: str) -> bool:
    """Named, or covered by Any Purpose."""
    return _names(settings, oid) or _names(settings, ANY_EKU)


def _sid(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    """KB5014754: the CA writes the account's SID unless a flag forbids it or the request names the subject.

    A device tunnel with IKEv2 is not mapped to an account, so that there it is a warning only.
    """
    severity = Severity.ERROR if settings.subject_type is SubjectType.USER else Severity.WARNING
    next_step = "clear msPKI-Enrollment-Flag 0x80000 and build the subject from Active Directory, then reissue"
    tail = "strong mapping (KB5014754) refuses EAP-TLS with such certificates"
    if EnrollmentFlags.NO_SECURITY_EXTENSION in settings.enrollment_options:
        message = f"certificates carry no SID (CT_FLAG_NO_SECURITY_EXTENSION 0x80000): {tail}"
        return [finding(severity, "NoSecurityIdentifier", message, next_step)]
    if settings.subject_name & _SUPPLIED:
        message = f"the subject is supplied in the request, so the CA writes no SID: {tail}"
        return [finding(severity, "NoSecurityIdentifier", message, next_step)]
    return []


def _user_name(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if NAMES.SUBJECT_ALT_REQUIRE_UPN in settings.subject_name or settings.subject_name & _SUPPLIED:
        return []
    message = "the subject alternative name has no user principal name (CT_FLAG_SUBJECT_ALT_REQUIRE_UPN)"
    next_step = "tick User principal name (UPN) on the Subject Name tab"
    return [finding(Severity.WARNING, "NoUserPrincipalName", message, next_step)]


def _device_name(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    wanted = NAMES.SUBJECT_ALT_REQUIRE_DNS | NAMES.SUBJECT_REQUIRE_DNS_AS_CN
    if settings.subject_name & (wanted | _SUPPLIED):
        return []
    message = "neither the subject nor the alternative name holds the computer's DNS name"
    return [finding(Severity.WARNING, "NoDnsName", message, "tick DNS name on the Subject Name tab")]


def _key(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    providers = settings.cryptography.provider_list
    only_tpm = bool(providers) and all(PLATFORM_PROVIDER in provider for provider in providers)
    exportable = PrivateKeyFlags.EXPORTABLE_KEY in settings.cryptography.private_key_options
    found = []
    if exportable and not only_tpm:
        message = "the private key may be exported (CT_FLAG_EXPORTABLE_KEY): it can leave the device with its user"
        next_step = "untick Allow private key to be exported, or use the Microsoft Platform Crypto Provider alone"
        found.append(finding(Severity.WARNING, "KeyExportable", message, next_step))
    elif not only_tpm:
        message = "the key is not exportable, but not bound to the TPM either"
        found.append(finding(Severity.NOTE, "KeyNotInTpm", message, f"consider {PLATFORM_PROVIDER}"))
    bits = settings.cryptography.minimal_key_length
    if settings.cryptography.key_algorithm.friendly_name == "RSA" and bits is not None and bits < _MIN_RSA_BITS:
        message = f"RSA keys of {bits} bits are allowed"
        found.append(
            finding(Severity.WARNING, "KeyTooShort", message, f"raise the minimum key size to {_MIN_RSA_BITS}")
        )
    return found


def _autoenrollment(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if (template.schema_version or 1) < 2:
        message = "a schema version 1 template cannot be autoenrolled"
        next_step = "duplicate it, and let the copy supersede it"
        return [finding(Severity.WARNING, "NoAutoenrollment", message, next_step)]
    if not template.autoenrollment_allowed:
        message = "autoenrollment is off (CT_FLAG_AUTO_ENROLLMENT)"
        next_step = "grant Autoenroll to the group on the Security tab, and let Group Policy enroll"
        return [finding(Severity.WARNING, "NoAutoenrollment", message, next_step)]
    groups = autoenrolling(template)
    if not groups and (apart := _granted_apart(template)):
        return [
            finding(Severity.NOTE, "Autoenrollment", apart, "check that the accounts that shall connect are in both")
        ]
    if not groups:
        message = "autoenrollment is on, but no one has both Enroll and Autoenroll"
        next_step = "grant Read, Enroll and Autoenroll to the group that shall connect"
        return [finding(Severity.WARNING, "NobodyAutoenrolls", message, next_step)]
    text = f"autoenrollment is granted to {', '.join(groups)}"
    return [finding(Severity.NOTE, "Autoenrollment", text, "check that this is the group that shall connect")]


def autoenrolling(template: CertificateTemplate) -> list[str]:
    """The principals that the access list grants both Enroll and Autoenroll, and refuses neither."""
    return _granted(template, TemplateRight.ENROLL | TemplateRight.AUTOENROLL)


def _granted_apart(template: CertificateTemplate) -> str:
    """What to say when the two rights are granted to different principals; empty when one is granted to none."""
    enroll, auto = _granted(template, TemplateRight.ENROLL), _granted(template, TemplateRight.AUTOENROLL)
    if not enroll or not auto:
        return ""
    return f"Enroll is granted to {', '.join(enroll)}, Autoenroll to {', '.join(auto)}: only who is in both autoenrolls"


def _granted(template: CertificateTemplate, wanted: TemplateRight) -> list[str]:
    """The principals that the access list grants all of these rights, and refuses none."""
    denied = {rule.sid for rule in template.access if rule.access_type is AccessType.DENY and rule.rights & wanted}
    return [
        rule.identity
        for rule in template.access
        if rule.access_type is AccessType.ALLOW and rule.rights & wanted == wanted and rule.sid not in denied
    ]


def _by_itself(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    found = []
    if settings.ca_manager_approval:
        message = "each request waits for a CA manager (CT_FLAG_PEND_ALL_REQUESTS)"
        found.append(finding(Severity.WARNING, "ManagerApproval", message, "untick CA certificate manager approval"))
    if settings.registration_authority.signature_count > 0:
        message = f"each request needs {settings.registration_authority.signature_count} authorized signature(s)"
        found.append(finding(Severity.WARNING, "SignaturesRequired", message, "set the number of signatures to 0"))
    return found


def _published(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if template.published_by:
        return []
    message = "no enterprise CA publishes the template"
    next_step = "add it to a CA: Certificate Templates, New, Certificate Template to Issue"
    return [finding(Severity.WARNING, "NotPublished", message, next_step, code="CERTSRV_E_UNSUPPORTED_CERT_TYPE")]


def _server_usages(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if _names(settings, SERVER_AUTH):
        return []
    message = "Server Authentication (1.3.6.1.5.5.7.3.1) is missing beside IP security IKE intermediate"
    next_step = "add it to the application policies"
    return [finding(Severity.ERROR, "NoServerAuthentication", message, next_step, code="CERT_E_WRONG_USAGE")]


def _server_name(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if settings.subject_name & _SUPPLIED:
        return []
    if settings.subject_name & (NAMES.SUBJECT_ALT_REQUIRE_DNS | NAMES.SUBJECT_REQUIRE_DNS_AS_CN):
        message = "the name is the computer's DNS name in Active Directory: clients must connect to just that name"
        return [finding(Severity.NOTE, "DnsNameFromDirectory", message, "let the request supply the public name")]
    message = "certificates hold no DNS name: no client accepts the server"
    next_step = "let the request supply the subject, with the public name in the alternative name"
    return [finding(Severity.ERROR, "NoServerName", message, next_step, code="CERT_E_CN_NO_MATCH")]


def _nps_name(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    """NPS offers a certificate only when its subject is not empty."""
    parts = NAMES.SUBJECT_REQUIRE_COMMON_NAME | NAMES.SUBJECT_REQUIRE_DNS_AS_CN | NAMES.SUBJECT_REQUIRE_DIRECTORY_PATH
    if settings.subject_name & (parts | _SUPPLIED):
        return []
    message = "the subject stays empty: NPS does not offer such a certificate for PEAP and EAP-TLS"
    return [finding(Severity.ERROR, "EmptySubject", message, "set the subject name format to Common name or DNS name")]


def _not_a_ca(template: CertificateTemplate, settings: CertificateTemplateSettings) -> list[Finding]:
    if not settings.general_flags & (GeneralFlags.IS_CA | GeneralFlags.IS_CROSS_CA):
        return []
    return [finding(Severity.ERROR, "IsCA", "the template makes CA certificates", "use a template for computers")]


_CHECKS: dict[VpnRole, tuple[Check, ...]] = {
    VpnRole.USER_AUTHENTICATION: (_sid, _user_name, _key, _autoenrollment, _by_itself, _published),
    VpnRole.DEVICE_TUNNEL: (_sid, _device_name, _key, _autoenrollment, _by_itself, _published),
    VpnRole.VPN_SERVER: (_server_usages, _server_name, _not_a_ca, _published),
    VpnRole.NPS_SERVER: (_nps_name, _by_itself, _published),
}
