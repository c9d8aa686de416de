"""Activation of remote objects: RemoteCreateInstance (MS-DCOM 3.1.2.5.2.3.3), RemoteActivation (3.1.2.5.2.3.1).

Properties of an answer are found by their CLSID, never by position, and read by their inner lengths: real servers leave
unused octets inside the stated sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from pkitools.errors import ProtocolError
from pkitools.protocol.dcom import ids
from pkitools.protocol.dcom.ndr import NdrReader, NdrWriter
from pkitools.protocol.dcom.orpc import (
    TOWER_TCP,
    DualStringArray,
    StandardObjref,
    orpc_this,
    pack_custom_objref,
    pack_interface_pointer,
    skip_orpc_that,
    unpack_custom_objref,
    unpack_interface_pointer,
)

OPNUM_REMOTE_CREATE_INSTANCE = 4
OPNUM_REMOTE_ACTIVATION = 0
DESTINATION_REMOTE = 2
IMPERSONATE = 2
MAX_PROPERTIES = 64
_TYPE_1 = b"\x01\x10\x08\x00\xcc\xcc\xcc\xcc"


@dataclass(frozen=True, slots=True)
class Activation:
    """What an activation gives: the object, the way to its process, and the server's wish for a protection level."""

    objref: StandardObjref
    oxid: int
    bindings: DualStringArray
    ipid_rem_unknown: UUID
    authn_hint: int
    com_version: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """HRESULT of the call, or of the interface asked for; the activation when both are success."""

    hresult: int
    activation: Activation | None


def pack_remote_create_instance(clsid: UUID, iid: UUID) -> bytes:
    """The request stub (MS-DCOM 3.1.2.5.2.3.3): the three properties that are required, and ActivationContextInfo,
    since no Windows client leaves it out and an even number of properties needs no padding behind their header.
    """
    properties = (
        (ids.CLSID_INSTANTIATION_INFO, _instantiation_info(clsid, iid)),
        (ids.CLSID_ACTIVATION_CONTEXT_INFO, _activation_context_info()),
        (ids.CLSID_LOCATION_INFO, _location_info()),
        (ids.CLSID_SCM_REQUEST_INFO, _scm_request_info()),
    )
    blob = _activation_blob(properties)
    objref = pack_custom_objref(ids.IID_ACTIVATION_PROPERTIES_IN, ids.CLSID_ACTIVATION_PROPERTIES_IN, blob)
    writer = orpc_this().null()
    pack_interface_pointer(writer, objref)
    return writer.pack()


def _serialized(body: NdrWriter) -> bytes:
    """Type serialization version 1 (MS-RPCE 2.2.6): header, private header with the padded length, body."""
    data = body.align(8).pack()
    return _TYPE_1 + len(data).to_bytes(4, "little") + bytes(4) + data


def _activation_blob(properties: tuple[tuple[UUID, bytes], ...]) -> bytes:
    """The activation properties BLOB with its CustomHeader (MS-DCOM 2.2.22, 2.2.22.1)."""
    header_size = len(_serialized(_custom_header(properties, 0)))
    header = _serialized(_custom_header(properties, header_size))
    data = header + b"".join(data for _, data in properties)
    return len(data).to_bytes(4, "little") + bytes(4) + data


def _custom_header(properties: tuple[tuple[UUID, bytes], ...], header_size: int) -> NdrWriter:
    total = header_size + sum(len(data) for _, data in properties)
    writer = NdrWriter().u32(total).u32(header_size).u32(0).u32(DESTINATION_REMOTE).u32(len(properties))
    writer.guid(UUID(int=0)).referent().referent().null().u32(len(properties))
    for clsid, _ in properties:
        writer.guid(clsid)
    writer.u32(len(properties))
    for _, data in properties:
        writer.u32(len(data))
    return writer


