"""The BER reader and DER writer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol import der


@given(st.integers(min_value=-(1 << 200), max_value=1 << 200))
@settings(max_examples=100)
def test_integers_come_back(value):
    assert der.Reader(der.integer(value)).integer("x", max_octets=64) == value


@pytest.mark.parametrize(
    "text", ["1.2.840.113549.1.12.10.1.3", "2.5.29.15", "0.9.2342", "2.999.1", "1.3.6.1.4.1.311.17.1"]
)
def test_oids_come_back(text):
    assert der.Reader(der.oid(text)).oid("x") == text


@pytest.mark.parametrize("text", ["3.1", "1.40", "1.-2", "1", "a.b"])
def test_what_is_no_oid_is_refused(text):
    with pytest.raises(ValueError):
        der.oid(text)


def test_lengths():
    for size in (0, 127, 128, 255, 256, 70_000):
        assert der.Reader(der.octet_string(bytes(size))).octets("x") == bytes(size)


def test_set_of_is_sorted():
    assert der.set_of([der.integer(3), der.integer(1)]) == bytes.fromhex("3106020101020103")


def test_indefinite_lengths_and_strings_in_parts():
    part = bytes.fromhex("2480") + der.octet_string(b"ab") + bytes.fromhex("2404") + der.octet_string(b"cd") + b"\0\0"
    reader = der.Reader(b"\x30\x80" + part + der.integer(5) + b"\0\0" + b"rest")
    inner = reader.sequence("x")
    assert inner.octets("y") == b"abcd"
    assert inner.integer("z") == 5
    assert not inner.more()
    assert reader.ber
    assert reader.position == len(b"\x30\x80" + part + der.integer(5) + b"\0\0")


def test_implicit_octets_in_parts():
    whole = bytes.fromhex("a080") + der.octet_string(b"ab") + der.octet_string(b"c") + b"\0\0"
    assert der.Reader(whole).octets("x", 0x80) == b"abc"
    assert der.Reader(der.element(0x80, b"abc")).octets("x", 0x80) == b"abc"


def test_offsets_go_on_inside_octet_strings():
    inner = der.Reader(der.octet_string(der.sequence(der.integer(1)))).inside_octets("x")
    with pytest.raises(der.DerError) as caught:
        inner.sequence("y").octets("z")
    assert caught.value.offset == 4
    assert "byte 4" in caught.value.message


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "found the end"),
        ("30", "middle of an element"),
        ("3005", "5 bytes where 0 are left"),
        ("308201", "middle of a length"),
        ("3f8101", "sequence"),
        ("3080020101", "middle of an element"),
        ("30ff" + "ff" * 127, "bytes where"),
        ("0480", "sequence"),
    ],
)
def test_damage_is_named(data, problem):
    with pytest.raises(der.DerError, match=r"byte 0|byte 5|byte 2") as caught:
        der.Reader(bytes.fromhex(data)).sequence("sequence").finish()
    assert problem in caught.value.message


def test_nesting_is_capped():
    deep = b""
    for _ in range(200):
        deep = der.sequence(deep)
    reader = der.Reader(deep)
    with pytest.raises(der.DerError, match="nested too deeply"):
        while True:
            reader = reader.sequence("x")


def test_indefinite_nesting_is_capped_and_searched_once():
    with pytest.raises(der.DerError, match="nested too deeply"):
        der.Reader(b"\x30\x80" * 5000).sequence("x")
    elements = b"\x30\x80" * 50 + b"\2\1\1" * 1000 + b"\0\0" * 50
    reader = der.Reader(elements)
    for _ in range(50):
        reader = reader.sequence("x")
    assert reader.integer("y") == 1


def test_elements_are_capped():
    with pytest.raises(der.DerError, match="too many elements"):
        der.Reader(b"\x30\x80" + b"\5\0" * (der.MAX_ELEMENTS + 10) + b"\0\0").sequence("x")


def test_left_overs_are_complained_of():
    reader = der.Reader(der.integer(1) + b"x")
    reader.integer("x")
    with pytest.raises(der.DerError, match="1 bytes too many"):
        reader.finish()


@given(st.binary(max_size=60))
@settings(max_examples=300)
def test_hostile_bytes_raise_only_our_errors(data):
    for read in (
        lambda r: r.sequence("x").any(),
        lambda r: r.octets("x"),
        lambda r: r.inside_octets("x").sequence("y"),
        lambda r: r.oid("x"),
        lambda r: r.integer("x"),
        lambda r: r.enter(der.context(0), "x").octets("y", 0x80),
    ):
        try:
            read(der.Reader(data))
        except FormatError:
            pass
