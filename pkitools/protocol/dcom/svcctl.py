"""Service control manager (MS-SCMR 3.1.4): open, query, close. Plain RPC, no ORPC headers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pkitools.protocol.dcom.ndr import NdrReader, NdrWriter

OPNUM_CLOSE_SERVICE_HANDLE = 0
OPNUM_QUERY_SERVICE_STATUS = 6
OPNUM_OPEN_SC_MANAGER_W = 15
OPNUM_OPEN_SERVICE_W = 16

SC_MANAGER_CONNECT = 0x0001
SERVICE_QUERY_STATUS = 0x0004


class ServiceState(IntEnum):
    """dwCurrentState (MS-SCMR 2.2.47), named as .NET's ServiceControllerStatus."""

    Stopped = 1
    StartPending = 2
    StopPending = 3
    Running = 4
    ContinuePending = 5
    PausePending = 6
    Paused = 7


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """SERVICE_STATUS (MS-SCMR 2.2.47): the state and the exit code of the last stop."""

    state: int
    win32_exit_code: int


def pack_open_sc_manager(machine: str) -> bytes:
    """ROpenSCManagerW (MS-SCMR 3.1.4.15) with the right to connect and no more."""
    writer = NdrWriter().unique_wide_string(machine).align(4).null()
    return writer.u32(SC_MANAGER_CONNECT).pack()


def pack_open_service(manager: bytes, name: str) -> bytes:
    """ROpenServiceW (MS-SCMR 3.1.4.16) with the right to query the status."""
    return NdrWriter().raw(manager).wide_string(name).align(4).u32(SERVICE_QUERY_STATUS).pack()


def unpack_handle(stub: bytes, what: str) -> tuple[int, bytes]:
    """Win32 status and the 20-octet context handle."""
    reader = NdrReader(stub, what)
    handle, status = reader.raw(20), reader.u32()
    reader.end()
    return status, handle


def unpack_query_service_status(stub: bytes) -> tuple[int, ServiceStatus]:
    """RQueryServiceStatus (MS-SCMR 3.1.4.7)."""
    reader = NdrReader(stub, "RQueryServiceStatus reply")
    fields = [reader.u32() for _ in range(7)]
    status = reader.u32()
    reader.end()
    return status, ServiceStatus(fields[1], fields[3])
