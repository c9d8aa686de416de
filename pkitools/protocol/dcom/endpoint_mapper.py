"""ept_map (C706 appendix O, MS-RPCE 2.2.1.2.5): which TCP port serves an interface, asked without authentication."""

from __future__ import annotations

from pkitools.protocol.dcom.ids import NDR, Interface
from pkitools.protocol.dcom.ndr import NdrReader, NdrWriter

OPNUM_EPT_MAP = 3
EPT_S_NOT_REGISTERED = 0x16C9A0D6
MAX_TOWERS = 4
MAX_TOWERS_READ = 64


def pack_ept_map(interface: Interface) -> bytes:
    """The request stub: a tower of five floors that asks for TCP over IPv4 (C706 appendix L)."""
    tower = (5).to_bytes(2, "little") + _uuid_floor(interface) + _uuid_floor(NDR)
    tower += b"\x01\x00\x0b\x02\x00\x00\x00" + b"\x01\x00\x07\x02\x00\x00\x00" + b"\x01\x00\x09\x04\x00\x00\x00\x00\x00"
    writer = NdrWriter().referent().raw(bytes(16)).referent().u32(len(tower)).u32(len(tower)).raw(tower)
    return writer.align(4).raw(bytes(20)).u32(MAX_TOWERS).pack()


def _uuid_floor(interface: Interface) -> bytes:
    left = b"\x0d" + interface.uuid.bytes_le + interface.major.to_bytes(2, "little")
    return len(left).to_bytes(2, "little") + left + b"\x02\x00" + interface.minor.to_bytes(2, "little")


def unpack_ept_map(stub: bytes) -> tuple[int, tuple[int, ...]]:
    """Status and the TCP ports of the towers in the reply."""
    reader = NdrReader(stub, "ept_map reply")
    reader.raw(20)
    number = reader.u32()
    reader.u32()
    reader.u32()
    if reader.u32() != number or number > MAX_TOWERS_READ:
        raise reader.fail(f"{number} towers")
    present = [reader.pointer() for _ in range(number)]
    ports = tuple(port for there in present if there and (port := _tower_port(reader)))
    return reader.u32(), ports


def _tower_port(reader: NdrReader) -> int | None:
    size = reader.count(1)
    if reader.u32() != size:
        raise reader.fail("the two lengths of a tower differ")
    tower = NdrReader(reader.raw(size), "tower")
    reader.align(4)
    for _ in range(tower.u16()):
        left = tower.raw(int.from_bytes(tower.raw(2), "little"))
        right = tower.raw(int.from_bytes(tower.raw(2), "little"))
        if left == b"\x07" and len(right) == 2:
            return int.from_bytes(right, "big")
    return None
