"""Text of CAs: PSPKI's table for several, everything for one; findings below."""

from __future__ import annotations

from datetime import datetime

from pkitools.models.ca import CertificationAuthority
from pkitools.models.ca_state import CaState
from pkitools.models.outcome import Outcome, Reason
from pkitools.output.text import Column, Line, Style, Styled, Table, finding_lines

TABLE = Table(
    (
        Column("DisplayName", "display_name", 40),
        Column("ComputerName", "computer_name", 25),
        Column("IsAccessible", "is_accessible", 12),
        Column("ServiceStatus", "service_status", 13),
        Column("Type", "type", 25),
    )
)


def below(outcome: Outcome[CertificationAuthority]) -> list[Line]:
    """The findings of one CA of several."""
    ca = outcome.value
    if ca is None:
        return []
    lines = finding_lines(ca.findings) or _reason(_label(ca), ca.is_accessible_reason)
    return ["", Styled(ca.config_string, Style.BOLD), *lines] if lines else []


def render(outcome: Outcome[CertificationAuthority], many: bool) -> list[Line]:
    """One CA in full."""
    ca = outcome.value
    if ca is None:
        return []
    answer = Styled("accessible", Style.GOOD) if ca.is_accessible else Styled("not accessible", Style.BAD)
    if ca.is_accessible is None:
        answer = Styled("not asked", Style.DIM)
    lines: list[Line] = [(Styled(ca.display_name, Style.BOLD), f"  {ca.type}  ", answer)]
    lines += finding_lines(ca.findings) or _reason(_label(ca), ca.is_accessible_reason)
    certificate = ca.certificate
    rows = [
        ("Config string", ca.config_string),
        ("Service", ca.service_status),
        ("Distinguished name", ca.distinguished_name or ""),
        ("Certificate", certificate.subject if certificate else "none"),
        ("Valid", f"{_day(certificate.not_before)} to {_day(certificate.not_after)}" if certificate else ""),
        ("Thumbprint", certificate.thumbprint if certificate else ""),
        ("You may request", _yes(ca.ca_rights.enroll if ca.ca_rights else None)),
        ("Templates", ", ".join(ca.templates)),
    ]
    lines += [f"  {label + ':':<20}{text}" for label, text in rows if text]
    for endpoint in ca.enrollment_endpoints:
        lines.append(f"  {'Enrollment URI:':<20}{endpoint.uri} ({endpoint.authentication.value})")
    lines += _state(ca.state)
    for value in ca.undecodable:
        lines.append(("  ", Styled(f"{value.attribute}: {value.problem}", Style.WARN)))
    return lines


def _state(state: CaState | None) -> list[Line]:
    """What the CA said itself."""
    if state is None:
        return []
    lines: list[Line] = [f"  {'Version:':<20}{state.product_version or '?'}"]
    if state.roles is not None:
        lines.append(f"  {'Your roles:':<20}{', '.join(state.roles) or 'none'}")
    for item in state.certificates:
        crl = f"CRL {item.crl_state.value}"
        if item.base_crl_published:
            crl += f", published {item.base_crl_published}"
        lines.append(f"  {f'CA certificate {item.index}:':<20}{item.state.value}, {crl}")
    return lines


def _label(ca: CertificationAuthority) -> str:
    return "ICertRequest not asked" if ca.is_accessible else "not accessible"


def _reason(label: str, reason: Reason | None) -> list[Line]:
    if reason is None:
        return []
    code = f" ({reason.code} {reason.code_hex})" if reason.code else ""
    lines: list[Line] = [("  ", Styled(label, Style.WARN), f": {reason.message}{code}")]
    if reason.next_step:
        lines.append(("  ", Styled("next: ", Style.DIM), reason.next_step))
    return lines


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "?"
