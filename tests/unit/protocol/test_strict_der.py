import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol.strict_der import Reader


def read(hexadecimal: str):
    return Reader(bytes.fromhex(hexadecimal)).read()


@pytest.mark.parametrize(
    ("encoded", "value"),
    [("020100", 0), ("0201ff", -1), ("02020080", 128), ("0a0103", 3)],
)
def test_integers(encoded, value):
    assert read(encoded).integer() == value


@pytest.mark.parametrize(
    ("encoded", "value"),
    [("06032a0304", "1.2.3.4"), ("0603551d11", "2.5.29.17"), ("0602883703"[:8], "2.999"), ("06012a", "1.2")],
)
def test_object_identifiers(encoded, value):
    assert read(encoded).oid() == value


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("0c04c3a9c3a5", "éå"),
        ("1e0400e90041", "éA"),
        ("1c04000001f4"[:12], "\u01f4"),
        ("1401e9", "é"),
        ("1301ff", "\ufffd"),
    ],
)
def test_text(encoded, text):
    assert read(encoded).text() == text


def test_times():
    assert read("170d3530303130313030303030305a").time() == datetime.datetime(1950, 1, 1, tzinfo=datetime.UTC)
    assert read("170d3439303130313030303030305a").time().year == 2049
    assert read("180f39393939313233313233353935395a").time().year == 9999


@pytest.mark.parametrize(
    "encoded",
    [
        "170b303130313031303030305a",  # no seconds
        "180f30303030303130313030303030305a",  # year 0
        "170d3236303233303030303030305a",  # 30 February
        "17113236303130313030303030302b30313030",  # offset
        "0c00",
        "170d32363032333030303030305ab2",
    ],
)
def test_times_that_are_none(encoded):
    with pytest.raises(FormatError):
        read(encoded).time()


@pytest.mark.parametrize(
    "encoded", ["", "30", "3080", "3085000000000100", "300201", "1f8101", "30840000", "308401000000"]
)
def test_broken_lengths(encoded):
    with pytest.raises(FormatError):
        read(encoded)


def test_wrong_type_and_left_overs_are_named():
    reader = Reader(bytes.fromhex("0201000500"))
    with pytest.raises(FormatError, match="0x02 instead of 0x30"):
        reader.sequence()
    assert reader.optional(0x30) is None
    reader.read(0x02)
    assert (reader.peek(), reader.position) == (0x05, 3)
    with pytest.raises(FormatError, match="left-over"):
        reader.require_end()


def test_children_end_where_their_parent_ends():
    with pytest.raises(FormatError, match="longer than what holds it"):
        Reader(bytes.fromhex("30030204010203")).sequence().read()


def test_bits():
    assert read("03020780").bits() == (0,)
    assert read("0303078001").bits() == (0, 15)
    with pytest.raises(FormatError):
        read("0300").bits()
    with pytest.raises(FormatError):
        read("03020980").bits()


@given(st.binary(max_size=60))
def test_any_bytes_give_values_or_a_format_error(data):
    try:
        for value in Reader(data).rest():
            for read_as in (value.integer, value.oid, value.text, value.time, value.bits, value.boolean):
                try:
                    read_as()
                except FormatError:
                    pass
    except FormatError:
        pass
