"""ICertAdminD and ICertAdminD2 (MS-CSRA 3.1.4.1, 3.1.4.2): reads only."""

from __future__ import annotations

from enum import IntFlag

from pkitools.protocol.dcom.ndr import NdrReader
from pkitools.protocol.dcom.orpc import orpc_this, skip_orpc_that

OPNUM_PING = 18
OPNUM_GET_CA_PROPERTY = 32
OPNUM_PING2 = 38
OPNUM_GET_CONFIG_ENTRY = 44
OPNUM_GET_MY_ROLES = 47

IF_NOREMOTEICERTREQUEST = 2
"""In InterfaceFlags (CertSrv.h): ICertRequest is closed to every remote caller."""

VT_I4 = 3
VT_BSTR = 8
VT_ARRAY = 0x2000
VT_UI1 = 0x11


class CaRoles(IntFlag):
    """What the caller may do on the CA: CA_ACCESS_* of CertAdm.h, as GetMyRoles returns them (MS-CSRA 3.1.4.2.17)."""

    ADMIN = 1
    OFFICER = 2
    AUDITOR = 4
    OPERATOR = 8
    READ = 0x100
    ENROLL = 0x200


def pack_get_my_roles(authority: str) -> bytes:
    """GetMyRoles."""
    return orpc_this().unique_wide_string(authority).pack()


def unpack_get_my_roles(stub: bytes) -> tuple[int, CaRoles]:
    """HRESULT and roles."""
    reader = NdrReader(stub, "GetMyRoles reply")
    skip_orpc_that(reader)
    roles, hresult = reader.u32(), reader.u32()
    reader.end()
    return hresult, CaRoles(roles)


def pack_get_config_entry(authority: str, node: str | None, entry: str) -> bytes:
    """GetConfigEntry (MS-CSRA 3.1.4.2.14): a value of the CA's configuration, by node path and name."""
    writer = orpc_this().unique_wide_string(authority).align(4).unique_wide_string(node).align(4)
    return writer.wide_string(entry).pack()


def unpack_get_config_entry(stub: bytes) -> tuple[int, int | str | bytes | None]:
    """HRESULT and value: a long, a string, octets; None for a variant of another kind (MS-OAUT 2.2.29)."""
    hresult = NdrReader(stub, "GetConfigEntry reply").at_last(4).u32()
    if hresult & 0x80000000:
        return hresult, None
    reader = NdrReader(stub, "GetConfigEntry reply")
    skip_orpc_that(reader)
    if not reader.pointer():
        return hresult, None
    reader.align(8).u32()
    reader.u32()
    kind = reader.u16()
    reader.raw(6)
    reader.u32()
    if kind == VT_I4:
        return hresult, reader.i32()
    if kind == VT_BSTR and reader.pointer():
        return hresult, _bstr(reader)
    return hresult, None


def _bstr(reader: NdrReader) -> str:
    """FLAGGED_WORD_BLOB (MS-OAUT 2.2.23)."""
    units = reader.count(2)
    reader.u32()
    if reader.u32() != units:
        raise reader.fail("the two lengths of a string differ")
    return reader.raw(units * 2).decode("utf-16-le", "surrogatepass")
