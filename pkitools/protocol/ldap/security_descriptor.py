"""Self-relative security descriptors with their discretionary access list (MS-DTYP 2.4.4, 2.4.5, 2.4.6)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from uuid import UUID

from pkitools.errors import FormatError
from pkitools.protocol.sid import pack_sid, unpack_sid

# ACCESS_MASK bits of directory objects, MS-ADTS 5.1.3.2
DS_CREATE_CHILD = 0x1
DS_WRITE_PROP = 0x20
DS_CONTROL_ACCESS = 0x100
WRITE_DAC = 0x40000
WRITE_OWNER = 0x80000
GENERIC_ALL = 0x10000000
DS_GENERIC_READ = 0x20094
DS_GENERIC_EXECUTE = 0x20004
DS_GENERIC_ALL = 0xF01FF

# ACE types, MS-DTYP 2.4.4.1
ACCESS_ALLOWED = 0x00
ACCESS_DENIED = 0x01
ACCESS_ALLOWED_OBJECT = 0x05
ACCESS_DENIED_OBJECT = 0x06
_OBJECT_TYPES = frozenset((0x05, 0x06, 0x07, 0x08, 0x0B, 0x0C, 0x0F, 0x10))

# ACE flags
INHERIT_ONLY_ACE = 0x08
INHERITED_ACE = 0x10

SE_DACL_PRESENT = 0x0004
SE_SELF_RELATIVE = 0x8000

_HEADER = struct.Struct("<BBHIIII")
_ACL = struct.Struct("<BBHHH")
_ACE = struct.Struct("<BBHI")


@dataclass(frozen=True, slots=True)
class Ace:
    """One access control entry. ``object_type`` limits it to one right or property; None means all of them.

    Types other than the four above (audit, conditional) are kept with their number; ``application_data`` is what
    follows the SID.
    """

    type: int
    flags: int
    mask: int
    sid: str
    object_type: UUID | None = None
    inherited_object_type: UUID | None = None
    application_data: bytes = b""

    @property
    def is_inherited(self) -> bool:
        """Whether the entry comes from a container above."""
        return bool(self.flags & INHERITED_ACE)

    @property
    def applies_here(self) -> bool:
        """Whether the entry counts for the object itself and not for its children alone."""
        return not self.flags & INHERIT_ONLY_ACE

    def pack(self) -> bytes:
        """The bytes of the entry, padded to four."""
        body = b""
        if self.type in _OBJECT_TYPES:
            present = (1 if self.object_type else 0) | (2 if self.inherited_object_type else 0)
            body = struct.pack("<I", present)
            body += b"".join(guid.bytes_le for guid in (self.object_type, self.inherited_object_type) if guid)
        body += pack_sid(self.sid) + self.application_data
        body += b"\0" * (-len(body) % 4)
        return _ACE.pack(self.type, self.flags, _ACE.size + len(body), self.mask) + body

    @classmethod
    def unpack(cls, data: bytes) -> Ace:
        """The entry that fills ``data``. Raises FormatError when it is cut short or its sizes contradict each other."""
        type_, flags, _, mask = _ACE.unpack(_take(data, 0, _ACE.size, "an access control entry"))
        at = _ACE.size
        guids: list[UUID | None] = [None, None]
        if type_ in _OBJECT_TYPES:
            present = int.from_bytes(_take(data, at, 4, "the flags of an object entry"), "little")
            at += 4
            for index, bit in enumerate((1, 2)):
                if present & bit:
                    guids[index] = UUID(bytes_le=_take(data, at, 16, "an object type"))
                    at += 16
        size = 8 + 4 * _take(data, at, 8, "the SID of an entry")[1]
        sid = unpack_sid(_take(data, at, size, "the SID of an entry"))
        return cls(type_, flags, mask, sid, guids[0], guids[1], data[at + size :])


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """Owner, group and discretionary access list; ``dacl`` None means that there is none: everything is allowed.

    The system access list (auditing) is not read.
    """

    control: int
    owner: str | None
    group: str | None
    dacl: tuple[Ace, ...] | None

    def pack(self) -> bytes:
        """The self-relative form, without a system access list."""
        parts = [b"", b"", b""]
        parts[0] = pack_sid(self.owner) if self.owner else b""
        parts[1] = pack_sid(self.group) if self.group else b""
        control = self.control | SE_SELF_RELATIVE
        if self.dacl is not None:
            aces = b"".join(ace.pack() for ace in self.dacl)
            parts[2] = _ACL.pack(4, 0, _ACL.size + len(aces), len(self.dacl), 0) + aces
            control |= SE_DACL_PRESENT
        offsets, at = [], _HEADER.size
        for part in parts:
            offsets.append(at if part else 0)
            at += len(part)
        return _HEADER.pack(1, 0, control, offsets[0], offsets[1], 0, offsets[2]) + b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes) -> SecurityDescriptor:
        """Raises FormatError when the descriptor is cut short, not self-relative, or points outside itself."""
        header = _take(data, 0, _HEADER.size, "a security descriptor")
        revision, _, control, owner, group, _, dacl = _HEADER.unpack(header)
        if revision != 1 or not control & SE_SELF_RELATIVE:
            raise FormatError(f"not a self-relative security descriptor: revision {revision}, control 0x{control:04X}")
        present = bool(control & SE_DACL_PRESENT and dacl)
        return cls(control, _sid_at(data, owner), _sid_at(data, group), _unpack_acl(data, dacl) if present else None)


def _take(data: bytes, at: int, size: int, what: str) -> bytes:
    if at + size > len(data):
        raise FormatError(f"{what} ends early: {size} bytes from {at}, but only {len(data)} are there")
    return data[at : at + size]


def _sid_at(data: bytes, at: int) -> str | None:
    if at == 0:
        return None
    size = 8 + 4 * _take(data, at, 8, "a SID")[1]
    return unpack_sid(_take(data, at, size, "a SID"))


def _unpack_acl(data: bytes, at: int) -> tuple[Ace, ...]:
    revision, _, size, count, _ = _ACL.unpack(_take(data, at, _ACL.size, "an access list"))
    if revision not in {2, 4}:
        raise FormatError(f"not an access list: revision {revision}")
    acl = _take(data, at, size, "an access list")
    aces, position = [], _ACL.size
    for _ in range(count):
        length = int.from_bytes(_take(acl, position, 4, "an access control entry")[2:], "little")
        if length < _ACE.size:
            raise FormatError(f"an access control entry of {length} bytes")
        aces.append(Ace.unpack(_take(acl, position, length, "an access control entry")))
        position += length
    return tuple(aces)
