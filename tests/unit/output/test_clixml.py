from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Flag, IntEnum

import psrpcore.types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import ConnectError, PkiToolsError
from pkitools.output.clixml import Writer, document, escape
from pkitools.output.clixml_format import ClixmlDoor, ClixmlFile
from pkitools.output.error_records import record_of
from pkitools.protocol.clixml import read_clixml
from tests.unit.cli.sample import Sample, _one
from tests.unit.output.test_records import TEXT, outcome


class Kind(IntEnum):
    ONE = 1


class Bits(Flag):
    A = 1
    B = 2


def door_lines(text: str) -> list[str]:
    lines = text.split("\n")
    assert lines[0] == "#< CLIXML"
    assert lines[-1] == ""
    return lines[1:-1]


def test_door_is_the_tag_and_one_document_a_line():
    form = ClixmlDoor(Sample, "sample")
    text = (
        form.begin() + "".join(form.outcome(item) for name in ("a", "dead") for item in _one(name, False)) + form.end()
    )
    lines = door_lines(text)
    assert len(lines) == 2
    assert all(line.startswith("<Objs ") and line.endswith("</Objs>") for line in lines)


def test_psrpcore_reads_what_we_write():
    form = ClixmlDoor(Sample, "sample")
    line = form.outcome(next(iter(_one("expired", False))))
    read = psrpcore.types.deserialize_clixml(line, None, preserve_streams=True)[0][0]
    assert "PkiTools.Sample" in read.PSTypeNames[0]
    assert read.DisplayName == "expired"
    assert read.OID == "1.2.3"
    assert list(read.Names) == ["a", "expired"]
    assert read.Findings[0].CodeHex == "0x800B0101"
    assert bytes(read.Inner.Raw) == b"\xff\x00"


@given(TEXT)
def test_any_text_survives_as_ascii_without_a_line_break(text: str) -> None:
    form = ClixmlDoor(Sample, "sample")
    line = form.outcome(outcome(text))
    assert line.isascii()
    assert line.count("\n") == 1
    read = psrpcore.types.deserialize_clixml(line, None, preserve_streams=True)[0][0]
    assert str(read.DisplayName) == text


@given(TEXT)
def test_our_reader_reads_our_writer(text: str) -> None:
    form = ClixmlFile(Sample)
    form.outcome(outcome(text))
    # The reader has no use for a lone surrogate and says U+FFFD.
    expected = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert read_clixml(form.end().encode("ascii"))[0].properties["DisplayName"] == expected


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | TEXT
    | st.binary(max_size=20)
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas(timedelta(days=-1000), timedelta(days=1000))
    | st.sampled_from([Kind.ONE, Bits.A, Bits.A | Bits.B, Bits(0)]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=15,
)


@given(VALUES)
def test_whatever_is_written_is_one_well_formed_ascii_document(value: object) -> None:
    text = document(Writer().value(value))
    assert text.isascii()
    assert "\n" not in text
    psrpcore.types.deserialize_clixml(text, None, preserve_streams=True)


def test_times_say_plus_zero_so_that_powershell_makes_them_local():
    text = Writer().value(datetime(2026, 1, 2, 3, 4, 5, 600000, tzinfo=UTC))
    assert text == "<DT>2026-01-02T03:04:05.6000000+00:00</DT>"
    assert Writer().value(datetime(1, 1, 1, tzinfo=UTC)) == "<DT>0001-01-01T00:00:00.0000000+00:00</DT>"


def test_flags_are_enum_objects_and_named_enums_strings():
    flags = Writer().value(Bits.A | Bits.B)
    assert "<T>System.Enum</T>" in flags
    assert "<ToString>A, B</ToString><I32>3</I32>" in flags


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("_x0041_", "_x005F_x0041_"),
        ("_X0041_", "_x005F_X0041_"),
        ("a\nb", "a_x000A_b"),
        ("\ud800", "_xD800_"),
        ("ü\U0001f511", "&#252;&#128273;"),
        ('<&>"', "&lt;&amp;&gt;&quot;"),
    ],
)
def test_escapes(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_a_property_without_a_name_cannot_be_written():
    with pytest.raises(ValueError, match="abort"):
        Writer().value("x", "")


REQUIRED = (
    "Exception TargetObject FullyQualifiedErrorId ErrorCategory_Category ErrorCategory_Activity ErrorCategory_Reason "
    "ErrorCategory_TargetName ErrorCategory_TargetType ErrorCategory_Message SerializeExtendedInfo"
).split()


@pytest.mark.parametrize(
    "error", [ConnectError("a", hint="b", code="RPC_S_SERVER_UNAVAILABLE"), PkiToolsError("\ud800")]
)
def test_an_error_record_has_all_that_powershell_requires(error: PkiToolsError) -> None:
    text = document(Writer().error(record_of(error, "sample")))
    assert '<Obj S="Error"' in text
    for name in REQUIRED:
        assert f'N="{name}"' in text
    assert '<B N="SerializeExtendedInfo">false</B>' in text


def test_hresult_of_a_win32_code_is_made_an_hresult():
    record = record_of(ConnectError("a", code="RPC_S_SERVER_UNAVAILABLE"), "x")
    assert record.hresult & 0xFFFFFFFF == 0x800706BA


def test_an_information_record_has_all_that_powershell_requires() -> None:
    text = document(Writer().information("a"))
    for name in ("MessageData", "Source", "TimeGenerated", "Tags", "User", "Computer"):
        assert f'N="{name}"' in text
    for name in ("ProcessId", "NativeThreadId", "ManagedThreadId"):
        assert f'<U32 N="{name}">' in text
