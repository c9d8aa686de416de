"""NDR and PDUs for the stand-in, written apart from pkitools' own: offsets into one buffer, struct formats."""

from __future__ import annotations

import struct
import uuid


class Bad(Exception):
    """The client's request cannot be decoded: fault 0x6F7."""


class In:
    """A request stub, read by position."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    def get(self, fmt: str) -> int:
        size = struct.calcsize("<" + fmt)
        self.pos = (self.pos + size - 1) // size * size
        if self.pos + size > len(self.data):
            raise Bad("stub too short")
        (value,) = struct.unpack_from("<" + fmt, self.data, self.pos)
        self.pos += size
        return int(value)

    def take(self, size: int) -> bytes:
        if self.pos + size > len(self.data):
            raise Bad("stub too short")
        self.pos += size
        return self.data[self.pos - size : self.pos]

    def guid(self) -> uuid.UUID:
        self.pos = (self.pos + 3) // 4 * 4
        return uuid.UUID(bytes_le=self.take(16))

    def text(self, limit: int | None = None) -> str:
        """A conformant varying string; ``limit`` is the range of the IDL, in characters with the NUL."""
        most, offset, count = self.get("I"), self.get("I"), self.get("I")
        if offset or count > most or (limit is not None and not 1 <= count <= limit):
            raise Bad("string out of range")
        raw = self.take(2 * count)
        if raw[-2:] != b"\0\0":
            raise Bad("string without its NUL")
        return raw[:-2].decode("utf-16-le")

    def unique_text(self, limit: int | None = None) -> str | None:
        return self.text(limit) if self.get("I") else None

    def orpc_this(self) -> None:
        major, minor, _flags, _reserved = self.get("H"), self.get("H"), self.get("I"), self.get("I")
        if major != 5 or minor > 7:
            raise Bad("COM version")
        self.guid()
        if self.get("I"):
            raise Bad("ORPC extensions are not expected")


class Out:
    """A reply stub."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray(data)
        self.next_referent = 0x72A0

    def pad(self, size: int, fill: bytes = b"\xbf") -> Out:
        """Alignment octets are undefined; filling them with rubbish shows a client that reads them."""
        self.data += fill * (-len(self.data) % size)
        return self

    def put(self, fmt: str, *values: int) -> Out:
        for value in values:
            size = struct.calcsize("<" + fmt)
            self.pad(size)
            self.data += struct.pack("<" + fmt, value)
        return self

    def ref(self) -> Out:
        self.next_referent += 0x10
        return self.put("I", self.next_referent)

    def add(self, data: bytes) -> Out:
        self.data += data
        return self

    def guid(self, value: uuid.UUID) -> Out:
        return self.pad(4).add(value.bytes_le)

    def blob(self, data: bytes, lie: int = 0) -> Out:
        self.put("I", len(data) + lie)
        if data:
            self.ref().put("I", len(data) + lie).add(data).pad(4)
        else:
            self.put("I", 0)
        return self


ORPC_THAT = struct.pack("<II", 1, 0)


def dual_string_array(bindings: tuple[tuple[int, str], ...], security: tuple[tuple[int, str], ...]) -> bytes:
    """wNumEntries, wSecurityOffset, the strings, the security bindings."""
    first = b"".join(struct.pack("<H", tower) + (text + "\0").encode("utf-16-le") for tower, text in bindings) + b"\0\0"
    second = b"".join(struct.pack("<HH", kind, 0xFFFF) + (text + "\0").encode("utf-16-le") for kind, text in security)
    second += b"\0\0"
    return struct.pack("<HH", (len(first) + len(second)) // 2, len(first) // 2) + first + second


def pdu(kind: int, flags: int, call_id: int, body: bytes, auth: bytes = b"", auth_size: int = 0) -> bytes:
    """A fragment; ``auth`` is the trailer with its value of ``auth_size`` octets."""
    return (
        struct.pack("<BBBB4sHHI", 5, 0, kind, flags, b"\x10\0\0\0", 16 + len(body) + len(auth), auth_size, call_id)
        + body
        + auth
    )
