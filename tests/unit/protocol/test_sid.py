from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol.sid import pack_sid, rid_name, unpack_sid, well_known_name

DOMAIN_USERS = bytes.fromhex("0105000000000005150000000102030405060708090a0b0c01020000")


def test_known_bytes() -> None:
    assert unpack_sid(DOMAIN_USERS) == "S-1-5-21-67305985-134678021-202050057-513"
    assert pack_sid("S-1-5-21-67305985-134678021-202050057-513") == DOMAIN_USERS
    assert unpack_sid(bytes.fromhex("010100000000000100000000")) == "S-1-1-0"


def test_an_authority_of_more_than_32_bits_is_hexadecimal() -> None:
    raw = bytes.fromhex("01010102030405060a000000")
    assert unpack_sid(raw) == "S-1-0x010203040506-10"
    assert pack_sid("S-1-0x010203040506-10") == raw


@pytest.mark.parametrize(
    "raw", [b"", DOMAIN_USERS[:-1], DOMAIN_USERS + b"\0", b"\2" + DOMAIN_USERS[1:], b"\1\x10" + bytes(70)]
)
def test_what_is_no_sid(raw: bytes) -> None:
    with pytest.raises(FormatError):
        unpack_sid(raw)


@pytest.mark.parametrize(
    "text", ["", "S-1", "S-2-5", "S-1-5-99999999999", "S-1-281474976710656-1", "x S-1-5", "S-1-5-"]
)
def test_what_is_no_sid_text(text: str) -> None:
    with pytest.raises(FormatError):
        pack_sid(text)


@given(st.integers(0, (1 << 48) - 1), st.lists(st.integers(0, (1 << 32) - 1), max_size=15))
def test_both_ways(authority: int, subs: list[int]) -> None:
    raw = bytes([1, len(subs)]) + authority.to_bytes(6, "big") + b"".join(sub.to_bytes(4, "little") for sub in subs)
    assert pack_sid(unpack_sid(raw)) == raw


def test_names_that_are_the_same_everywhere() -> None:
    assert well_known_name("S-1-5-11") == "NT AUTHORITY\\Authenticated Users"
    assert well_known_name("S-1-5-21-1-2-3-512") is None
    assert rid_name("S-1-5-21-1-2-3-512") == "Domain Admins"
    assert rid_name("S-1-5-32-544") is None
    assert rid_name("S-1-5-21-1-2-3-1104") is None
