"""The output formats by name. A new format is one class with begin, outcome and end, and one line here."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Protocol

from pkitools.models.outcome import Outcome


class OutputFormat(StrEnum):
    """The choices of ``--output``."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


class Format(Protocol):
    """Turns outcomes into text, piece by piece."""

    def begin(self) -> str:
        """What stands before the first outcome."""

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The text of the next outcome."""

    def end(self) -> str:
        """What stands after the last outcome."""


def make_format(name: OutputFormat, model: type, view: str | None, *, many: bool, colour: bool) -> Format:
    """The format called ``name`` for results of class ``model``. Modules are imported when they are needed."""
    if name is OutputFormat.CSV:
        from pkitools.output.csv_format import CsvFormat

        return CsvFormat(model)
    if name is OutputFormat.TABLE:
        from pkitools.output.text import TextFormat

        return TextFormat(model, view, many=many, colour=colour)
    from pkitools.output.json_format import JsonFormat, NdjsonFormat

    return JsonFormat(model) if name is OutputFormat.JSON else NdjsonFormat(model)
