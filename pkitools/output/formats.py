"""The output formats by name. A new format is one class with begin, outcome and end, and one line here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from pkitools.errors import PkiToolsError
from pkitools.models.outcome import Notice, Outcome


class OutputFormat(StrEnum):
    """The choices of ``--output``."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    CLIXML = "clixml"


class Format(Protocol):
    """Turns outcomes into text, piece by piece."""

    def begin(self) -> str:
        """What stands before the first outcome."""

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The text of the next outcome."""

    def end(self) -> str:
        """What stands after the last outcome."""


class StreamingFormat(Format, Protocol):
    """A format that carries errors and notices itself; empty text leaves them to stderr."""

    def error(self, error: PkiToolsError) -> str:
        """An error that ended the command."""

    def notice(self, notice: Notice) -> str:
        """A notice beside the results."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What a format needs to know: the results' class and view, the command, and where the text goes."""

    model: type
    view: str | None
    command: str
    many: bool
    colour: bool
    to_file: bool


def make_format(name: OutputFormat, rendering: Rendering) -> Format:
    """The format called ``name``. Modules are imported when they are needed."""
    model = rendering.model
    if name is OutputFormat.CLIXML:
        from pkitools.output.clixml_format import ClixmlDoor, ClixmlFile

        return ClixmlFile(model) if rendering.to_file else ClixmlDoor(model, rendering.command)
    if name is OutputFormat.CSV:
        from pkitools.output.csv_format import CsvFormat

        return CsvFormat(model)
    if name is OutputFormat.TABLE:
        from pkitools.output.text import TextFormat

        return TextFormat(model, rendering.view, many=rendering.many, colour=rendering.colour)
    from pkitools.output.json_format import JsonFormat, NdjsonFormat

    return JsonFormat(model) if name is OutputFormat.JSON else NdjsonFormat(model)
