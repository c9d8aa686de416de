"""IObjectExporter::ServerAlive2 (MS-DCOM 3.1.2.5.1.6): is DCOM there, and what does the host call itself."""

from __future__ import annotations

from dataclasses import dataclass

from pkitools.protocol.dcom.ndr import NdrReader
from pkitools.protocol.dcom.orpc import DualStringArray

OPNUM_SERVER_ALIVE2 = 5


@dataclass(frozen=True, slots=True)
class ServerAlive2:
    """The reply: COM version, the resolver's bindings (host names without ports), status."""

    com_version: tuple[int, int]
    bindings: DualStringArray | None
    status: int

    @classmethod
    def unpack(cls, stub: bytes) -> ServerAlive2:
        """From the reply stub."""
        reader = NdrReader(stub, "ServerAlive2 reply")
        version = (reader.u16(), reader.u16())
        bindings = None
        if reader.pointer():
            reader.count(2)
            bindings = DualStringArray.unpack(reader)
        reader.u32()
        return cls(version, bindings, reader.u32())
