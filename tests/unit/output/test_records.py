from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pkitools.models.outcome import Outcome, Status
from pkitools.output.csv_format import CsvFormat
from pkitools.output.json_format import NdjsonFormat
from pkitools.output.text import escape
from tests.unit.cli.sample import Inner, Sample, _one

TEXT = st.text(st.characters(exclude_categories=[]), max_size=30)  # lone surrogates too


def outcome(text: str) -> Outcome[Sample]:
    made = next(iter(_one("good", False)))
    assert isinstance(made, Outcome)
    assert isinstance(made.value, Sample)
    from dataclasses import replace

    return Outcome(text, Status.OK, replace(made.value, display_name=text, names=(text,), inner=Inner(text, b"")))


@given(TEXT)
def test_json_survives_any_text_as_ascii(text: str) -> None:
    line = NdjsonFormat(Sample).outcome(outcome(text))
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line)["DisplayName"] == text


@given(TEXT)
def test_csv_is_ascii(text: str) -> None:
    assert CsvFormat(Sample).outcome(outcome(text)).isascii()


def test_csv_hands_no_control_character_to_a_terminal() -> None:
    row = CsvFormat(Sample).outcome(outcome("a\x1b]0;x\x07\r\nb"))
    assert "a\\u001b]0;x\\u0007\\r\\nb" in row
    assert row.rstrip("\n").isprintable()


@given(TEXT)
def test_escaped_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    shown = escape(text)
    assert shown.isprintable()
    shown.encode("utf-8")
