"""Text of a comparison of IPsec policies."""

from __future__ import annotations

from pkitools.models.ipsec_comparison import FieldComparison, FieldVerdict, PolicyComparison, PolicySide, TunnelVerdict
from pkitools.models.outcome import Outcome
from pkitools.output.text import Line, Style, Styled, finding_lines, width

_ANSWERS = {
    TunnelVerdict.MATCH: ("match", Style.GOOD, "the tunnel comes up, as far as IPsec is concerned"),
    TunnelVerdict.IKE_ONLY: ("IKE policy matches", Style.GOOD, "the child policy of one side is not visible"),
    TunnelVerdict.IKE_MISMATCH: ("no match", Style.BAD, "the IKE policies have nothing in common: error 13868"),
    TunnelVerdict.CHILD_MISMATCH: ("no match", Style.BAD, "the child policies have nothing in common: error 13868"),
}
_FIELDS = {
    FieldVerdict.EQUAL: ("equal", Style.GOOD),
    FieldVerdict.COMMON: ("in common", Style.GOOD),
    FieldVerdict.DIFFERENT: ("DIFFERENT", Style.BAD),
    FieldVerdict.NOT_VISIBLE: ("not visible", Style.DIM),
}


def render(outcome: Outcome[PolicyComparison], many: bool) -> list[Line]:
    """The answer, the fields side by side, the likely causes, and the commands that mend it."""
    value = outcome.value
    if value is None:
        return []
    word, style, text = _ANSWERS[value.verdict]
    lines: list[Line] = [
        (Styled(word, style), f": {text}"),
        _side("client", value.client),
        _side("server", value.server),
    ]
    lines += [(Styled("    note: ", Style.DIM), note) for note in (*value.client.notes, *value.server.notes)]
    lines += _fields(value.fields)
    lines += finding_lines(value.findings)
    if value.causes:
        up = value.verdict is TunnelVerdict.MATCH
        lines.append(
            f"  {'if error 13868 comes all the same' if up else 'likely causes of error 13868, in this order'}:"
        )
        lines += [f"    {number}. {cause}" for number, cause in enumerate(value.causes, 1)]
    lines += _commands("  on the client, to have the server's policy:", value.client_commands)
    if value.client_profile_xml:
        lines += ["  or in its ProfileXML:", *(f"    {line}" for line in value.client_profile_xml.splitlines())]
    return lines + _commands("  on the server, to have the client's policy:", value.server_commands)


def _side(label: str, side: PolicySide) -> Line:
    inferred = " (inferred)" if side.inferred else ""
    count = f", {side.ike_proposals} IKE proposals; the nearest is shown" if side.ike_proposals > 1 else ""
    return f"  {label}: {side.source}: {side.kind}{inferred}{count}"


def _fields(fields: tuple[FieldComparison, ...]) -> list[Line]:
    rows = [(item.name, _words(item.client), _words(item.server)) for item in fields]
    heads = ("field", "client", "server")
    sizes = [max(width(heads[at]), *(width(row[at]) for row in rows)) for at in range(3)]
    head = " ".join(_pad(word, size) for word, size in zip(heads, sizes, strict=True))
    lines: list[Line] = [Styled(f"  {head}", Style.BOLD)]
    for row, item in zip(rows, fields, strict=True):
        verdict, style = _FIELDS[item.verdict]
        cells = zip(row, sizes, strict=True)
        note = f"  {item.note}" if item.note else ""
        lines.append(("  ", " ".join(_pad(cell, size) for cell, size in cells), " ", Styled(verdict, style), note))
    return lines


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(words) or "?"


def _pad(text: str, size: int) -> str:
    return text + " " * (size - width(text))


def _commands(heading: str, commands: tuple[str, ...]) -> list[Line]:
    return [heading, *(f"    {command}" for command in commands)] if commands else []
