"""CSV: one row per outcome, nested properties as ``A.B`` columns, ASCII only, quoted as RFC 4180 says."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from pkitools.models.outcome import Outcome
from pkitools.output.records import Plain, Property, outcome_properties, outcome_record, properties, unwrap_optional

MAX_DEPTH = 8
_HARMLESS = re.compile(r"[\t\n -~]*").fullmatch


class CsvFormat:
    """Header from the result's class, so that it does not depend on the first record."""

    def __init__(self, model: type) -> None:
        self._model = model

    def begin(self) -> str:
        """The header line."""
        return _line([".".join(path) for path in columns(self._model)])

    def outcome(self, outcome: Outcome[Any]) -> str:
        """The row of one outcome."""
        record = outcome_record(outcome, self._model)
        return _line([_cell(_at(record, path)) for path in columns(self._model)])

    def end(self) -> str:
        """Nothing follows the last row."""
        return ""


@cache
def columns(model: type) -> tuple[tuple[str, ...], ...]:
    """The property paths of an outcome of ``model``, one per column."""
    return tuple(_paths(outcome_properties(model), ()))


def _paths(items: tuple[Property, ...], prefix: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for item in items:
        inner = unwrap_optional(item.type)
        if hasattr(inner, "__dataclass_fields__") and len(prefix) < MAX_DEPTH:
            yield from _paths(properties(inner), (*prefix, item.name))
        else:
            yield (*prefix, item.name)


def _at(record: Plain, path: tuple[str, ...]) -> Plain:
    for name in path:
        if not isinstance(record, dict):
            return None
        record = record.get(name)
    return record


def _cell(value: Plain) -> str:
    """Lists of simple values are joined with ``;``, anything deeper stands as JSON."""
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ";".join(_cell(item) for item in value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=True)
    if isinstance(value, bool):
        return "True" if value else "False"
    return "" if value is None else _ascii(str(value))


def _ascii(text: str) -> str:
    """Non-ASCII as in JSON, ``\\u00fc``: readers disagree about the encoding of CSV files.

    So are control characters (line breaks apart): a peer's text may not reach a terminal raw.
    """
    return text if _HARMLESS(text) else json.dumps(text, ensure_ascii=True)[1:-1].replace('\\"', '"')


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()
