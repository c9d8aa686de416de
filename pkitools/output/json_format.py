"""JSON: always one array, ASCII only; ndjson: one object a line, written as soon as it is known."""

from __future__ import annotations

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from pkitools.models.outcome import Outcome
from pkitools.output.records import Plain, outcome_record


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
        return f"{lead}  {indented(outcome_record(outcome, self._model), '  ')}"

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


def indented(value: Plain, margin: str) -> str:
    """JSON with two blanks per level, as ``json.dumps(value, indent=2)`` whose further lines begin with ``margin``.

    The standard library's encoder is written in C for compact text only; for indented text this takes half its time.
    """
    inner = margin + "  "
    if isinstance(value, dict) and value:
        items = [f"{inner}{encode_basestring_ascii(key)}: {indented(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(items) + f"\n{margin}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join([inner + indented(item, inner) for item in value]) + f"\n{margin}]"
    return encode_basestring_ascii(value) if isinstance(value, str) else json.dumps(value)
