"""Certificate templates: from the attributes of a pKICertificateTemplate object to the model (MS-CRTD 2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.rights import Token, access_rules, account_rights
from pkitools.adcs.template_settings import read_settings
from pkitools.models.directory import AccountRights
from pkitools.models.template import (
    CertificateTemplate,
    EnrollmentFlags,
    PrivateKeyFlags,
    PublishingCA,
)
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import rdn_value, split_dn
from pkitools.protocol.ldap.security_descriptor import SecurityDescriptor

OBJECT_CLASS = "pKICertificateTemplate"
ATTRIBUTES = (
    "cn",
    "displayName",
    "flags",
    "revision",
    "whenChanged",
    "nTSecurityDescriptor",
    "pKIDefaultCSPs",
    "pKIDefaultKeySpec",
    "pKICriticalExtensions",
    "pKIExpirationPeriod",
    "pKIExtendedKeyUsage",
    "pKIKeyUsage",
    "pKIMaxIssuingDepth",
    "pKIOverlapPeriod",
    "msPKI-Cert-Template-OID",
    "msPKI-Certificate-Application-Policy",
    "msPKI-Certificate-Name-Flag",
    "msPKI-Certificate-Policy",
    "msPKI-Enrollment-Flag",
    "msPKI-Minimal-Key-Size",
    "msPKI-Private-Key-Flag",
    "msPKI-RA-Application-Policies",
    "msPKI-RA-Policies",
    "msPKI-RA-Signature",
    "msPKI-Supersede-Templates",
    "msPKI-Template-Minor-Revision",
    "msPKI-Template-Schema-Version",
)
"""What is read of a template: all that the model shows, and no more."""

# MS-CRTD 2.27, MS-WCCE 3.2.2.6.2.1.4.5.7 and 3.1.2.4.2.2.2.8
_CA_BY_FIELD = {
    1: "Windows Server 2003",
    2: "Windows Server 2008",
    3: "Windows Server 2008 R2",
    4: "Windows Server 2012",
    5: "Windows Server 2012 R2",
    6: "Windows Server 2016",
}
_CA_BY_SCHEMA = {
    1: "Windows 2000 Server",
    2: "Windows Server 2003 Enterprise Edition",
    3: "Windows Server 2008 Enterprise Edition",
    4: "Windows Server 2012",
}
_CLIENT_BY_FIELD = {
    1: "Windows XP",
    2: "Windows Vista",
    3: "Windows 7",
    4: "Windows 8",
    5: "Windows 8.1",
    6: "Windows 10",
}
_CLIENT_BY_SCHEMA = {1: "Windows 2000", 2: "Windows XP", 3: "Windows Vista", 4: "Windows 8"}
_VERSION_FIELDS = 0x0F0F0000


@dataclass(slots=True)
class TemplateContext:
    """What a template's record needs beside the template: names of OIDs and SIDs, the account, the publishing CAs.

    ``publishers`` maps a template's name in lower case to the CAs that issue from it.
    """

    oids: OidDirectory
    name_of: Callable[[str], str] = str
    token: Token | None = None
    publishers: Mapping[str, tuple[PublishingCA, ...]] = field(default_factory=dict)
    descriptors: dict[bytes, SecurityDescriptor] = field(default_factory=dict)

    def descriptor(self, reader: AttributeReader) -> SecurityDescriptor | None:
        """The object's security descriptor, parsed once for all objects with the same one; None: not readable."""
        raw = reader.octets("nTSecurityDescriptor")
        if raw is None:
            return None
        known = self.descriptors.get(raw)
        if known is None:
            known = reader.converted("nTSecurityDescriptor", SecurityDescriptor.unpack)
            if known is not None:
                self.descriptors[raw] = known
        return known


