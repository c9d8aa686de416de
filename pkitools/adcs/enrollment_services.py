"""CAs as the directory knows them: pKIEnrollmentService objects to the model."""

from __future__ import annotations

from pkitools.adcs import names
from pkitools.adcs.rights import account_rights
from pkitools.adcs.templates import TemplateContext
from pkitools.errors import FormatError
from pkitools.models.ca import CertificationAuthority, EnrollmentAuthentication, EnrollmentEndpoint, ServerFlags
from pkitools.models.certificate import Certificate
from pkitools.models.directory import AccountRights
from pkitools.models.outcome import Reason
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import rdn_value, split_dn
from pkitools.protocol.ldap.messages import Entry
from pkitools.protocol.names import common_names
from pkitools.protocol.x509 import read_certificate, split_certificate

OBJECT_CLASS = "pKIEnrollmentService"
ATTRIBUTES = (
    "cn",
    "displayName",
    "dNSHostName",
    "flags",
    "cACertificate",
    "certificateTemplates",
    "msPKI-Enrollment-Servers",
    "nTSecurityDescriptor",
)

UNKNOWN = "Unknown"
UNDEFINED = "Undefined"
STATUS_REASON = Reason(
    "ServiceStatusNotRead",
    "the directory does not know the state of the service",
    "ask the CA itself: pkitools ping-ca",
)
_AUTHENTICATION = {
    0: EnrollmentAuthentication.NONE,
    1: EnrollmentAuthentication.ANONYMOUS,
    2: EnrollmentAuthentication.KERBEROS,
    4: EnrollmentAuthentication.USER_NAME_AND_PASSWORD,
    8: EnrollmentAuthentication.CLIENT_CERTIFICATE,
}


def read_service(entry: Entry, context: TemplateContext) -> CertificationAuthority:
    """One CA. Values that cannot be understood are left out and stand in ``undecodable``."""
    reader = AttributeReader(entry.attributes)
    name = reader.text("cn") or rdn_value((split_dn(entry.dn) or [""])[0])
    host = reader.text("dNSHostName") or ""
    certificates = _certificates(reader)
    certificate = current_certificate(certificates)
    flags = ServerFlags(reader.flags("flags") or 0)
    is_enterprise = ServerFlags.NO_TEMPLATE_SUPPORT not in flags
    is_root = certificate.self_issued if certificate else None
    own = account_rights(context.descriptor(reader), context.token)
    endpoints = _endpoints(reader)
    return CertificationAuthority(
        name=name,
        display_name=names.display_name(name, reader.text("displayName"), _subject_name(certificate)),
        computer_name=host,
        config_string=f"{host}\\{name}",
        distinguished_name=entry.dn,
        type=ca_type(is_enterprise, is_root),
        is_enterprise=is_enterprise,
        is_root=is_root,
        operating_system=None,
        is_accessible=None,
        registry_online=None,
        service_status=UNKNOWN,
        setup_status=None,
        certificate=certificate,
        enrollment_endpoints=endpoints,
        flags=flags,
        service_status_reason=STATUS_REASON,
        certificates=certificates,
        templates=reader.texts("certificateTemplates"),
        ca_rights=AccountRights(own.enroll, own.enroll),
        undecodable=tuple(reader.undecodable),
    )


def ca_type(is_enterprise: bool, is_root: bool | None) -> str:
    """PSPKI's text for ENUM_CATYPES; "Undefined" when no certificate tells root from subordinate."""
    if is_root is None:
        return UNDEFINED
    return f"{'Enterprise' if is_enterprise else 'Standalone'} {'Root' if is_root else 'Subordinate'} CA"


def current_certificate(certificates: tuple[Certificate, ...]) -> Certificate | None:
    """The newest of a CA's certificates: the one that began last."""
    dated = [(item.not_before, item) for item in certificates if item.not_before is not None]
    return max(dated, key=lambda pair: pair[0])[1] if dated else next(iter(certificates), None)


def _certificates(reader: AttributeReader) -> tuple[Certificate, ...]:
    found = []
    for value in reader.all_octets("cACertificate"):
        if value == b"\0":
            continue  # "none", as Active Directory writes a mandatory attribute
        try:
            found.append(read_certificate(value))
        except FormatError as error:
            reader.note("cACertificate", value, error.message)
    return tuple(found)


def _subject_name(certificate: Certificate | None) -> str | None:
    if certificate is None:
        return None
    try:
        return next(iter(common_names(split_certificate(certificate.raw_data).subject)), None)
    except FormatError:
        return None


def _endpoints(reader: AttributeReader) -> tuple[EnrollmentEndpoint, ...]:
    found = []
    for value in reader.texts("msPKI-Enrollment-Servers"):
        try:
            found.append(read_endpoint(value))
        except FormatError as error:
            reader.note("msPKI-Enrollment-Servers", value.encode("utf-8", "surrogatepass"), error.message)
    return tuple(found)


def read_endpoint(value: str) -> EnrollmentEndpoint:
    """Priority, authentication, renewal only, URI and perhaps key-based renewal, one per line. Raises FormatError."""
    lines = value.split("\n")
    if not 4 <= len(lines) <= 5:
        raise FormatError(f"an enrollment URI has 4 or 5 lines, here are {len(lines)}")
    numbers = []
    for line in (*lines[:3], *lines[4:]):
        if not (line.isascii() and line.isdecimal() and len(line) < 10):
            raise FormatError(f"not a number: {line!r}")
        numbers.append(int(line))
    if numbers[1] not in _AUTHENTICATION:
        raise FormatError(f"unknown authentication type {numbers[1]}")
    return EnrollmentEndpoint(
        uri=lines[3],
        authentication=_AUTHENTICATION[numbers[1]],
        priority=numbers[0],
        renewal_only=bool(numbers[2]),
        key_based_renewal=bool(numbers[3]) if len(numbers) == 4 else False,
    )
