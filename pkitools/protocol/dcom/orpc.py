"""Object RPC (MS-DCOM 2.2): ORPCTHIS, ORPCTHAT, OBJREF, DUALSTRINGARRAY, IRemUnknown."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from pkitools.protocol.dcom.ndr import NdrReader, NdrWriter

SIGNATURE = b"MEOW"
OBJREF_STANDARD = 1
OBJREF_CUSTOM = 4
TOWER_TCP = 7
PUBLIC_REFERENCES = 5
VERSION = (5, 7)

OPNUM_REM_RELEASE = 5


def orpc_this() -> NdrWriter:
    """A request stub that begins with ORPCTHIS (MS-DCOM 2.2.13.3): version 5.7, a fresh causality id, no extensions."""
    return NdrWriter().u16(VERSION[0]).u16(VERSION[1]).u32(0).u32(0).guid(uuid4()).null()


def skip_orpc_that(reader: NdrReader) -> None:
    """Read over ORPCTHAT (MS-DCOM 2.2.13.4) with its extensions, which mean nothing to a client that has none."""
    reader.u32()
    if not reader.pointer():
        return
    reader.u32()  # size: announced again below
    reader.u32()
    if not reader.pointer():
        return
    present = [reader.pointer() for _ in range(reader.count(4))]
    for is_there in present:
        if is_there:
            size = reader.count(1)
            reader.u32()
            reader.guid()
            reader.raw(size)


@dataclass(frozen=True, slots=True)
class StringBinding:
    """STRINGBINDING (MS-DCOM 2.2.19.3): the protocol's tower id and ``host[port]``."""

    tower: int
    network_address: str

    @property
    def port(self) -> int | None:
        """The port in brackets, if there is a usable one."""
        _, bracket, rest = self.network_address.rpartition("[")
        digits = rest.removesuffix("]")
        usable = bracket and rest.endswith("]") and digits.isascii() and digits.isdigit() and len(digits) <= 5
        return int(digits) if usable and 0 < int(digits) < 65536 else None

    @property
    def host(self) -> str:
        """The name or address without the port."""
        return self.network_address.partition("[")[0]


@dataclass(frozen=True, slots=True)
class SecurityBinding:
    """SECURITYBINDING (MS-DCOM 2.2.19.4): an authentication service and a principal name."""

    service: int
    principal: str


@dataclass(frozen=True, slots=True)
class DualStringArray:
    """DUALSTRINGARRAY (MS-DCOM 2.2.19.1): where and how a server can be reached."""

    bindings: tuple[StringBinding, ...]
    security: tuple[SecurityBinding, ...]

    @classmethod
    def unpack(cls, reader: NdrReader) -> DualStringArray:
        """The two counts and the entries; ends where the array says, whatever the NUL terminators say."""
        entries, security_at = reader.u16(), reader.u16()
        if security_at > entries:
            raise reader.fail(f"security bindings at {security_at} of {entries}")
        raw = reader.raw(entries * 2)
        units = [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
        bindings = tuple(StringBinding(tower, text) for tower, text in _entries(units[:security_at], 1))
        security = tuple(SecurityBinding(service, text) for service, text in _entries(units[security_at:], 2))
        return cls(bindings, security)

    def tcp_port(self) -> int | None:
        """The port of the first TCP binding. Its host is not for connecting: the address stays the user's."""
        return next((item.port for item in self.bindings if item.tower == TOWER_TCP and item.port), None)


def _entries(units: list[int], head: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    at = 0
    while at < len(units) and units[at] != 0:
        stop = at + head
        while stop < len(units) and units[stop] != 0:
            stop += 1
        text = b"".join(unit.to_bytes(2, "little") for unit in units[at + head : stop])
        found.append((units[at], text.decode("utf-16-le", "surrogatepass")))
        at = stop + 1
    return found


@dataclass(frozen=True, slots=True)
class StandardObjref:
    """OBJREF_STANDARD (MS-DCOM 2.2.18.4) with its STDOBJREF: a reference to an object of the server."""

    iid: UUID
    flags: int
    public_refs: int
    oxid: int
    oid: int
    ipid: UUID
    resolver: DualStringArray

    @classmethod
    def unpack(cls, data: bytes) -> StandardObjref:
        """From an MInterfacePointer's data."""
        reader = NdrReader(data, "object reference")
        if reader.raw(4) != SIGNATURE or reader.u32() != OBJREF_STANDARD:
            raise reader.fail("not a standard object reference")
        iid, flags, refs = reader.guid(), reader.u32(), reader.u32()
        oxid = int.from_bytes(reader.raw(8), "little")
        oid = int.from_bytes(reader.raw(8), "little")
        return cls(iid, flags, refs, oxid, oid, reader.guid(), DualStringArray.unpack(reader))


def pack_custom_objref(iid: UUID, clsid: UUID, data: bytes) -> bytes:
    """OBJREF_CUSTOM (MS-DCOM 2.2.18.6): an object that travels by value."""
    writer = NdrWriter().raw(SIGNATURE).u32(OBJREF_CUSTOM).guid(iid).guid(clsid)
    return writer.u32(0).u32(len(data) + 8).raw(data).pack()


def unpack_custom_objref(data: bytes, iid: UUID, clsid: UUID) -> bytes:
    """The data of an OBJREF_CUSTOM of the expected kind; its size field is ignored, as MS-DCOM 2.2.18.6 says."""
    reader = NdrReader(data, "custom object reference")
    if reader.raw(4) != SIGNATURE or reader.u32() != OBJREF_CUSTOM:
        raise reader.fail("not a custom object reference")
    if (reader.guid(), reader.guid()) != (iid, clsid):
        raise reader.fail("unexpected interface or class")
    reader.raw(reader.u32())  # extensions
    reader.u32()
    return reader.raw(reader.left)


def pack_interface_pointer(writer: NdrWriter, data: bytes) -> None:
    """A unique MInterfacePointer (MS-DCOM 2.2.14)."""
    writer.referent().u32(len(data)).u32(len(data)).raw(data)


def unpack_interface_pointer(reader: NdrReader) -> bytes:
    """The data of an MInterfacePointer whose pointer was read already."""
    size = reader.count(1)
    if reader.u32() != size:
        raise reader.fail("the two lengths of an interface pointer differ")
    return reader.raw(size)


def pack_rem_release(ipids: tuple[UUID, ...]) -> bytes:
    """IRemUnknown::RemRelease (MS-DCOM 3.1.1.5.6.1.3), five public references each."""
    writer = orpc_this().u16(len(ipids)).u32(len(ipids))
    for ipid in ipids:
        writer.guid(ipid).u32(PUBLIC_REFERENCES).u32(0)
    return writer.pack()


def unpack_hresult_only(stub: bytes, what: str) -> int:
    """The HRESULT of a reply that has nothing else."""
    reader = NdrReader(stub, what)
    skip_orpc_that(reader)
    value = reader.u32()
    reader.end()
    return value