def read_template(dn: str, attributes: Mapping[str, Iterable[bytes]], context: TemplateContext) -> CertificateTemplate:
    """One template. Values that cannot be understood are left out and stand in ``undecodable``."""
    reader = AttributeReader({name: tuple(values) for name, values in attributes.items()})
    name = reader.text("cn") or rdn_value(split_dn(dn)[0] if split_dn(dn) else dn)
    schema = reader.int32("msPKI-Template-Schema-Version") if reader.has("msPKI-Template-Schema-Version") else 1
    enrollment = EnrollmentFlags(reader.flags("msPKI-Enrollment-Flag") or 0)
    key_bits = reader.flags("msPKI-Private-Key-Flag") or 0
    private_key = PrivateKeyFlags(key_bits & ~_VERSION_FIELDS)
    oid = reader.text("msPKI-Cert-Template-OID")
    display_name = reader.text("displayName") or name
    settings = read_settings(
        reader, context.oids, schema_version=schema or 1, enrollment=enrollment, private_key=private_key
    )
    descriptor = context.descriptor(reader)
    publishers = context.publishers.get(name.casefold(), ())
    own = account_rights(descriptor, context.token)
    ca_half = _ca_half(publishers)
    return CertificateTemplate(
        name=name,
        display_name=display_name,
        version=_version(reader),
        schema_version=schema,
        autoenrollment_allowed=(schema or 0) > 1 and EnrollmentFlags.AUTO_ENROLLMENT in enrollment,
        oid=context.oids.template(oid, display_name) if oid else None,
        last_write_time=reader.time("whenChanged"),
        distinguished_name=dn,
        supported_ca=_supported(key_bits >> 16 & 0xF, schema, _CA_BY_FIELD, _CA_BY_SCHEMA),
        supported_client=_supported(key_bits >> 24 & 0xF, schema, _CLIENT_BY_FIELD, _CLIENT_BY_SCHEMA),
        settings=settings,
        can_enroll=_both(own.enroll, ca_half.enroll),
        can_autoenroll=_both(_both(own.enroll, own.autoenroll), ca_half.enroll),
        template_rights=own,
        ca_rights=ca_half,
        published_by=publishers,
        access=access_rules(descriptor, context.name_of) if descriptor else (),
        undecodable=tuple(reader.undecodable),
    )


def at_ca(template: CertificateTemplate, ca_rights: AccountRights) -> CertificateTemplate:
    """The template as one CA issues it: what the account may do there."""
    own = template.template_rights or AccountRights(None, None)
    enroll = _both(own.enroll, ca_rights.enroll)
    return replace(template, ca_rights=ca_rights, can_enroll=enroll, can_autoenroll=_both(enroll, own.autoenroll))


def missing_template(name: str) -> CertificateTemplate:
    """The record of a name that a CA publishes and no template has."""
    return CertificateTemplate(
        name=name,
        display_name=name,
        version=None,
        schema_version=None,
        autoenrollment_allowed=False,
        oid=None,
        last_write_time=None,
        distinguished_name=None,
        supported_ca=None,
        supported_client=None,
        settings=None,
        can_enroll=None,
        can_autoenroll=None,
        template_rights=None,
        ca_rights=None,
        published_by=(),
        access=(),
        is_missing=True,
    )


def _version(reader: AttributeReader) -> str | None:
    major = reader.int32("revision")
    minor = reader.int32("msPKI-Template-Minor-Revision")
    return None if major is None else f"{major}.{minor or 0}"


def _supported(number: int, schema: int | None, by_field: dict[int, str], by_schema: dict[int, str]) -> str:
    return by_field.get(number, "Unknown") if number else by_schema.get(schema or 0, "Unknown")


def _ca_half(publishers: tuple[PublishingCA, ...]) -> AccountRights:
    """Whether one of the CAs lets the account request at all; a CA has no right of its own for autoenrollment."""
    answers = {publisher.enroll for publisher in publishers}
    enroll = True if True in answers else None if None in answers else False
    return AccountRights(enroll, enroll)


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True
