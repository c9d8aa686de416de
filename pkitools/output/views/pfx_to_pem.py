"""``pfx-to-pem`` as text: which files, what is in them, and what to know of them."""

from __future__ import annotations

from pkitools.models.conversion import CertificateSummary, PfxToPemResult
from pkitools.models.outcome import Outcome
from pkitools.output.text import Line, Style, Styled, finding_lines


def render(outcome: Outcome[PfxToPemResult], many: bool) -> list[Line]:
    """The files first, then the certificates written, then findings."""
    result = outcome.value
    if result is None:
        return []
    lines: list[Line] = [(Styled(outcome.target, Style.BOLD), f": {result.subject}, {result.key_algorithm} key")]
    for file in result.files:
        contents = ", ".join(part.lower() for part in file.contents)
        lines.append(("  ", Styled("wrote ", Style.GOOD), file.path, f" ({contents})"))
    if not many:
        lines += certificate_lines(result.chain)
    return [*lines, *finding_lines(result.findings)]


def certificate_lines(chain: tuple[CertificateSummary, ...]) -> list[Line]:
    """Certificates, leaf first, with thumbprint and end."""
    return [
        (
            "  ",
            f"{one.thumbprint}  ",
            f"{one.not_after:%Y-%m-%d}  " if one.not_after else "?           ",
            one.subject,
            Styled(f'  "{one.friendly_name}"', Style.DIM) if one.friendly_name else "",
        )
        for one in chain
    ]
