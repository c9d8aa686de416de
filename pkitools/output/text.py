"""Text for eyes: styled lines and tables. Everything is escaped here, so that no peer's text reaches a terminal raw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import Any

from pkitools.models.outcome import Finding, Notice, Outcome, Reason, Severity
from pkitools.output.records import enum_name


class Style(Enum):
    """What a piece of text is, not how it looks; the value is the ANSI sequence used on a terminal."""

    PLAIN = ""
    BOLD = "\x1b[1m"
    GOOD = "\x1b[32m"
    BAD = "\x1b[1;31m"
    WARN = "\x1b[33m"
    DIM = "\x1b[2m"


@dataclass(frozen=True, slots=True)
class Styled:
    """A piece of text with a style."""

    text: str
    style: Style


Line = str | Styled | Sequence[str | Styled]
"""One line of output: a text, or pieces of text that stand side by side."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: heading, attribute path in the value (``certificate.not_after``), minimal width, alignment."""

    heading: str
    path: str
    width: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table view of outcomes: one row each."""

    columns: tuple[Column, ...]


SEVERITY_STYLES = {Severity.ERROR: Style.BAD, Severity.WARNING: Style.WARN, Severity.NOTE: Style.DIM}


def escape(text: str) -> str:
    """Text from anywhere, safe for a terminal: what is not printable stands as ``\\xhh`` or ``\\uhhhh``.

    That takes in escape sequences, bidirectional controls and lone surrogates; line breaks stand as ``\\n``.
    """
    if text.isprintable():
        return text
    return "".join(_escape_character(character) for character in text)


def _escape_character(character: str) -> str:
    if character == "\n":
        return "\\n"
    if character.isprintable():
        return character
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def render(lines: Iterable[Line], *, colour: bool) -> str:
    """Lines as text, escaped, with ANSI styles when ``colour``."""
    return "".join(_render_line(line, colour) + "\n" for line in lines)


def _render_line(line: Line, colour: bool) -> str:
    pieces: Sequence[str | Styled] = (line,) if isinstance(line, str | Styled) else line
    parts = []
    for piece in pieces:
        text = escape(piece if isinstance(piece, str) else piece.text)
        style = Style.PLAIN if isinstance(piece, str) else piece.style
        parts.append(f"{style.value}{text}\x1b[0m" if colour and style.value and text else text)
    return "".join(parts).rstrip(" ")


def finding_lines(findings: Iterable[Finding], indent: str = "  ") -> list[Line]:
    """Findings, the gravest first: severity, Windows code, message, and the next step below."""
    order = list(Severity)
    lines: list[Line] = []
    for item in sorted(findings, key=lambda finding: order.index(finding.severity)):
        code = f"{item.code} {item.code_hex}: " if item.code else ""
        label = Styled(f"{item.severity.value.lower():<8}", SEVERITY_STYLES[item.severity])
        lines.append((indent, label, code, item.message))
        if item.next_step:
            lines.append((indent, " " * 8, Styled("next: ", Style.DIM), item.next_step))
    return lines


def reason_lines(target: str, reason: Reason) -> list[Line]:
    """Why a target has no complete answer, with the next step."""
    code = f" ({reason.code} {reason.code_hex})" if reason.code else ""
    lines: list[Line] = [(Styled(target, Style.BOLD), ": ", Styled(reason.message, Style.BAD), code)]
    if reason.next_step:
        lines.append(("  ", Styled("next: ", Style.DIM), reason.next_step))
    return lines


def notice_lines(notice: Notice) -> list[Line]:
    """A notice for stderr."""
    return [(Styled(notice.severity.value.lower(), SEVERITY_STYLES[notice.severity]), ": ", notice.message)]


def table_lines(table: Table, outcomes: Sequence[Outcome[Any]]) -> list[Line]:
    """A table with as many rows as outcomes have values; columns as wide as their content."""
    rows = [[_cell(_value_at(item.value, column.path)) for column in table.columns] for item in outcomes if item.value]
    if not rows:
        return []
    widths = [
        max(column.width, width(column.heading), *(width(row[index]) for row in rows))
        for index, column in enumerate(table.columns)
    ]
    head = [_pad(column.heading, size, column.right) for column, size in zip(table.columns, widths, strict=True)]
    rule = [
        _pad("-" * width(column.heading), size, column.right)
        for column, size in zip(table.columns, widths, strict=True)
    ]
    lines: list[Line] = [Styled(" ".join(head), Style.BOLD), Styled(" ".join(rule), Style.DIM)]
    for row in rows:
        cells = zip(row, widths, table.columns, strict=True)
        lines.append(" ".join(_pad(cell, size, column.right) for cell, size, column in cells))
    return lines


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _pad(text: str, size: int, right: bool) -> str:
    blanks = " " * (size - width(text))
    return blanks + text if right else text + blanks


def _value_at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Enum):
        return escape(enum_name(value))
    if isinstance(value, tuple | list):
        return ", ".join(_cell(item) for item in value)
    return escape(str(value))


class TextFormat:
    """The text of a command's results: by its view's ``render`` (streams) or ``TABLE`` (one table at the end).

    A view with both shows a single target by ``render`` and several as the table. ``below`` of a view gives the lines
    that an outcome adds under the table.
    """

    def __init__(self, model: type, view: str | None, *, many: bool, colour: bool) -> None:
        self._model = model
        self._view: Any = import_module(view) if view else None
        self._many = many
        self._colour = colour
        self._rows: list[Outcome[Any]] = []

    def begin(self) -> str:
        """Nothing before the first outcome."""
        return ""

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The text of one outcome, or nothing yet when it goes into a table."""
        if not hasattr(self._view, "render") or (self._many and hasattr(self._view, "TABLE")):
            self._rows.append(outcome)
            return ""
        lines: list[Line] = list(self._view.render(outcome, self._many)) if outcome.value is not None else []
        if outcome.reason is not None and (outcome.value is None or not self._many):
            lines += reason_lines(outcome.target, outcome.reason)
        return render(lines, colour=self._colour)

    def end(self) -> str:
        """The table, then the targets that have no answer."""
        if not self._rows:
            return ""
        table = getattr(self._view, "TABLE", None) or Table(
            tuple(Column(item.name, item.field) for item in _simple_properties(self._model))
        )
        lines = table_lines(table, self._rows)
        below = getattr(self._view, "below", None)
        for item in self._rows:
            if below is not None and item.value is not None:
                lines += below(item)
            if item.reason is not None:
                lines += reason_lines(item.target, item.reason)
        return render(lines, colour=self._colour)


def _simple_properties(model: type) -> list[Any]:
    from pkitools.output.records import properties, unwrap_optional

    return [item for item in properties(model) if unwrap_optional(item.type) in (str, int, bool, float)][:8]
