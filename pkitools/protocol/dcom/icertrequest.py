"""ICertRequestD and ICertRequestD2 (MS-WCCE 3.2.1.4.2, 3.2.1.4.3): ping, CA certificate and CA properties.

Every request begins with ORPCTHIS, every reply ends with the HRESULT. A CA's name travels as it is or sanitised.
"""

from __future__ import annotations

from pkitools.protocol.dcom.ndr import NdrReader
from pkitools.protocol.dcom.orpc import orpc_this, skip_orpc_that

OPNUM_GET_CA_CERT = 4
OPNUM_PING = 5
OPNUM_GET_CA_PROPERTY = 7
OPNUM_GET_CA_PROPERTY_INFO = 8
OPNUM_PING2 = 9

GETCERT_CANAME = 0x6E616D65
GETCERT_SANITIZED_CANAME = 0x73616E69


def pack_ping(authority: str | None) -> bytes:
    """Ping and Ping2 (MS-WCCE 3.2.1.4.2.3, 3.2.1.4.3.4)."""
    return orpc_this().unique_wide_string(authority).pack()


def pack_get_ca_cert(fchain: int, authority: str | None) -> bytes:
    """GetCACert (MS-WCCE 3.2.1.4.2.2). ``GETCERT_CANAME`` needs no authority: a way to learn the right name."""
    return orpc_this().u32(fchain).unique_wide_string(authority).pack()


def pack_get_ca_property(authority: str, prop_id: int, index: int, prop_type: int) -> bytes:
    """GetCAProperty (MS-WCCE 3.2.1.4.3.2, also MS-CSRA). ``index`` is 0 unless the property is indexed."""
    return orpc_this().unique_wide_string(authority).u32(prop_id).u32(index).u32(prop_type).pack()


def unpack_blob(stub: bytes, what: str) -> tuple[int, bytes]:
    """HRESULT and content of a reply whose only out parameter is a CERTTRANSBLOB (MS-WCCE 2.2.2.2).

    On failure the content is empty, and whatever else the server put there is not looked at.
    """
    hresult = NdrReader(stub, what).at_last(4).u32()
    if hresult & 0x80000000:
        return hresult, b""
    reader = NdrReader(stub, what)
    skip_orpc_that(reader)
    size = reader.u32()
    data = reader.conformant_bytes(size) if reader.pointer() else b""
    if len(data) != size:
        raise reader.fail(f"blob of {size} octets is NULL")
    if reader.u32() != hresult:
        raise reader.fail("HRESULT is not where the blob ends")
    reader.end()
    return hresult, data


def text_of(blob: bytes) -> str:
    """A string property: UTF-16, one terminating NUL; blanks at its end belong to it."""
    return blob[: len(blob) & ~1].decode("utf-16-le", "surrogatepass").removesuffix("\x00")
