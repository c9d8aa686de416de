"""CLIXML as an output format: through the door (a captured native program) or into a file for Import-Clixml."""

from __future__ import annotations

from typing import Any

from pkitools.errors import PkiToolsError
from pkitools.models.outcome import Notice, Outcome, Severity
from pkitools.output.clixml import HEADER, Writer, document
from pkitools.output.error_records import record_of


class ClixmlDoor:
    """``#< CLIXML`` and one document a line: PowerShell turns each line into objects when it captures the program."""

    def __init__(self, model: type, command: str) -> None:
        self._model = model
        self._command = command

    def begin(self) -> str:
        """The line that opens the door."""
        return HEADER + "\n"

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The record as one line."""
        return document(Writer().outcome(outcome, self._model)) + "\n"

    def error(self, error: PkiToolsError) -> str:
        """An error record in the error stream."""
        return document(Writer().error(record_of(error, self._command))) + "\n"

    def notice(self, notice: Notice) -> str:
        """A note as information record; warnings stay on stderr, where the caller can silence them."""
        if notice.severity is not Severity.NOTE:
            return ""
        return document(Writer().information(notice.message)) + "\n"

    def end(self) -> str:
        """Nothing follows."""
        return ""


class ClixmlFile:
    """One document with all records: Import-Clixml ignores a second one."""

    def __init__(self, model: type) -> None:
        self._model = model
        self._writer = Writer()
        self._objects: list[str] = []

    def begin(self) -> str:
        """Nothing yet."""
        return ""

    def outcome(self, outcome: Outcome[Any]) -> str:
        """Collected for the one document."""
        self._objects.append(self._writer.outcome(outcome, self._model))
        return ""

    def end(self) -> str:
        """The document."""
        return document("".join(self._objects)) + "\n"
