"""Text of an error code."""

from __future__ import annotations

from pkitools.models.error_message import CodeMeaning, ErrorMessage
from pkitools.models.outcome import Outcome
from pkitools.output.text import Line, Style, Styled

_FAMILIES = {
    "ras": "RAS",
    "rras": "Routing and Remote Access",
    "ipsec": "IPsec",
    "win32": "Win32",
    "hresult": "HRESULT",
    "ntstatus": "NTSTATUS",
}


def render(outcome: Outcome[ErrorMessage], many: bool) -> list[Line]:
    """The meaning first, then what to check and which command confirms it, then the number's other meanings."""
    value = outcome.value
    if value is None:
        return []
    head = f"  {value.error_code}  {value.hex_code}  {_FAMILIES[value.family]}"
    lines: list[Line] = [(Styled(value.name, Style.BOLD), Styled(head, Style.DIM))]
    lines.append(f"  {value.message or _no_text(value.name)}")
    if value.meaning:
        lines.append(f"  Always On VPN: {value.meaning}")
    lines += [f"  {number}. {check}" for number, check in enumerate(value.checks, 1)]
    lines += [(Styled("  next: ", Style.DIM), command) for command in value.commands]
    lines += [_other(item) for item in value.other_meanings]
    return [*lines, ""] if many else lines


def _no_text(name: str) -> str:
    words = name.removeprefix("ERROR_").replace("_", " ").lower()
    return f"no text of ours; the name says: {words}"


def _other(item: CodeMeaning) -> Line:
    text = item.message or _no_text(item.name)
    return (Styled(f"  as {_FAMILIES[item.family]}: ", Style.DIM), f"{item.name}: {text}")
