"""The answers of get-ca, get-ca-template and get-template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pkitools.adcs import aovpn, enrollment_services
from pkitools.adcs.connection import DirectoryConnection
from pkitools.adcs.forest import Forest, account_token, entry_name, pks_dn, read_forest
from pkitools.adcs.oid_directory import OidDirectory
from pkitools.adcs.reachability import Reachability
from pkitools.adcs.templates import TemplateContext, at_ca, missing_template, read_template
from pkitools.adcs.wildcards import is_wildcard, like, superset_filter
from pkitools.errors import InputError
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.directory import AccountRights
from pkitools.models.outcome import Finding, Outcome, Severity, failed, finding, judged
from pkitools.models.template import CertificateTemplate
from pkitools.protocol.ldap import filters
from pkitools.protocol.ldap.messages import Entry


def find_cas(
    directory: DirectoryConnection,
    *,
    computer_name: str = "*",
    name: str = "*",
    enterprise: bool = False,
    standalone: bool = False,
) -> list[CertificationAuthority]:
    """The CAs whose host and whose name (sanitized or plain) match, sorted as the directory gives them.

    ``enterprise`` and ``standalone`` keep that sort; neither or both keep all. One search.
    """
    context = TemplateContext(OidDirectory(), token=account_token(directory))
    filter_ = filters.equals("objectClass", enrollment_services.OBJECT_CLASS)
    entries = directory.search(pks_dn(directory), filter_, enrollment_services.ATTRIBUTES, descriptors=True)
    cas = [enrollment_services.read_service(entry, context) for entry in entries]
    return [
        ca
        for ca in cas
        if like(computer_name, ca.computer_name)
        and (like(name, ca.name) or like(name, ca.display_name))
        and enterprise in {standalone, ca.is_enterprise}
    ]


def with_reachability(
    cas: Sequence[CertificationAuthority], hosts: Mapping[str, Reachability]
) -> list[CertificationAuthority]:
    """The CAs with ``is_accessible`` as ``probe_hosts`` found their hosts."""
    return [
        replace(
            ca,
            is_accessible=hosts[ca.computer_name].is_accessible,
            is_accessible_reason=hosts[ca.computer_name].reason,
        )
        for ca in cas
    ]


def ca_outcome(ca: CertificationAuthority) -> Outcome[CertificationAuthority]:
    """A CA is found or not; one that does not answer is a property, and a finding only when it was checked."""
    return judged(ca.config_string, ca, ca.findings)


def find_ca_templates(directory: DirectoryConnection, targets: Sequence[str]) -> Iterator[Outcome[CATemplate]]:
    """For each CA that a target means, the templates that it publishes, in the order of their names.

    A target is a CA's name, host, ``host\\name`` or a wildcard over these; one that means no CA is an outcome of its
    own. Each CA comes once.
    """
    forest = read_forest(directory)
    by_name = {entry_name(entry).casefold(): entry for entry in forest.templates}
    shown: set[str] = set()
    for target in targets or ("*",):
        matching = [ca for ca in forest.cas if is_meant(ca, target)]
        if not matching:
            yield failed(target, _no_ca(target, forest))
        for ca in matching:
            if ca.config_string not in shown:
                shown.add(ca.config_string)
                yield _ca_template(ca, by_name, forest)


def _ca_template(ca: CertificationAuthority, by_name: dict[str, Entry], forest: Forest) -> Outcome[CATemplate]:
    rights = ca.ca_rights or AccountRights(None, None)
    found, missing = [], []
    for name in ca.templates:
        entry = by_name.get(name.casefold())
        if entry is None:
            missing.append(name)
            found.append(missing_template(name))
        else:
            found.append(at_ca(read_template(entry.dn, entry.attributes, forest.context), rights))
    value = CATemplate(
        name=ca.name,
        display_name=ca.display_name,
        computer_name=ca.computer_name,
        templates=tuple(sorted(found, key=lambda template: template.display_name.casefold())),
        is_modified=False,
        config_string=ca.config_string,
        ca_rights=rights,
        missing_templates=tuple(missing),
        findings=tuple(_missing(name) for name in missing),
    )
    return judged(ca.config_string, value, value.findings)


def _missing(name: str) -> Finding:
    return finding(
        Severity.NOTE,
        "TemplateMissing",
        f"the CA publishes {name!r}, and the directory has no such template",
        "remove it from the CA: Certificate Templates, Delete",
        code="CERTSRV_E_UNSUPPORTED_CERT_TYPE",
    )


def is_meant(ca: CertificationAuthority, target: str) -> bool:
    """Whether a target means this CA."""
    if "\\" in target:
        return like(target, ca.config_string) or like(target, f"{ca.computer_name}\\{ca.display_name}")
    host = ca.computer_name
    return any(like(target, text) for text in (ca.name, ca.display_name, host, host.partition(".")[0]))


def find_templates(
    directory: DirectoryConnection,
    *,
    names: Sequence[str] = (),
    display_names: Sequence[str] = (),
    oids: Sequence[str] = (),
    always_on_vpn: bool = False,
) -> Iterator[Outcome[CertificateTemplate]]:
    """The templates that one of the patterns matches (all without patterns), in the order of their display names.

    A pattern without wildcards that matches nothing is an outcome of its own. Two searches.
    """
    wanted = [("cn", pattern) for pattern in names]
    wanted += [("displayName", pattern) for pattern in display_names]
    wanted += [("msPKI-Cert-Template-OID", pattern) for pattern in oids]
    forest = read_forest(directory, _narrowing(wanted))
    missed = {(attribute, pattern) for attribute, pattern in wanted if not is_wildcard(pattern)}
    found = []
    for template in forest.template_records():
        hits = [(attribute, pattern) for attribute, pattern in wanted if like(pattern, _value(template, attribute))]
        if hits or not wanted:
            found.append(aovpn.mark(template) if always_on_vpn else template)
            missed.difference_update(hits)
    for template in sorted(found, key=lambda item: item.display_name.casefold()):
        yield judged(template.name, template, _mark_findings(template))
    for _, pattern in sorted(missed):
        yield failed(pattern, _no_template(pattern))


def _narrowing(wanted: list[tuple[str, str]]) -> str | None:
    """A filter for the server that lets at least the wanted templates through; None: all."""
    found = [superset_filter(attribute, pattern) for attribute, pattern in wanted]
    return filters.any_of(item for item in found if item) if found and all(found) else None


def _value(template: CertificateTemplate, attribute: str) -> str:
    if attribute == "cn":
        return template.name
    return template.display_name if attribute == "displayName" else template.oid.value if template.oid else ""


def _mark_findings(template: CertificateTemplate) -> tuple[Finding, ...]:
    return tuple(item for mark in template.always_on_vpn for item in mark.findings)


def _no_template(pattern: str) -> InputError:
    return InputError(
        f"there is no certificate template {pattern!r} in the directory",
        hint="list them all with pkitools get-template, or use a wildcard",
        code="CERTSRV_E_UNSUPPORTED_CERT_TYPE",
        error_id="ObjectNotFound",
    )


def _no_ca(target: str, forest: Forest) -> InputError:
    known = ", ".join(ca.config_string for ca in forest.cas[:5])
    return InputError(
        f"the directory knows no CA {target!r}",
        hint=f"it knows {known}" if known else "it knows no CA at all",
        error_id="ObjectNotFound",
    )