def _instantiation_info(clsid: UUID, iid: UUID) -> bytes:
    """InstantiationInfoData (MS-DCOM 2.2.22.2.1). thisSize is the length with its serialization headers."""
    writer = NdrWriter().guid(clsid).u32(0).u32(0).u32(0).u32(1).u32(0).referent().u32(0x58).u16(5).u16(7)
    return _serialized(writer.u32(1).guid(iid))


def _activation_context_info() -> bytes:
    """ActivationContextInfoData (MS-DCOM 2.2.22.2.5), empty: no client context, no prototype context."""
    return _serialized(NdrWriter().u32(0).u32(0).u32(0).u32(0).null().null())


def _location_info() -> bytes:
    """LocationInfoData (MS-DCOM 2.2.22.2.4), empty."""
    return _serialized(NdrWriter().null().u32(0).u32(0).u32(0))


def _scm_request_info() -> bytes:
    """ScmRequestInfoData (MS-DCOM 2.2.22.2.3): impersonation, and TCP as the protocol we can use."""
    writer = NdrWriter().null().referent().u32(IMPERSONATE).u16(1).align(4).referent().u32(1).u16(TOWER_TCP)
    return _serialized(writer)


def unpack_remote_create_instance(stub: bytes, iid: UUID) -> ActivationResult:
    """The answer to RemoteCreateInstance. Raises ProtocolError when it says success and holds no usable object."""
    reader = NdrReader(stub, "activation reply")
    skip_orpc_that(reader)
    data = unpack_interface_pointer(reader) if reader.pointer() else None
    hresult = reader.u32()
    reader.end()
    if hresult & 0x80000000:
        return ActivationResult(hresult, None)
    if data is None:
        raise ProtocolError("activation reply says success without properties")
    blob = unpack_custom_objref(data, ids.IID_ACTIVATION_PROPERTIES_OUT, ids.CLSID_ACTIVATION_PROPERTIES_OUT)
    properties = _unpack_properties(blob)
    if ids.CLSID_PROPS_OUT_INFO not in properties or ids.CLSID_SCM_REPLY_INFO not in properties:
        raise ProtocolError("activation reply lacks PropsOutInfo or ScmReplyInfo")
    status, objref = _unpack_props_out(properties[ids.CLSID_PROPS_OUT_INFO], iid)
    if objref is None:
        return ActivationResult(status, None)
    return ActivationResult(hresult, _unpack_scm_reply(properties[ids.CLSID_SCM_REPLY_INFO], objref))


def _body(data: bytes, what: str) -> NdrReader:
    """A reader over the body behind the serialization headers."""
    reader = NdrReader(data, what)
    if reader.raw(4) != _TYPE_1[:4]:
        raise reader.fail("not type serialization version 1")
    reader.raw(4)
    size = reader.u32()
    reader.raw(4)
    return NdrReader(reader.raw(size), what)


def _unpack_properties(blob: bytes) -> dict[UUID, bytes]:
    outer = NdrReader(blob, "activation properties")
    size = outer.u32()
    outer.u32()
    data = outer.raw(size)
    reader = _body(data, "activation properties")
    reader.u32()
    header_size = reader.u32()
    reader.u32()
    reader.u32()
    count = reader.u32()
    reader.guid()
    has_clsids, has_sizes = reader.pointer(), reader.pointer()
    reader.pointer()
    if count > MAX_PROPERTIES or not has_clsids or not has_sizes:
        raise reader.fail(f"{count} activation properties")
    if reader.count(16) != count:
        raise reader.fail("the number of property classes is not the one announced")
    clsids = [reader.guid() for _ in range(count)]
    if reader.count(4) != count:
        raise reader.fail("the number of property sizes is not the one announced")
    sizes = [reader.u32() for _ in range(count)]
    body = NdrReader(data, "activation properties")
    body.raw(header_size)
    return {clsid: body.raw(size) for clsid, size in zip(clsids, sizes, strict=True)}


