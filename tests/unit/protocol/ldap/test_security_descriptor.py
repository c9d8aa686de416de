from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkitools.errors import FormatError
from pkitools.protocol.ldap.security_descriptor import Ace, SecurityDescriptor
from tests.lab.sddl import descriptor_bytes

DOMAIN = "S-1-5-21-1111111111-2222222222-3333333333"
ENROLL = UUID("0e10c968-78fb-11d2-90d4-00c04f79dc55")
SDDL = f"O:EAG:EAD:PAI(OA;;RPWPCR;{ENROLL};;DA)(OD;CIIO;CR;{ENROLL};{ENROLL};DU)(A;ID;LCRPLORC;;;AU)(D;;CR;;;WD)"
RAW = descriptor_bytes(SDDL, DOMAIN)

# owner and group SYSTEM, one allow entry for Everyone: written out by hand after MS-DTYP 2.4.6
BY_HAND = bytes.fromhex(
    "01000480 30000000 3c000000 00000000 14000000"
    "02001c00 01000000 00001400 94000200 010100000000000100000000"
    "010100000000000512000000 010100000000000512000000"
)


def test_bytes_by_hand() -> None:
    assert SecurityDescriptor.unpack(BY_HAND) == SecurityDescriptor(
        0x8004, "S-1-5-18", "S-1-5-18", (Ace(0, 0, 0x20094, "S-1-1-0"),)
    )


def test_object_deny_and_inherited_entries() -> None:
    read = SecurityDescriptor.unpack(RAW)
    assert read.owner == read.group == f"{DOMAIN}-519"
    assert read.dacl == (
        Ace(5, 0, 0x130, f"{DOMAIN}-512", ENROLL),
        Ace(6, 0x0A, 0x100, f"{DOMAIN}-513", ENROLL, ENROLL),
        Ace(0, 0x10, 0x20094, "S-1-5-11"),
        Ace(1, 0, 0x100, "S-1-1-0"),
    )
    assert [ace.is_inherited for ace in read.dacl] == [False, False, True, False]
    assert [ace.applies_here for ace in read.dacl] == [True, False, True, True]


def test_what_was_packed_reads_the_same() -> None:
    read = SecurityDescriptor.unpack(RAW)
    assert SecurityDescriptor.unpack(read.pack()) == read


def test_no_access_list_is_not_an_empty_one() -> None:
    empty = SecurityDescriptor(0x8000, None, None, ())
    none = SecurityDescriptor(0x8000, None, None, None)
    assert SecurityDescriptor.unpack(empty.pack()).dacl == ()
    assert SecurityDescriptor.unpack(none.pack()).dacl is None


def test_every_cut_is_an_error_of_ours_or_leaves_the_list_whole() -> None:
    whole = SecurityDescriptor.unpack(RAW).dacl
    for length in range(len(RAW)):
        with pytest.raises(FormatError):
            SecurityDescriptor.unpack(RAW[:length])
    assert whole is not None


def test_unknown_types_are_kept() -> None:
    conditional = Ace(0x09, 0, 0x100, "S-1-1-0", application_data=b"artx\0\0\0\0")
    read = SecurityDescriptor.unpack(SecurityDescriptor(0x8000, None, None, (conditional,)).pack())
    assert read.dacl == (conditional,)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    try:
        SecurityDescriptor.unpack(data)
    except FormatError:
        pass


@given(st.integers(0, len(RAW) - 1), st.integers(0, 255))
def test_any_changed_byte(at: int, value: int) -> None:
    try:
        SecurityDescriptor.unpack(RAW[:at] + bytes([value]) + RAW[at + 1 :])
    except FormatError:
        pass
