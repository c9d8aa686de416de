"""ServiceStatus of certsvc through the service control manager over TCP (MS-SCMR), where the account may ask."""

from __future__ import annotations

from dataclasses import dataclass

from pkitools.errors import AccessDeniedError, PkiToolsError, ProtocolError, RefusedError
from pkitools.models.outcome import Reason, reason_of
from pkitools.protocol.dcom import svcctl
from pkitools.protocol.dcom.ids import SVCCTL
from pkitools.transport.dcom import mapped_ports
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc import Call, RpcConnection
from pkitools.transport.rpc_errors import RpcFaultError
from pkitools.transport.rpc_security import RpcLogon

UNKNOWN = "Unknown"
SERVICE = "CertSvc"
ERROR_ACCESS_DENIED = 5
ERROR_SERVICE_DOES_NOT_EXIST = 1060


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """PSPKI's word for the state (Running, Stopped, ...) or Unknown with the reason."""

    state: str
    reason: Reason | None = None


def read_service_status(
    host: str, address: str, logon: RpcLogon, mapper_port: int, deadline: Deadline
) -> ServiceStatus:
    """The state of certsvc on ``host``. Never raises: an account without rights is the usual case."""
    try:
        return ServiceStatus(_query(host, address, logon, mapper_port, deadline))
    except RpcFaultError as fault:
        return ServiceStatus(UNKNOWN, reason_of(_denied(host) if fault.status == ERROR_ACCESS_DENIED else fault))
    except PkiToolsError as error:
        return ServiceStatus(UNKNOWN, reason_of(error))


def _query(host: str, address: str, logon: RpcLogon, mapper_port: int, deadline: Deadline) -> str:
    ports = mapped_ports(address, mapper_port, SVCCTL, deadline)
    if not ports:
        raise RefusedError(
            f"{host} does not offer its service control manager over TCP",
            hint="look at the service on the CA: Get-Service CertSvc",
            code="EPT_S_NOT_REGISTERED",
        )
    with RpcConnection(address, ports[0], deadline) as connection:
        connection.bind((SVCCTL,), logon.security())
        with logon.proving():
            manager = _opened(
                connection.call(Call(SVCCTL, svcctl.OPNUM_OPEN_SC_MANAGER_W, svcctl.pack_open_sc_manager(host))), host
            )
        stub = svcctl.pack_open_service(manager, SERVICE)
        service = _opened(connection.call(Call(SVCCTL, svcctl.OPNUM_OPEN_SERVICE_W, stub)), host)
        reply = connection.call(Call(SVCCTL, svcctl.OPNUM_QUERY_SERVICE_STATUS, service))
        status, state = svcctl.unpack_query_service_status(reply)
        if status:
            raise _failure(status, host)
        for handle in (service, manager):
            connection.call(Call(SVCCTL, svcctl.OPNUM_CLOSE_SERVICE_HANDLE, handle))
    try:
        return svcctl.ServiceState(state.state).name
    except ValueError as error:
        raise ProtocolError(f"{host} reports service state {state.state}, which does not exist") from error


def _opened(stub: bytes, host: str) -> bytes:
    status, handle = svcctl.unpack_handle(stub, "service control manager reply")
    if status:
        raise _failure(status, host)
    return handle


def _failure(status: int, host: str) -> PkiToolsError:
    if status == ERROR_ACCESS_DENIED:
        return _denied(host)
    if status == ERROR_SERVICE_DOES_NOT_EXIST:
        return RefusedError(
            f"{host} has no service {SERVICE}: no CA role",
            hint="check dNSHostName of the CA's object",
            code="ERROR_SERVICE_DOES_NOT_EXIST",
        )
    return RefusedError(f"the service control manager of {host} answered with Win32 error {status}")


def _denied(host: str) -> AccessDeniedError:
    return AccessDeniedError(
        f"the account may not ask the service control manager of {host}",
        hint="normal for a plain user: the state of the service needs administrator rights on the CA",
        code="ERROR_ACCESS_DENIED",
    )
