"""JSON: always one array, ASCII only; ndjson: one object a line, written as soon as it is known."""

from __future__ import annotations

import json
from typing import Any

from pkitools.models.outcome import Outcome
from pkitools.output.records import outcome_record


class JsonFormat:
    """One array of outcome records, valid JSON also when a command ends early."""

    def __init__(self, model: type) -> None:
        self._model = model
        self._first = True

    def begin(self) -> str:
        """The opening bracket."""
        return "["

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The next element."""
        lead = "\n" if self._first else ",\n"
        self._first = False
        text = json.dumps(outcome_record(outcome, self._model), ensure_ascii=True, indent=2)
        return lead + "\n".join("  " + line for line in text.split("\n"))

    def end(self) -> str:
        """The closing bracket."""
        return "]\n" if self._first else "\n]\n"


class NdjsonFormat:
    """One JSON object a line."""

    def __init__(self, model: type) -> None:
        self._model = model

    def begin(self) -> str:
        """Nothing before the first line."""
        return ""

    def outcome(self, outcome: Outcome[Any]) -> str:
        """One line."""
        return json.dumps(outcome_record(outcome, self._model), ensure_ascii=True) + "\n"

    def end(self) -> str:
        """Nothing after the last line."""
        return ""
