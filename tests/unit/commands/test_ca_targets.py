from __future__ import annotations

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.commands.ca_targets import config_strings, read_targets
from pkitools.errors import FormatError

NAMES = ["ca1.ad.example.test\\K!00f6ln", "ca2\\Zweite CA 😀"]
RECORDS = [{"Name": "x", "ConfigString": name} for name in NAMES]
CLIXML = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0">'
    '<TN RefId="0"><T>PKI.CertificateServices.CertificateAuthority</T></TN><MS><S N="ConfigString">ca1\\Erste</S></MS>'
    "</Obj></Objs>"
)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORDS),
        json.dumps(RECORDS, ensure_ascii=False, indent=2),
        "\n".join(json.dumps(item) for item in RECORDS),
        json.dumps(NAMES),
        json.dumps([{"configstring": name} for name in NAMES]),
    ],
)
def test_what_get_ca_and_powershell_write(text: str) -> None:
    assert config_strings(text.encode()) == NAMES
    assert config_strings(text.encode("utf-16")) == NAMES


def test_one_object_clixml_and_nothing() -> None:
    assert config_strings(json.dumps(RECORDS[0]).encode()) == NAMES[:1]
    assert config_strings(CLIXML.encode()) == ["ca1\\Erste"]
    assert config_strings(b" \n") == []


@pytest.mark.parametrize("text", ["{", "[1]", "nonsense", '[{"Name": "x"}]', '{"ConfigString": ""}', "[" * 100_000])
def test_anything_else_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(FormatError):
        config_strings(text.encode())


@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    try:
        config_strings(data)
    except FormatError:
        pass


def test_arguments_and_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_targets([]) == []
    assert read_targets(["a", "b"]) == ["a", "b"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(RECORDS).encode())))
    assert read_targets(["first", "-"]) == ["first", *NAMES]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"[]")))
    assert read_targets(["-"]) is None, "no record on standard input is not every CA"


def test_lists_and_tables_of_export_clixml():
    head = '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    one = '<Obj RefId="{0}"><MS><S N="ConfigString">ca{0}\\x</S></MS></Obj>'
    many = f'{head}<Obj RefId="0"><LST>{one.format(1)}{one.format(2)}</LST></Obj></Objs>'
    assert config_strings(many.encode()) == ["ca1\\x", "ca2\\x"]
    table = f'{head}<Obj RefId="0"><DCT><En><S N="Key">configstring</S><S N="Value">c\\x</S></En></DCT></Obj></Objs>'
    assert config_strings(table.encode()) == ["c\\x"]
