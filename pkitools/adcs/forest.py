"""One reading of a forest's Public Key Services: templates, CAs, OIDs and names, in two searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pkitools.adcs import enrollment_services, oid_directory, principals, templates
from pkitools.adcs.connection import DirectoryConnection
from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.principals import PrincipalNames
from pkitools.adcs.rights import Token
from pkitools.adcs.templates import TemplateContext, read_template
from pkitools.errors import FormatError
from pkitools.models.ca import CertificationAuthority
from pkitools.models.template import CertificateTemplate, PublishingCA
from pkitools.protocol.ldap import filters
from pkitools.protocol.ldap.attributes import AttributeReader
from pkitools.protocol.ldap.dn import rdn_value, split_dn
from pkitools.protocol.ldap.messages import Entry
from pkitools.protocol.sid import unpack_sid

CONTAINER = "CN=Public Key Services,CN=Services"
_ANONYMOUS = "S-1-5-7"


def pks_dn(directory: DirectoryConnection) -> str:
    """The container of everything that AD CS keeps in the directory."""
    return f"{CONTAINER},{directory.config_dn}"


def account_token(directory: DirectoryConnection) -> Token | None:
    """The SIDs of the account in use, as its controller computed them at logon.

    None when the controller does not tell, when one is no SID, or when no one is logged on.
    """
    try:
        found = frozenset(unpack_sid(value) for value in directory.token_groups)
    except FormatError:
        return None
    return found if found and _ANONYMOUS not in found else None


@dataclass(slots=True)
class Forest:
    """What was read. ``templates`` are entries still: a command turns those that it shows into records."""

    context: TemplateContext
    cas: list[CertificationAuthority] = field(default_factory=list)
    templates: list[Entry] = field(default_factory=list)

    def template_records(self) -> Iterable[CertificateTemplate]:
        """Every template that was read, one at a time."""
        for entry in self.templates:
            yield read_template(entry.dn, entry.attributes, self.context)


def read_forest(directory: DirectoryConnection, template_filter: str | None = None) -> Forest:
    """Templates (all, or those that ``template_filter`` lets through), CAs and OIDs, with the names of all SIDs.

    Two searches: everything in the configuration, and the SIDs.
    """
    forest = Forest(TemplateContext(OidDirectory(), token=account_token(directory)))
    names = PrincipalNames()
    services: list[Entry] = []
    for entry in _search(directory, template_filter):
        kind = object_class(entry.attributes)
        if kind == templates.OBJECT_CLASS.lower():
            forest.templates.append(entry)
        elif kind == oid_directory.OBJECT_CLASS.lower():
            forest.context.oids.add(entry.attributes)
        elif kind == enrollment_services.OBJECT_CLASS.lower():
            services.append(entry)
        elif kind == principals.CROSS_REFERENCE.lower():
            names.add_domain(entry.attributes)
    forest.cas = [enrollment_services.read_service(entry, forest.context) for entry in services]
    forest.context.publishers = publishers(forest.cas)
    names.resolve(directory, _sids(forest))
    forest.context.name_of = names.name_of
    return forest


def publishers(cas: Iterable[CertificationAuthority]) -> dict[str, tuple[PublishingCA, ...]]:
    """Template name in lower case to the CAs that publish it."""
    found: dict[str, list[PublishingCA]] = {}
    for ca in cas:
        if not ca.is_enterprise:
            continue
        entry = PublishingCA(ca.config_string, ca.ca_rights.enroll if ca.ca_rights else None)
        for name in ca.templates:
            found.setdefault(name.casefold(), []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


_OTHER_CLASSES = (enrollment_services.OBJECT_CLASS, oid_directory.OBJECT_CLASS, principals.CROSS_REFERENCE)
_ATTRIBUTES = (
    "objectClass",
    *dict.fromkeys(
        (
            *templates.ATTRIBUTES,
            *enrollment_services.ATTRIBUTES,
            *oid_directory.ATTRIBUTES,
            *principals.ATTRIBUTES,
        )
    ),
)


def _search(directory: DirectoryConnection, template_filter: str | None) -> Iterable[Entry]:
    """One search over the whole configuration: the domains' names stand beside the Public Key Services, not in them."""
    wanted = [filters.equals("objectClass", templates.OBJECT_CLASS)]
    if template_filter:
        wanted.append(template_filter)
    query = filters.any_of([filters.all_of(wanted), *(filters.equals("objectClass", name) for name in _OTHER_CLASSES)])
    return directory.search(directory.config_dn, query, _ATTRIBUTES, descriptors=True)


def entry_name(entry: Entry) -> str:
    """The cn: the name that CAs publish a template by."""
    return AttributeReader(entry.attributes).text("cn") or rdn_value((split_dn(entry.dn) or [""])[0])


def object_class(attributes: Mapping[str, tuple[bytes, ...]]) -> str:
    """The most special class: the last of the values (MS-ADTS 3.1.1.2.4.5), in lower case."""
    values = AttributeReader(attributes).texts("objectClass")
    return values[-1].lower() if values else ""


def _sids(forest: Forest) -> set[str]:
    """Every SID that the templates' access lists name."""
    found: set[str] = set()
    for entry in forest.templates:
        descriptor = forest.context.descriptor(AttributeReader(entry.attributes))
        if descriptor is not None and descriptor.dacl is not None:
            found.update(ace.sid for ace in descriptor.dacl)
    return found
