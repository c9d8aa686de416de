"""NDR 2.0, little-endian (C706 14, MS-RPCE 2.2.5): a bounds-checked reader and a writer that keep alignment.

Alignment counts from the start of the stub. A count is never believed before it was held against the bytes that are
left, so a hostile answer cannot make us allocate more than it sent.
"""

from __future__ import annotations

import struct
from uuid import UUID

from pkitools.errors import ProtocolError

REFERENT_BASE = 0x00020000


class NdrWriter:
    """Builds a stub. Referent ids are distinct within one stub: decoders with an alias table rely on it."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._referents = 0

    def __len__(self) -> int:
        return len(self._data)

    def pack(self) -> bytes:
        """The stub so far."""
        return bytes(self._data)

    def align(self, size: int) -> NdrWriter:
        """Pad with zeros to a multiple of ``size``."""
        self._data += bytes(-len(self._data) % size)
        return self

    def raw(self, data: bytes) -> NdrWriter:
        """Bytes as they are."""
        self._data += data
        return self

    def u8(self, value: int) -> NdrWriter:
        """One octet."""
        self._data.append(value & 0xFF)
        return self

    def u16(self, value: int) -> NdrWriter:
        """An aligned unsigned short."""
        self.align(2)._data += struct.pack("<H", value & 0xFFFF)
        return self

    def u32(self, value: int) -> NdrWriter:
        """An aligned unsigned long; negative numbers in two's complement."""
        self.align(4)._data += struct.pack("<I", value & 0xFFFFFFFF)
        return self

    def u64(self, value: int) -> NdrWriter:
        """An aligned unsigned hyper."""
        self.align(8)._data += struct.pack("<Q", value)
        return self

    def guid(self, value: UUID) -> NdrWriter:
        """A GUID: the first three fields little-endian."""
        return self.align(4).raw(value.bytes_le)

    def referent(self) -> NdrWriter:
        """The next referent id of a pointer that is not NULL."""
        value = REFERENT_BASE + 4 * self._referents
        self._referents += 1
        return self.u32(value)

    def null(self) -> NdrWriter:
        """A NULL pointer."""
        return self.u32(0)

    def wide_string(self, text: str) -> NdrWriter:
        """A conformant varying string of wide characters with its NUL (C706 14.3.4.2)."""
        encoded = text.encode("utf-16-le", "surrogatepass") + b"\x00\x00"
        units = len(encoded) // 2
        return self.u32(units).u32(0).u32(units).raw(encoded)

    def unique_wide_string(self, text: str | None) -> NdrWriter:
        """A unique pointer to a wide string, or NULL."""
        return self.null() if text is None else self.referent().wide_string(text)


class NdrReader:
    """Reads a stub. Every violation of its bounds is a ProtocolError."""

    def __init__(self, data: bytes, what: str = "reply") -> None:
        self._data = data
        self._at = 0
        self._what = what

    @property
    def position(self) -> int:
        """Octets read so far."""
        return self._at

    @property
    def left(self) -> int:
        """Octets not read yet."""
        return len(self._data) - self._at

    def fail(self, complaint: str) -> ProtocolError:
        """The error for something wrong at this place."""
        return ProtocolError(f"malformed {self._what}: {complaint} at octet {self._at}")

    def raw(self, size: int) -> bytes:
        """``size`` octets."""
        if size < 0 or size > self.left:
            raise self.fail(f"{size} octets announced, {self.left} left")
        self._at += size
        return self._data[self._at - size : self._at]

    def align(self, size: int) -> NdrReader:
        """Skip the padding to a multiple of ``size``."""
        self.raw(-self._at % size)
        return self

    def u8(self) -> int:
        """One octet."""
        return self.raw(1)[0]

    def u16(self) -> int:
        """An aligned unsigned short."""
        return int.from_bytes(self.align(2).raw(2), "little")

    def u32(self) -> int:
        """An aligned unsigned long."""
        return int.from_bytes(self.align(4).raw(4), "little")

    def i32(self) -> int:
        """An aligned signed long."""
        return int.from_bytes(self.align(4).raw(4), "little", signed=True)

    def u64(self) -> int:
        """An aligned unsigned hyper."""
        return int.from_bytes(self.align(8).raw(8), "little")

    def guid(self) -> UUID:
        """A GUID."""
        return UUID(bytes_le=self.align(4).raw(16))

    def pointer(self) -> bool:
        """A unique pointer: False when it is NULL. The referent's value means nothing here."""
        return self.u32() != 0

    def count(self, item_size: int) -> int:
        """A conformance count of items of at least ``item_size`` octets, held against the octets left."""
        value = self.u32()
        if value * item_size > self.left:
            raise self.fail(f"{value} items announced, {self.left} octets left")
        return value

    def conformant_bytes(self, announced: int) -> bytes:
        """A conformant octet array whose count must equal the length that was announced before it."""
        size = self.count(1)
        if size != announced:
            raise self.fail(f"array of {size} octets, {announced} announced")
        return self.raw(size)

    def wide_string(self) -> str:
        """A conformant varying string of wide characters, without its NUL."""
        maximum, offset, actual = self.u32(), self.u32(), self.u32()
        if offset != 0 or actual > maximum or actual * 2 > self.left:
            raise self.fail(f"string of {actual} characters at offset {offset} of {maximum}, {self.left} octets left")
        text = self.raw(actual * 2).decode("utf-16-le", "surrogatepass")
        return text[:-1] if text.endswith("\x00") else text

    def unique_wide_string(self) -> str | None:
        """A unique pointer to a wide string."""
        return self.wide_string() if self.pointer() else None

    def at_last(self, size: int) -> NdrReader:
        """Stand before the last ``size`` octets: a reply's HRESULT is its last aligned long, whatever stands before."""
        if self.left < size:
            raise self.fail(f"{size} octets expected at the end, {self.left} left")
        self._at = len(self._data) - size
        return self

    def end(self, pad: int = 0) -> None:
        """Complain of octets left over, other than at most ``pad``."""
        if self.left > pad:
            raise self.fail(f"{self.left} octets left over")
