"""Text of certificate templates: PSPKI's table for several, everything for one; Always On VPN marks below."""

from __future__ import annotations

from collections.abc import Iterable

from pkitools.models.certificate import Oid
from pkitools.models.outcome import Outcome
from pkitools.models.template import CertificateTemplate, CertificateTemplateSettings
from pkitools.output.records import enum_name
from pkitools.output.text import Column, Line, Style, Styled, Table, finding_lines

TABLE = Table(
    (
        Column("DisplayName", "display_name", 35),
        Column("SchemaVersion", "schema_version", 14),
        Column("SupportedCA", "supported_ca", 40),
        Column("AutoenrollmentAllowed", "autoenrollment_allowed", 22, right=True),
    )
)


def below(outcome: Outcome[CertificateTemplate]) -> list[Line]:
    """The Always On VPN marks of one template of several."""
    template = outcome.value
    if template is None or not template.always_on_vpn:
        return []
    return ["", Styled(template.display_name, Style.BOLD), *mark_lines(template)]


def mark_lines(template: CertificateTemplate) -> list[Line]:
    """One line per role in Always On VPN, its findings below."""
    lines: list[Line] = []
    for item in template.always_on_vpn:
        verdict = Styled("fits", Style.GOOD) if item.is_suitable else Styled("does not fit", Style.BAD)
        lines.append(("  ", f"{item.role.value}: ", verdict))
        lines += finding_lines(item.findings, indent="    ")
    return lines


def render(outcome: Outcome[CertificateTemplate], many: bool) -> list[Line]:
    """One template in full."""
    template = outcome.value
    if template is None:
        return []
    lines: list[Line] = [(Styled(template.display_name, Style.BOLD), f"  schema version {template.schema_version}")]
    lines += mark_lines(template)
    rows: list[tuple[str, str]] = [
        ("Name", template.name),
        ("OID", template.oid.value if template.oid else ""),
        ("Version", template.version or ""),
        ("Supported CA", template.supported_ca or ""),
        ("Supported client", template.supported_client or ""),
        ("Autoenrollment", "allowed" if template.autoenrollment_allowed else "off"),
        ("You may enroll", yes(template.can_enroll)),
        ("You may autoenroll", yes(template.can_autoenroll)),
        ("Published by", ", ".join(item.config_string for item in template.published_by) or "no CA"),
    ]
    if template.settings is not None:
        rows += _settings_rows(template.settings)
    lines += [f"  {label + ':':<22}{text}" for label, text in rows if text]
    if template.access:
        lines.append("  Access:")
    for rule in template.access:
        inherited = " (inherited)" if rule.is_inherited else ""
        lines.append(f"    {rule.access_type.value:<6}{rule.identity}: {enum_name(rule.rights)}{inherited}")
    for value in template.undecodable:
        lines.append(("  ", Styled(f"{value.attribute}: {value.problem}", Style.WARN)))
    return lines


def _settings_rows(settings: CertificateTemplateSettings) -> list[tuple[str, str]]:
    crypto, authority = settings.cryptography, settings.registration_authority
    rows = [
        ("Validity", settings.validity_period or ""),
        ("Renewal", settings.renewal_period or ""),
        ("Subject type", settings.subject_type.value),
        ("Subject name", enum_name(settings.subject_name)),
        ("Key usages", _names(settings.enhanced_key_usage) or "any"),
        ("Purpose", settings.purpose.value),
        ("Key", f"{crypto.key_algorithm}, {crypto.minimal_key_length} bits or more, {crypto.hash_algorithm}"),
        ("Private key", enum_name(crypto.private_key_options)),
        ("Providers", ", ".join(crypto.provider_list) or "any"),
        ("Enrollment flags", enum_name(settings.enrollment_options)),
        ("General flags", enum_name(settings.general_flags)),
        ("Issuance policies", _names(settings.certificate_policies)),
        ("Supersedes", ", ".join(settings.superseded_templates)),
    ]
    if authority.signature_count:
        signers = _names(authority.application_policies)
        rows.append(("Signatures", f"{authority.signature_count} ({signers})"))
    if settings.key_archival_settings.key_archival:
        archival = settings.key_archival_settings
        rows.append(("Key archival", f"{archival.encryption_algorithm} {archival.key_length}"))
    return rows


def _names(oids: Iterable[Oid]) -> str:
    return ", ".join(str(oid) for oid in oids)


def yes(value: bool | None) -> str:
    """A right in a word; None is "unknown"."""
    return "unknown" if value is None else "yes" if value else "no"
