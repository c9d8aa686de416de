"""One mapping: json, ndjson, csv and clixml carry the same property paths for every command, in ASCII for any text."""

from __future__ import annotations

import csv
import dataclasses
import json
import types
import typing
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkitools.cli.registry import COMMANDS
from pkitools.models.outcome import Outcome, Reason, Status
from pkitools.output.clixml_format import ClixmlDoor, ClixmlFile
from pkitools.output.csv_format import CsvFormat
from pkitools.output.json_format import JsonFormat, NdjsonFormat
from pkitools.output.records import properties
from pkitools.protocol.clixml import PsObject, read_clixml

Paths = list[tuple[str, ...]]
NASTY = "Zoë 🔑 _x0041_ \ud800 \x00\x1b\u2028 ,\"';\r\n"


def example(hint: Any, text: str) -> Any:
    """A value of a declared type with something in every place; every text is ``text``."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return example(next(item for item in arguments if item is not type(None)), text)
    if origin in (tuple, list, frozenset):
        return origin([example(arguments[0], text)])
    if origin is not None and issubclass(origin, typing.Mapping):
        return {text: example(arguments[1], text)}
    if dataclasses.is_dataclass(hint):
        shown = {item.field: example(item.type, text) for item in properties(hint)}  # type: ignore[arg-type]
        return hint(**{item.name: shown.get(item.name) for item in dataclasses.fields(hint) if item.init})  # type: ignore[operator]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    simple = {str: text, int: 7, bool: True, bytes: b"\xff\x00", float: 1.5, timedelta: timedelta(seconds=3)}
    simple |= {datetime: datetime(2026, 1, 2, tzinfo=UTC), date: date(2026, 1, 2), object: text, Any: text}
    return simple[hint]


def outcome_of(model: type, text: str) -> Outcome[Any]:
    return Outcome(text, Status.FINDING, example(model, text), Reason("Id", text, text, "E_FAIL", "0x80004005"))


def json_paths(value: Any, prefix: tuple[str, ...] = ()) -> Paths:
    if not isinstance(value, dict):
        return [prefix]
    return [path for key, item in value.items() for path in json_paths(item, (*prefix, key))]


def clixml_paths(value: Any, prefix: tuple[str, ...] = ()) -> Paths:
    if isinstance(value, PsObject) and value.properties:
        items = value.properties.items()
    elif isinstance(value, PsObject) and isinstance(value.value, dict):
        items = value.value.items()  # type: ignore[assignment]
    else:
        return [prefix]
    return [path for key, item in items for path in clixml_paths(item, (*prefix, str(key)))]


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_all_formats_carry_the_same_property_paths(spec):
    model = spec.load_result()
    outcome = outcome_of(model, "x")
    form = JsonFormat(model)
    (record,) = json.loads(form.begin() + form.outcome(outcome) + form.end())
    paths = json_paths(record)
    assert json.loads(NdjsonFormat(model).outcome(outcome)) == record
    file = ClixmlFile(model)
    file.outcome(outcome)
    (read,) = read_clixml(file.end())
    assert clixml_paths(read) == paths
    # a cell holds what lies behind its column: lists, and dictionaries, whose keys are data
    header = [tuple(column.split(".")) for column in next(csv.reader([CsvFormat(model).begin()]))]
    assert list(dict.fromkeys(next(one for one in header if path[: len(one)] == one) for path in paths)) == header


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(st.characters(exclude_categories=[]), max_size=20))
@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_whatever_text_a_record_holds_the_output_is_ascii(spec, text):
    model = spec.load_result()
    for form in (
        JsonFormat(model),
        NdjsonFormat(model),
        CsvFormat(model),
        ClixmlDoor(model, spec.name),
        ClixmlFile(model),
    ):
        for content in (text, NASTY):
            written = form.begin() + form.outcome(outcome_of(model, content)) + form.end()
            assert written.isascii()
            assert not set(written) & {chr(number) for number in range(32)} - set("\n\r") or isinstance(form, CsvFormat)
