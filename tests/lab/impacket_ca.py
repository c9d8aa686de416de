"""impacket as a client of a CA over DCOM: its own activation, its own NDR."""

from __future__ import annotations

from typing import Any

from impacket.dcerpc.v5.dcomrt import DCOMANSWER, DCOMCALL, DCOMConnection
from impacket.dcerpc.v5.dtypes import LONG, LPWSTR, ULONG
from impacket.dcerpc.v5.icpr import CERTTRANSBLOB
from impacket.dcerpc.v5.rpcrt import RPC_C_AUTHN_LEVEL_PKT_PRIVACY
from impacket.uuid import string_to_bin, uuidtup_to_bin

REQUEST = ("d99e6e74-fc88-11d0-b498-00a0c90312f3", "5422fd3a-d4b8-4cef-a12e-e87d4ca22e90", 7)
ADMIN = ("d99e6e73-fc88-11d0-b498-00a0c90312f3", "7fe0d935-dda6-443f-85d0-1cfb58fe41dd", 32)
STRING = 4


class GetCAProperty(DCOMCALL):
    opnum = 7
    structure = (("pwszAuthority", LPWSTR), ("PropID", LONG), ("PropIndex", LONG), ("PropType", LONG))


class GetCAPropertyResponse(DCOMANSWER):
    structure = (("pctbPropertyValue", CERTTRANSBLOB), ("ErrorCode", ULONG))


class AdminGetCAProperty(GetCAProperty):
    opnum = 32


class AdminGetCAPropertyResponse(GetCAPropertyResponse):
    pass


def read_property(address: str, account: tuple[str, str, str], name: str, prop: int, *classes: Any) -> list[str]:
    """A string property through each class. ``account`` is domain, user and password."""
    domain, user, password = account
    connection = DCOMConnection(
        address, user, password, domain, authLevel=RPC_C_AUTHN_LEVEL_PKT_PRIVACY, oxidResolver=False
    )
    try:
        return [_read(connection, name, prop, item) for item in classes or (REQUEST, ADMIN)]
    finally:
        connection.disconnect()


def _read(connection: Any, name: str, prop: int, which: tuple[str, str, int]) -> str:
    clsid, iid, opnum = which
    uuid = uuidtup_to_bin((iid, "0.0"))
    made = connection.CoCreateInstanceEx(string_to_bin(clsid), uuid)
    request = GetCAProperty() if opnum == 7 else AdminGetCAProperty()
    request["pwszAuthority"] = name + "\0"
    request["PropID"], request["PropIndex"], request["PropType"] = prop, 0, STRING
    answer = made.request(request, uuid, made.get_iPid())
    blob = b"".join(answer["pctbPropertyValue"]["pb"])
    made.RemRelease()
    return blob.decode("utf-16-le").rstrip("\0")
