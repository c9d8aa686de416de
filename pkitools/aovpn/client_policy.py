"""The client's custom IPsec policy as rasphone.pbk keeps it: ``CustomIPSecPolicies``, six little-endian numbers."""

from __future__ import annotations

import struct
from typing import Final

from pkitools.aovpn.policy import code_of, code_was_seen, word_of_code
from pkitools.errors import FormatError, InputError
from pkitools.models.ipsec import (
    AuthenticationTransformConstants,
    CipherTransformConstants,
    DHGroup,
    EncryptionMethod,
    IntegrityCheckMethod,
    IPsecPolicy,
    PfsGroup,
)

# Of the 720 orders of six fields the one that all published values of real Windows agree with.
_ORDER: Final = (
    IntegrityCheckMethod,
    EncryptionMethod,
    DHGroup,
    CipherTransformConstants,
    AuthenticationTransformConstants,
    PfsGroup,
)


def unpack_policy(blob: bytes) -> tuple[tuple[int, ...], IPsecPolicy | None, tuple[str, ...]]:
    """The six numbers, the policy they mean, and a note for each number whose meaning was not seen in a real phonebook.

    The policy is None when a number is in no enumeration of the Windows SDK. Raises FormatError: not 24 bytes.
    """
    if len(blob) != 24:
        raise FormatError(f"CustomIPSecPolicies holds {len(blob)} bytes, not 24")
    codes = struct.unpack("<6I", blob)
    integrity = word_of_code(IntegrityCheckMethod, codes[0])
    encryption = word_of_code(EncryptionMethod, codes[1])
    group = word_of_code(DHGroup, codes[2])
    cipher = word_of_code(CipherTransformConstants, codes[3])
    authentication = word_of_code(AuthenticationTransformConstants, codes[4])
    pfs = word_of_code(PfsGroup, codes[5])
    notes = [
        f"{kind.__name__} {code} is {member.value} by the SDK enumeration"
        if (member := word_of_code(kind, code))
        else f"{kind.__name__} {code} is in no SDK enumeration"
        for kind, code in zip(_ORDER, codes, strict=True)
        if not code_was_seen(kind, code)
    ]
    if not (integrity and encryption and group and cipher and authentication and pfs):
        return codes, None, tuple(notes)
    return codes, IPsecPolicy(authentication, cipher, group, integrity, pfs, encryption), tuple(notes)


def pack_policy(policy: IPsecPolicy) -> bytes:
    """The 24 bytes of a policy. Raises InputError for a word that has no number (cipher None, authentication None)."""
    members = (
        policy.integrity_check_method,
        policy.encryption_method,
        policy.dh_group,
        policy.cipher_transform_constants,
        policy.authentication_transform_constants,
        policy.pfs_group,
    )
    codes = [code_of(member) for member in members]
    if None in codes:
        raise InputError("a policy with cipher None or authentication None has no known form in rasphone.pbk")
    return struct.pack("<6I", *codes)
