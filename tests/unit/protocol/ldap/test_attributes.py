from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.models.directory import UndecodableValue
from pkitools.protocol.ldap.attributes import AttributeReader, decode_int32, decode_time
from pkitools.protocol.ldap.periods import pack_period, period_text, unpack_period


def test_names_ignore_case_and_absent_is_none() -> None:
    reader = AttributeReader({"msPKI-Enrollment-Flag": (b"41",), "empty": ()})
    assert reader.int32("mspki-enrollment-flag") == 41
    assert reader.text("displayName") is None
    assert reader.texts("empty") == ()
    assert not reader.has("empty")
    assert reader.undecodable == []


def test_the_sign_bit_is_a_flag() -> None:
    reader = AttributeReader({"a": (b"-2113929216",)})
    assert reader.flags("a") == 0x82000000
    assert reader.int32("a") == -2113929216


@pytest.mark.parametrize(
    "raw", [b"", b"0x10", b"1.0", b" 1", b"2147483648", b"-2147483649", b"9" * 40, b"\xff", "١".encode()]
)
def test_bad_integers_are_kept_as_they_were(raw: bytes) -> None:
    reader = AttributeReader({"revision": (raw,)})
    assert reader.int32("revision") is None
    assert [(item.attribute, item.value) for item in reader.undecodable] == [("revision", raw)]


def test_text_that_is_not_utf8_stays_readable_and_is_noted() -> None:
    reader = AttributeReader({"displayName": (b"K\xf6ln",), "list": ("Übung".encode(), b"\xff")})
    assert reader.text("displayName") == "K\\xf6ln"
    assert reader.texts("list") == ("Übung", "\\xff")
    assert reader.undecodable == [
        UndecodableValue("displayName", b"K\xf6ln", "not UTF-8"),
        UndecodableValue("list", b"\xff", "not UTF-8"),
    ]


def test_times() -> None:
    assert decode_time(b"20231105081530.0Z") == datetime(2023, 11, 5, 8, 15, 30, tzinfo=UTC)
    for bad in (b"", b"20231105081530", b"20231305081530.0Z", b"99999999999999.0Z", b"20231105081530.0Z\n"):
        with pytest.raises(FormatError):
            decode_time(bad)


# octets of a real forest, and what the Certificate Templates console and PSPKI say of them
@pytest.mark.parametrize(
    ("octets", "text"),
    [
        ("004039872ee1feff", "1 years"),
        ("0080a60affdeffff", "6 weeks"),
        ("00401ea4e865faff", "5 years"),
        ("0080720e5dc2fdff", "2 years"),
        ("00c01bd77ffaffff", "1 weeks"),
        ("004096d536ffffff", "1 days"),
        ("008037aefff4ffff", "2 weeks"),
        ("00802cab6dfeffff", "2 days"),
        ("0000000000000000", "0 hours"),
        ("ffffffffffffffff", "0 hours"),
        ("0000000000000080", "256204778 hours"),
    ],
)
def test_periods(octets: str, text: str) -> None:
    assert period_text(unpack_period(bytes.fromhex(octets))) == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [(8, "8 hours"), (90 * 24, "3 months"), (42 * 24, "6 weeks"), (25, "25 hours"), (8760 * 30, "30 years")],
)
def test_period_wording(hours: int, text: str) -> None:
    assert period_text(unpack_period(pack_period(hours))) == text


@pytest.mark.parametrize("octets", [b"", b"\0" * 7, b"\0" * 9, b"\1" + b"\0" * 7, b"\xff" * 7 + b"\x7f"])
def test_what_is_no_period(octets: bytes) -> None:
    reader = AttributeReader({"pKIExpirationPeriod": (octets,)})
    assert reader.period_hours("pKIExpirationPeriod") is None
    assert reader.undecodable[0].value == octets


@given(st.binary(max_size=30))
def test_any_bytes(data: bytes) -> None:
    for decode in (decode_int32, decode_time, unpack_period):
        try:
            decode(data)
        except FormatError:
            pass
