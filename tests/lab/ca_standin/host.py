"""What a CA host is and answers: classes, interfaces, properties, rights (MS-WCCE 3.2.1.4, MS-CSRA 3.1.4)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, field

from tests.lab.ca_standin.faults import Faults
from tests.lab.ca_standin.wire import ORPC_THAT, In, Out


def _u(text: str) -> uuid.UUID:
    return uuid.UUID(text)


REQUEST_CLASS = _u("d99e6e74-fc88-11d0-b498-00a0c90312f3")
ADMIN_CLASS = _u("d99e6e73-fc88-11d0-b498-00a0c90312f3")
REQUEST_D = _u("d99e6e70-fc88-11d0-b498-00a0c90312f3")
REQUEST_D2 = _u("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90")
ADMIN_D = _u("d99e6e71-fc88-11d0-b498-00a0c90312f3")
ADMIN_D2 = _u("7fe0d935-dda6-443f-85d0-1cfb58fe41dd")
REM_UNKNOWN = _u("00000131-0000-0000-c000-000000000046")
REM_UNKNOWN2 = _u("00000143-0000-0000-c000-000000000046")
CLASS_OF = {REQUEST_D: REQUEST_CLASS, REQUEST_D2: REQUEST_CLASS, ADMIN_D: ADMIN_CLASS, ADMIN_D2: ADMIN_CLASS}

E_INVALIDARG = 0x80070057
E_ACCESSDENIED = 0x80070005
ENROLL_DENIED = 0x80094011
LONG, BINARY, STRING = 1, 3, 4

READ, ENROLL, ADMIN = 0x100, 0x200, 0x1


@dataclass
class Template:
    """A published template."""

    name: str
    oid: str


@dataclass
class CaData:
    """One CA. ``rights`` are the roles of an account in lower case (``domain\\user``); others have Enroll alone."""

    name: str = "Lab Issuing CA"
    sanitized: str | None = None
    dns_name: str = "ca1.lab.test"
    ca_type: int = 1
    product_version: str = "10.0:20348.1 WINNT 3.0"
    file_version: str = "10.0:20348.1 (WinBuild.160101.0800)"
    parent: str = "Lab Root CA"
    certificates: list[bytes] = field(default_factory=lambda: [b"0\x03\x02\x01\x05"])
    certificate_states: list[int] = field(default_factory=lambda: [3])
    crl_states: list[int] = field(default_factory=lambda: [3])
    templates: list[Template] = field(default_factory=lambda: [Template("User", "1.3.6.1.4.1.311.21.8.1.2.1")])
    rights: dict[str, int] = field(default_factory=dict)
    service_state: int = 4
    interface_flags: int = 0x641
    admins: frozenset[str] = frozenset()

    @property
    def sanitized_name(self) -> str:
        return self.sanitized or self.name

    def knows(self, name: str | None) -> bool:
        return name is not None and name.lower() in (self.name.lower(), self.sanitized_name.lower())


def text(value: str) -> bytes:
    return (value + "\0").encode("utf-16-le")


def ca_info(ca: CaData) -> bytes:
    count = len(ca.certificates)
    return struct.pack("<IiIIIiiIII", 40, ca.ca_type, count, 1, 1, 50, 0, 0, 0, 1)


def ca_property(ca: CaData, prop: int, index: int, kind: int) -> tuple[int, bytes]:
    """HRESULT and value of GetCAProperty."""
    strings = {
        1: ca.file_version,
        2: ca.product_version,
        5: "Windows default",
        6: ca.name,
        7: ca.sanitized_name,
        9: ca.parent,
        22: ca.dns_name,
        29: "".join(f"{item.name}\n{item.oid}\n" for item in ca.templates),
        40: ca.sanitized_name,
    }
    if prop in strings:
        return (0, text(strings[prop])) if kind == STRING else (E_INVALIDARG, b"")
    if prop in (3, 10, 11, 14, 21, 23, 24, 25, 28):
        return (0, ca_info(ca)) if kind == LONG and index == 0 else (E_INVALIDARG, b"")
    count = len(ca.certificates)
    at = count - 1 if index == 0xFFFFFFFF else index
    if prop in (12, 13):
        return (0, ca.certificates[at]) if kind == BINARY and 0 <= at < count else (E_INVALIDARG, b"")
    if prop in (19, 20):
        states = ca.certificate_states if prop == 19 else ca.crl_states
        return (0, bytes(states)) if kind == LONG else (E_INVALIDARG, b"")
    if prop in (30, 31):
        return (0, struct.pack("<I", 5)) if kind == LONG and 0 <= at < count else (E_INVALIDARG, b"")
    return E_INVALIDARG, b""


class Calls:
    """The methods of the four CA interfaces. Each takes the request's reader and the caller, gives the reply stub."""

    def __init__(self, ca: CaData, faults: Faults) -> None:
        self.ca = ca
        self.faults = faults

    def name_of(self, interface: uuid.UUID, opnum: int) -> str | None:
        newer = interface in (REQUEST_D2, ADMIN_D2)
        if interface in (REQUEST_D, REQUEST_D2):
            names = {4: "GetCACert", 5: "Ping", 7: "GetCAProperty", 8: "GetCAPropertyInfo", 9: "Ping2"}
            return names.get(opnum) if opnum <= 5 or newer else None
        names = {
            18: "Ping",
            19: "GetServerState",
            32: "GetCAProperty",
            38: "Ping2",
            44: "GetConfigEntry",
            47: "GetMyRoles",
        }
        return names.get(opnum) if opnum <= 30 or newer else None

    def roles(self, caller: str) -> int:
        return self.ca.rights.get(caller.lower(), ENROLL)

    def call(self, interface: uuid.UUID, opnum: int, reader: In, caller: str) -> bytes:
        name = self.name_of(interface, opnum)
        admin = interface in (ADMIN_D, ADMIN_D2)
        reader.orpc_this()
        out = Out(ORPC_THAT)
        key = f"{'admin' if admin else 'request'}.{name}"
        forced = self.faults.call_hresult.get(key, self.faults.call_hresult.get("admin" if admin else "request"))
        if name == "GetCACert":
            self._get_ca_cert(reader, out, forced)
        elif name in ("Ping", "Ping2"):
            authority = reader.unique_text(None if admin else 1536)
            good = not authority or self.ca.knows(authority)
            out.put("I", forced if forced is not None else 0 if good else E_INVALIDARG)
        elif name == "GetCAProperty":
            self._get_ca_property(reader, out, forced, admin=admin, caller=caller)
        elif name == "GetMyRoles":
            authority = reader.unique_text()
            allowed = self.roles(caller) & READ
            code = 0 if allowed and self.ca.knows(authority) else E_ACCESSDENIED
            out.put("I", self.roles(caller) if not code else 0).put("I", forced if forced is not None else code)
        elif name == "GetServerState":
            reader.unique_text()
            out.put("I", 1).put("I", forced or 0)
        elif name == "GetConfigEntry":
            self._get_config_entry(reader, out, forced)
        else:
            raise LookupError(name)
        return bytes(out.data)

    def _get_ca_cert(self, reader: In, out: Out, forced: int | None) -> None:
        chain = reader.get("I")
        authority = reader.unique_text(1536)
        without_name = {0x6E616D65: text(self.ca.name), 0x73616E69: text(self.ca.sanitized_name)}
        values = {
            0: self.ca.certificates[-1],
            0x70726F64: text(self.ca.product_version),
            0x66696C65: text(self.ca.file_version),
        }
        if forced is not None:
            code, data = forced, b""
        elif chain in without_name:
            code, data = 0, without_name[chain]
        elif not self.ca.knows(authority) or chain not in values:
            code, data = E_INVALIDARG, b""
        else:
            code, data = 0, values[chain]
        out.blob(data).put("I", code)

    def _get_ca_property(self, reader: In, out: Out, forced: int | None, *, admin: bool, caller: str) -> None:
        authority = reader.unique_text(None if admin else 1536)
        prop, index, kind = reader.get("I"), reader.get("I"), reader.get("I")
        roles = self.roles(caller)
        if forced is not None:
            code, data = forced, b""
        elif admin and not roles & READ:
            code, data = E_ACCESSDENIED, b""
        elif not admin and (not roles & ENROLL or self.ca.interface_flags & 2):
            code, data = ENROLL_DENIED, b""
        elif not self.ca.knows(authority):
            code, data = E_INVALIDARG, b""
        else:
            code, data = ca_property(self.ca, prop, index, kind)
        lie = 0x10000000 if self.faults.lying_count_on == "call" else 0
        out.blob(data, lie).put("I", code)

    def _get_config_entry(self, reader: In, out: Out, forced: int | None) -> None:
        reader.unique_text()
        reader.unique_text()
        entry = reader.text()
        values = {"CAType": self.ca.ca_type, "InterfaceFlags": self.ca.interface_flags}
        if entry in values:
            out.ref().pad(8).put("I", 3, 0).put("H", 3, 0, 0, 0).put("I", 3, values[entry]).put("I", forced or 0)
        else:
            out.put("I", 0).put("I", 0x80070002)
