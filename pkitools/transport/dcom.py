"""DCOM as a client sees it: activate an object through port 135, call it on its own port, release it (MS-DCOM 3.2).

Every connection goes to the address that the user's name led to. Bindings of the server supply the port alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pkitools.errors import ProtocolError
from pkitools.protocol.dcom import ids
from pkitools.protocol.dcom.activation import (
    OPNUM_REMOTE_ACTIVATION,
    OPNUM_REMOTE_CREATE_INSTANCE,
    ActivationResult,
    pack_remote_activation,
    pack_remote_create_instance,
    unpack_remote_activation,
    unpack_remote_create_instance,
)
from pkitools.protocol.dcom.endpoint_mapper import OPNUM_EPT_MAP, pack_ept_map, unpack_ept_map
from pkitools.protocol.dcom.ids import Interface
from pkitools.protocol.dcom.object_exporter import OPNUM_SERVER_ALIVE2, ServerAlive2
from pkitools.protocol.dcom.orpc import OPNUM_REM_RELEASE, pack_rem_release, unpack_hresult_only
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc import Call, RpcConnection, RpcSecurity
from pkitools.transport.rpc_errors import BindRejectedError, RpcFaultError

ENDPOINT_MAPPER_PORT = 135
ABSTRACT_SYNTAX_NOT_SUPPORTED = 1
FAULT_OPNUM_OUT_OF_RANGE = 0x1C010002
FAULT_UNKNOWN_INTERFACE = 0x1C010003


class Scm(RpcConnection):
    """The connection to the activation service on port 135, protected, one logon."""

    uses_older_activation = False
    """Whether RemoteActivation is used, because the server lacks RemoteCreateInstance."""

    def log_on(self, security: RpcSecurity) -> None:
        """Bind both forms of the activator, and the object exporter beside them: a harmless call of the same logon.

        Raises BindRejectedError when the server offers neither form.
        """
        forms = (ids.IREMOTE_SCM_ACTIVATOR, ids.IACTIVATION)
        self.bind((*forms, ids.IOBJECT_EXPORTER), security, any_of=True)
        if not any(map(self.offers, forms)):
            raise BindRejectedError(ids.IREMOTE_SCM_ACTIVATOR, ABSTRACT_SYNTAX_NOT_SUPPORTED)
        self.uses_older_activation = not self.offers(ids.IREMOTE_SCM_ACTIVATOR)

    def activate(self, clsid: UUID, iid: UUID) -> ActivationResult:
        """RemoteCreateInstance; RemoteActivation where the server does not know it. Raises RpcFaultError."""
        if not self.uses_older_activation:
            stub = pack_remote_create_instance(clsid, iid)
            try:
                stub = self.call(Call(ids.IREMOTE_SCM_ACTIVATOR, OPNUM_REMOTE_CREATE_INSTANCE, stub))
                return unpack_remote_create_instance(stub, iid)
            except RpcFaultError as fault:
                unknown = fault.status in (FAULT_OPNUM_OUT_OF_RANGE, FAULT_UNKNOWN_INTERFACE)
                if not unknown or not self.offers(ids.IACTIVATION):
                    raise
                self.uses_older_activation = True
        stub = self.call(Call(ids.IACTIVATION, OPNUM_REMOTE_ACTIVATION, pack_remote_activation(clsid, iid)))
        return unpack_remote_activation(stub, iid)

    def is_logon_good(self) -> bool:
        """Whether the same logon serves for ServerAlive2: tells bad credentials from a refused activation."""
        try:
            self.add_interface(ids.IOBJECT_EXPORTER)
            self.call(Call(ids.IOBJECT_EXPORTER, OPNUM_SERVER_ALIVE2, b""))
        except (RpcFaultError, BindRejectedError):
            return False
        return True


def server_alive(address: str, port: int, deadline: Deadline) -> ServerAlive2:
    """ServerAlive2 without authentication: DCOM is there, and calls itself so."""
    with RpcConnection(address, port, deadline) as connection:
        connection.bind((ids.IOBJECT_EXPORTER,))
        return ServerAlive2.unpack(connection.call(Call(ids.IOBJECT_EXPORTER, OPNUM_SERVER_ALIVE2, b"")))


def mapped_ports(address: str, port: int, interface: Interface, deadline: Deadline) -> tuple[int, ...]:
    """The TCP ports on which the endpoint mapper knows an interface; empty when it is not registered."""
    with RpcConnection(address, port, deadline) as connection:
        connection.bind((ids.EPM,))
        _, ports = unpack_ept_map(connection.call(Call(ids.EPM, OPNUM_EPT_MAP, pack_ept_map(interface))))
    return ports


def release(connection: RpcConnection, ipid_rem_unknown: UUID, ipids: Sequence[UUID]) -> None:
    """Give the references back (IRemUnknown::RemRelease); the server would else keep the objects for minutes."""
    connection.add_interface(ids.IREM_UNKNOWN)
    call = Call(ids.IREM_UNKNOWN, OPNUM_REM_RELEASE, pack_rem_release(tuple(ipids)), ipid_rem_unknown)
    hresult = unpack_hresult_only(connection.call(call), "RemRelease reply")
    if hresult & 0x80000000:
        raise ProtocolError(f"RemRelease failed with 0x{hresult:08X}")