def _unpack_props_out(data: bytes, iid: UUID) -> tuple[int, StandardObjref | None]:
    """PropsOutInfo (MS-DCOM 2.2.22.2.9): the result and the reference for the interface asked for."""
    reader = _body(data, "PropsOutInfo")
    count = reader.u32()
    if not (reader.pointer() and reader.pointer() and reader.pointer()):
        raise reader.fail("a NULL pointer")
    counts = [reader.count(16)]
    iids = [reader.guid() for _ in range(counts[0])]
    counts.append(reader.count(4))
    results = [reader.u32() for _ in range(counts[1])]
    counts.append(reader.count(4))
    present = [reader.pointer() for _ in range(counts[2])]
    if counts != [count] * 3 or not count:
        raise reader.fail(f"array counts {counts} where {count} were announced")
    pointers = [unpack_interface_pointer(reader) if there else None for there in present]
    for found, result, pointer in zip(iids, results, pointers, strict=True):
        if found == iid:
            if result & 0x80000000:
                return result, None
            if pointer is None:
                raise reader.fail("success without an interface pointer")
            return result, StandardObjref.unpack(pointer)
    raise reader.fail("the interface asked for is not in the answer")


def _unpack_scm_reply(data: bytes, objref: StandardObjref) -> Activation:
    """ScmReplyInfoData with its customREMOTE_REPLY_SCM_INFO (MS-DCOM 2.2.22.2.8)."""
    reader = _body(data, "ScmReplyInfo")
    reader.pointer()
    if not reader.pointer():
        raise reader.fail("no remote reply")
    oxid = reader.u64()
    if not reader.pointer():
        raise reader.fail("no bindings")
    ipid, hint, version = reader.guid(), reader.u32(), (reader.u16(), reader.u16())
    entries = reader.count(2)
    bindings = _bindings(reader, entries)
    return Activation(objref, oxid, bindings, ipid, hint, version)


def _bindings(reader: NdrReader, entries: int) -> DualStringArray:
    start = reader.position
    bindings = DualStringArray.unpack(reader)
    if reader.position - start != 4 + entries * 2:
        raise reader.fail("the conformance of the bindings is not their number of entries")
    return bindings


def pack_remote_activation(clsid: UUID, iid: UUID) -> bytes:
    """IActivation::RemoteActivation (MS-DCOM 3.1.2.5.2.3.1), the older form."""
    writer = orpc_this().guid(clsid).null().null().u32(IMPERSONATE).u32(0)
    return writer.u32(1).referent().u32(1).guid(iid).u16(1).u32(1).u16(TOWER_TCP).pack()


def unpack_remote_activation(stub: bytes, iid: UUID) -> ActivationResult:
    """The answer to RemoteActivation, in the same form as the newer call's."""
    reader = NdrReader(stub, "RemoteActivation reply")
    skip_orpc_that(reader)
    oxid = reader.u64()
    bindings = _bindings(reader, reader.count(2)) if reader.pointer() else None
    ipid, hint, version, hresult = reader.guid(), reader.u32(), (reader.u16(), reader.u16()), reader.u32()
    if reader.count(4) != 1:
        raise reader.fail("one interface pointer was asked for")
    pointer = unpack_interface_pointer(reader) if reader.pointer() else None
    if reader.count(4) != 1:
        raise reader.fail("one result was asked for")
    result, status = reader.u32(), reader.u32()
    reader.end()
    worst = next((code for code in (status, hresult, result) if code), 0)
    if worst or pointer is None or bindings is None:
        if not worst:
            raise ProtocolError("RemoteActivation reply says success without an object")
        return ActivationResult(worst if worst & 0x80000000 else 0x80070000 | (worst & 0xFFFF), None)
    objref = StandardObjref.unpack(pointer)
    if objref.iid != iid:
        raise ProtocolError("RemoteActivation reply holds another interface than the one asked for")
    return ActivationResult(0, Activation(objref, oxid, bindings, ipid, hint, version))
