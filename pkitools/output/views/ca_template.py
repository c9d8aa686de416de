"""Text of the templates of CAs: one block per CA, one row per template."""

from __future__ import annotations

from pkitools.models.ca import CATemplate
from pkitools.models.outcome import Outcome
from pkitools.models.template import CertificateTemplate
from pkitools.output.text import Line, Style, Styled, escape, finding_lines, width
from pkitools.output.views.certificate_template import yes

_HEADINGS = ("DisplayName", "Name", "Schema", "SupportedCA", "Autoenroll", "Enroll?", "Autoenroll?")


def render(outcome: Outcome[CATemplate], many: bool) -> list[Line]:
    """One CA: how many templates, then each with what the account in use may do with it."""
    ca = outcome.value
    if ca is None:
        return []
    count = f"  {len(ca.templates)} templates"
    lines: list[Line] = [(Styled(ca.display_name, Style.BOLD), f"  {ca.config_string}", Styled(count, Style.DIM))]
    lines += finding_lines(ca.findings)
    rows = [_HEADINGS, *(tuple(map(escape, _row(item))) for item in ca.templates)]
    sizes = [max(width(row[index]) for row in rows) for index in range(len(_HEADINGS))]
    for index, row in enumerate(rows if ca.templates else []):
        text = "  " + "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, sizes, strict=True))
        missing = index > 0 and ca.templates[index - 1].is_missing
        lines.append(Styled(text, Style.DIM if index == 0 else Style.WARN) if index == 0 or missing else text)
    return [*lines, ""] if many else lines


def _row(template: CertificateTemplate) -> tuple[str, ...]:
    if template.is_missing:
        return (template.display_name, template.name, "", "missing in the directory", "", "", "")
    return (
        template.display_name,
        template.name,
        str(template.schema_version or ""),
        template.supported_ca or "",
        "on" if template.autoenrollment_allowed else "off",
        yes(template.can_enroll),
        yes(template.can_autoenroll),
    )
