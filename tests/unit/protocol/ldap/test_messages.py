"""LDAP answers: read both ways by hand-made bytes, and mutated without end."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkitools.errors import ProtocolError
from pkitools.protocol.ldap.messages import (
    Entry,
    Result,
    message_length,
    read_entry,
    read_message,
    read_result,
)
from tests.lab.ldap_stub import entry, message, paged, result, tlv

ENTRY = bytes.fromhex(
    "3027 020105 6422 0409434e3d4bc3b66c6e2c 3015 3013 0402636e 310d 04064bc3b66c6e21 0403 00ff80".replace(" ", "")
)


def test_an_entry():
    parsed = read_message(ENTRY)
    assert (parsed.message_id, parsed.tag) == (5, 0x64)
    assert read_entry(parsed) == Entry("CN=Köln,", {"cn": ("Köln!".encode(), b"\x00\xff\x80")})


def test_long_lengths_and_no_values():
    data = message(70000, entry("CN=x", big=b"\0" * 70000, none=b""))
    assert read_entry(read_message(data)).attributes == {"big": (b"\0" * 70000,), "none": (b"",)}


def test_a_result_with_its_cookie():
    parsed = read_message(message(1, result(0x65, 4, "zu viel\r\n"), paged(b"\x01\x02")))
    assert read_result(parsed) == Result(4, "zu viel", None, None, b"\x01\x02")


def test_a_bind_result_with_its_token():
    parsed = read_message(message(1, result(0x61, 14, extra=tlv(0xA3, tlv(4, b"ldap://x")) + tlv(0x87, b"token"))))
    assert read_result(parsed).sasl_credentials == b"token"


def test_text_that_is_not_utf8_stays_visible():
    data = tlv(0x30, tlv(2, b"\x01"), tlv(0x65, tlv(10, b"\x01"), tlv(4), tlv(4, b"\xff")))
    assert read_result(read_message(data)).diagnostic == "\\xff"


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b"", None),
        (b"\x30", None),
        (b"\x30\x05", 7),
        (b"\x30\x82\x01", None),
        (b"\x30\x84\x7f\xff\xff\xff", 0x80000005),
    ],
)
def test_message_length(data, length):
    assert message_length(data) == length


@pytest.mark.parametrize("data", [b"\x31", b"\x30\x80", b"\x30\x89" + b"\x01" * 9, b"\x16\x03\x01"])
def test_what_is_no_ldap_message(data):
    with pytest.raises(ProtocolError):
        message_length(data)


def read_all(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        parsed = read_message(data)
        for read in (read_entry, read_result):
            with contextlib.suppress(ProtocolError):
                read(parsed)


@pytest.mark.parametrize("sample", [ENTRY, message(1, result(0x65, 0, "x"), paged(b"abc"))])
def test_every_truncation_and_every_changed_byte(sample):
    for index in range(len(sample)):
        with pytest.raises(ProtocolError):
            read_message(sample[:index])
        for value in (0, 0x7F, 0x80, 0x84, 0xFF):
            read_all(sample[:index] + bytes([value]) + sample[index + 1 :])


@given(st.binary(max_size=200))
@settings(max_examples=300)
def test_any_bytes(data):
    read_all(data)
    read_all(message(1, tlv(0x64, data)))
