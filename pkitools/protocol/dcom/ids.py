"""Identifiers of interfaces, classes and syntaxes (MS-DCOM 1.9, MS-WCCE 1.9, MS-CSRA 1.9, C706 appendix I)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Interface:
    """An RPC interface: its name in the specification, its UUID and version."""

    name: str
    uuid: UUID
    major: int = 0
    minor: int = 0

    def pack(self) -> bytes:
        """A p_syntax_id_t: UUID, then the version (C706 12.6.3.1)."""
        return self.uuid.bytes_le + self.major.to_bytes(2, "little") + self.minor.to_bytes(2, "little")


def _interface(name: str, text: str, major: int = 0, minor: int = 0) -> Interface:
    return Interface(name, UUID(text), major, minor)


NDR = _interface("NDR", "8a885d04-1ceb-11c9-9fe8-08002b104860", 2)
EPM = _interface("ept", "e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3)
IOBJECT_EXPORTER = _interface("IObjectExporter", "99fcfec4-5260-101b-bbcb-00aa0021347a")
IACTIVATION = _interface("IActivation", "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57")
IREMOTE_SCM_ACTIVATOR = _interface("IRemoteSCMActivator", "000001a0-0000-0000-c000-000000000046")
IREM_UNKNOWN = _interface("IRemUnknown", "00000131-0000-0000-c000-000000000046")
ICERT_PASSAGE = _interface("ICertPassage", "91ae6020-9e3c-11cf-8d7c-00aa00c091be")
ICERT_REQUEST_D = _interface("ICertRequestD", "d99e6e70-fc88-11d0-b498-00a0c90312f3")
ICERT_REQUEST_D2 = _interface("ICertRequestD2", "5422fd3a-d4b8-4cef-a12e-e87d4ca22e90")
ICERT_ADMIN_D = _interface("ICertAdminD", "d99e6e71-fc88-11d0-b498-00a0c90312f3")
ICERT_ADMIN_D2 = _interface("ICertAdminD2", "7fe0d935-dda6-443f-85d0-1cfb58fe41dd")
SVCCTL = _interface("svcctl", "367abb81-9844-35f1-ad32-98f038001003", 2)

CLSID_CERT_REQUEST_D = UUID("d99e6e74-fc88-11d0-b498-00a0c90312f3")
CLSID_CERT_ADMIN_D = UUID("d99e6e73-fc88-11d0-b498-00a0c90312f3")

IID_ACTIVATION_PROPERTIES_IN = UUID("000001a2-0000-0000-c000-000000000046")
IID_ACTIVATION_PROPERTIES_OUT = UUID("000001a3-0000-0000-c000-000000000046")
CLSID_ACTIVATION_PROPERTIES_IN = UUID("00000338-0000-0000-c000-000000000046")
CLSID_ACTIVATION_PROPERTIES_OUT = UUID("00000339-0000-0000-c000-000000000046")
CLSID_INSTANTIATION_INFO = UUID("000001ab-0000-0000-c000-000000000046")
CLSID_ACTIVATION_CONTEXT_INFO = UUID("000001a5-0000-0000-c000-000000000046")
CLSID_LOCATION_INFO = UUID("000001a4-0000-0000-c000-000000000046")
CLSID_SCM_REQUEST_INFO = UUID("000001aa-0000-0000-c000-000000000046")
CLSID_PROPS_OUT_INFO = UUID("00000339-0000-0000-c000-000000000046")
CLSID_SCM_REPLY_INFO = UUID("000001b6-0000-0000-c000-000000000046")
