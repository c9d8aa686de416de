"""One logon to one certification authority: its DCOM objects on their own port, every step timed and named.

``CaSession`` serves the ping and the reading of a CA's state alike. A step that fails raises ``StepError``, which holds
the event and its cause; nothing else leaves this module for what a peer does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from uuid import UUID

from pkitools.adcs.ping_causes import Cause, Event, Kind, Stage, explain
from pkitools.adcs.ping_events import cause_of, event_of
from pkitools.errors import (
    ConnectError,
    DeadlineExceededError,
    LogonRefusedError,
    NameResolutionError,
    PkiToolsError,
    ProtocolError,
)
from pkitools.models.ca_ping import StageTime, WireUse
from pkitools.protocol.dcom import ids
from pkitools.protocol.dcom.activation import Activation
from pkitools.protocol.dcom.ids import Interface
from pkitools.transport.dcom import ENDPOINT_MAPPER_PORT, Scm, mapped_ports, release, server_alive
from pkitools.transport.deadline import Deadline
from pkitools.transport.rpc import MAX_REPLY, Call, RpcConnection
from pkitools.transport.rpc_errors import BindNakError, RpcFaultError
from pkitools.transport.rpc_security import RpcLogon

E_NOINTERFACE = 0x80004002
CREDENTIALS_REFUSED = "CredentialsRefused"

Resolver = Callable[[str, Deadline], Sequence[str]]


class StepError(Exception):
    """A step did not succeed: the event, what it means, and the error behind it when there is one."""

    def __init__(self, event: Event, cause: Cause, error: PkiToolsError | None = None) -> None:
        super().__init__(cause.message)
        self.event = event
        self.cause = cause
        self.error = error


@dataclass(frozen=True, slots=True)
class CaClass:
    """A DCOM class of a CA with the two forms of its interface."""

    key: str
    clsid: UUID
    newer: Interface
    older: Interface


REQUEST = CaClass("request", ids.CLSID_CERT_REQUEST_D, ids.ICERT_REQUEST_D2, ids.ICERT_REQUEST_D)
ADMIN = CaClass("admin", ids.CLSID_CERT_ADMIN_D, ids.ICERT_ADMIN_D2, ids.ICERT_ADMIN_D)


@dataclass(frozen=True, slots=True)
class CaObject:
    """An activated object: which interface it has, and its IPID."""

    ca_class: CaClass
    interface: Interface
    ipid: UUID

    @property
    def is_newer(self) -> bool:
        """Whether it has the D2 form with CA properties."""
        return self.interface == self.ca_class.newer


@dataclass(slots=True)
class Trail:
    """What a session leaves behind for the report."""

    stages: list[StageTime] = field(default_factory=list)
    wire: list[WireUse] = field(default_factory=list)
    server_names: tuple[str, ...] = ()
    address: str | None = None
    dynamic_port: int | None = None
    com_version: str | None = None
    round_trips: int = 0


class CaSession:
    """A session with the CA on one host. Use it in a ``with`` block: the end gives every reference back."""

    def __init__(
        self,
        host: str,
        deadline: Deadline,
        logon: RpcLogon,
        resolve: Resolver,
        *,
        address: str | None = None,
        mapper_port: int = ENDPOINT_MAPPER_PORT,
        static_port: int | None = None,
        max_reply: int = MAX_REPLY,
    ) -> None:
        """``logon`` is for ``host``, the name as the user typed it; ``address`` replaces its resolution,
        ``static_port`` the port that the bindings name."""
        self.host = host
        self.trail = Trail()
        self._deadline = deadline
        self._logon = logon
        self._resolve = resolve
        self._address = address
        self._mapper_port = mapper_port
        self._static_port = static_port
        self._max_reply = max_reply
        self._scm: Scm | None = None
        self._process: RpcConnection | None = None
        self._activation: Activation | None = None
        self._ipids: list[UUID] = []

    def __enter__(self) -> CaSession:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the objects and close both connections; a release that fails changes nothing for the caller."""
        process, activation = self._process, self._activation
        if process is not None and process.is_bound and activation is not None and self._ipids:
            try:
                release(process, activation.ipid_rem_unknown, self._ipids)
                self._note(process, ids.IREM_UNKNOWN, 5, "RemRelease", "privacy")
            except PkiToolsError:
                # the server drops the references itself when nobody pings them; the result stands already
                self._ipids.clear()
        self._give_up_process()
        if self._scm is not None:
            self.trail.round_trips += self._scm.round_trips
            self._scm.close()
        self._scm = None

    def _give_up_process(self) -> None:
        if self._process is not None:
            self.trail.round_trips += self._process.round_trips
            self._process.close()
        self._process = None

    @contextmanager
    def step(self, stage: Stage, interface: str = "request") -> Iterator[None]:
        """Time a step and turn what goes wrong in it into a StepError."""
        begin = time.monotonic()
        try:
            yield
        except PkiToolsError as error:
            event = replace(event_of(stage, error), interface=interface)
            raise StepError(event, cause_of(event, error), error) from error
        finally:
            self.trail.stages.append(StageTime(stage.value, round((time.monotonic() - begin) * 1000, 2)))

    def connect(self) -> None:
        """Name, port 135, and the logon as far as it goes before the first call."""
        with self.step(Stage.NAME):
            addresses = [self._address] if self._address else list(self._resolve(self.host, self._deadline))
        with self.step(Stage.TCP_135):
            self._scm = self._first_that_connects(addresses)
        try:
            self._log_on(self._scm)
        except StepError as error:
            if not isinstance(error.error, BindNakError) or self._logon.uses_spnego:
                raise
            # nothing was shown yet that could count as a wrong password
            self._logon.wrap_in_spnego()
            self._scm.close()
            self.trail.round_trips += self._scm.round_trips
            with self.step(Stage.TCP_135):
                self._scm = self._first_that_connects([self.trail.address or self.host])
            self._log_on(self._scm)

    def _log_on(self, scm: Scm) -> None:
        with self.step(Stage.AUTH):
            security = self._logon.security()
        if not self._logon.is_proven_by_bind:
            with self.step(Stage.BIND):
                scm.log_on(security)
            return
        with self._proving(REQUEST.key), self.step(Stage.BIND):
            scm.log_on(security)

    def _first_that_connects(self, addresses: Sequence[str]) -> Scm:
        """The addresses in turn; all but the last get only their share of the time."""
        for number, address in enumerate(addresses, 1):
            rest = len(addresses) - number
            limit = Deadline(self._deadline.remaining() / (rest + 1)) if rest else self._deadline
            try:
                connection = Scm(address, self._mapper_port, limit, self._max_reply)
            except (ConnectError, DeadlineExceededError):
                if not rest:
                    raise
                continue
            connection.use_deadline(self._deadline)
            self.trail.address = address
            return connection
        raise NameResolutionError(f"{self.host} has no address")

    def activate(self, ca_class: CaClass) -> CaObject:
        """Activate a class and connect to its process; the older interface where the newer is unknown."""
        # with NTLM the first call of all, and the first that shows whether the password is right
        with self._proving(ca_class.key), self.step(Stage.ACTIVATE, ca_class.key):
            hresult, activation, interface = self._activate_either(ca_class)
        if activation is None:
            raise self.hresult_error(Stage.ACTIVATE, hresult, ca_class.key)
        self._activation = activation
        self._ipids.append(activation.objref.ipid)
        self.trail.server_names = tuple(dict.fromkeys(item.host for item in activation.bindings.bindings))
        self.trail.com_version = ".".join(map(str, activation.com_version))
        self._connect_process(activation, ca_class, interface)
        return CaObject(ca_class, interface, activation.objref.ipid)

    @contextmanager
    def _proving(self, interface: str) -> Iterator[None]:
        """Around what first shows a server whether the account is good: a refusal ends this account's logons."""
        try:
            with self._logon.proving():
                try:
                    yield
                except StepError as error:
                    if isinstance(error.error, LogonRefusedError):
                        raise error.error from error
                    judged = self._judge_denied(error)
                    if judged.cause.id == CREDENTIALS_REFUSED:
                        raise LogonRefusedError(judged.cause.message, hint=judged.cause.next_step) from judged
                    raise judged from error
        except LogonRefusedError as refused:
            if isinstance(refused.__cause__, StepError):
                raise refused.__cause__ from refused
            event = Event(Stage.AUTH, Kind.LOGON, interface=interface)
            raise StepError(event, cause_of(event, refused), refused) from refused
        except PkiToolsError as error:  # time was up while another CA's logon was waited for
            event = replace(event_of(Stage.AUTH, error), interface=interface)
            raise StepError(event, cause_of(event, error), error) from error

    def _activate_either(self, ca_class: CaClass) -> tuple[int, Activation | None, Interface]:
        scm = self._require_scm()
        for interface in (ca_class.newer, ca_class.older):
            try:
                result = scm.activate(ca_class.clsid, interface.uuid)
            finally:
                if scm.uses_older_activation:
                    self._note(scm, ids.IACTIVATION, 0, "RemoteActivation", "privacy")
                else:
                    self._note(scm, ids.IREMOTE_SCM_ACTIVATOR, 4, "RemoteCreateInstance", "privacy")
            if result.activation is not None or result.hresult != E_NOINTERFACE:
                return result.hresult, result.activation, interface
        return E_NOINTERFACE, None, ca_class.older

    def _connect_process(self, activation: Activation, ca_class: CaClass, interface: Interface) -> None:
        if self._process is not None and self._process.is_bound:
            with self.step(Stage.CALL, ca_class.key):
                self._process.add_interface(interface)
            return
        self._give_up_process()
        with self.step(Stage.BINDINGS, ca_class.key):
            port = self._static_port or activation.bindings.tcp_port()
        if port is None:
            event = Event(Stage.BINDINGS, Kind.NO_TCP, interface=ca_class.key)
            raise StepError(event, explain(event))
        self.trail.dynamic_port = port
        with self.step(Stage.TCP_DYNAMIC, ca_class.key):
            address = self.trail.address or self.host
            self._process = RpcConnection(address, port, self._deadline, self._max_reply)
        with self.step(Stage.AUTH, ca_class.key):
            security = self._logon.security()
        with self.step(Stage.CALL, ca_class.key):
            others = [
                item for item in (ids.ICERT_REQUEST_D2, ids.ICERT_ADMIN_D2, ids.IREM_UNKNOWN) if item != interface
            ]
            self._process.bind((interface, *others), security)

    def call_all(self, target: CaObject, calls: Sequence[tuple[int, bytes, str]]) -> list[bytes | RpcFaultError]:
        """Calls on an object as (opnum, stub, method): reply stubs or faults, in order."""
        process = self._process
        if process is None:
            raise ProtocolError("the session has no connection to the CA's process")
        for opnum, _, method in calls:
            self._note(process, target.interface, opnum, method, "privacy")
        with self.step(Stage.CALL, target.ca_class.key):
            return process.call_all([Call(target.interface, opnum, stub, target.ipid) for opnum, stub, _ in calls])

    def call(self, target: CaObject, opnum: int, stub: bytes, method: str) -> bytes:
        """One call. Raises StepError, also for a fault."""
        reply = self.call_all(target, ((opnum, stub, method),))[0]
        if isinstance(reply, RpcFaultError):
            raise self.fault_error(Stage.CALL, reply, target.ca_class.key)
        return reply

    def hresult_error(self, stage: Stage, hresult: int, interface: str) -> StepError:
        """The error for an HRESULT; for an activation that is denied certsvc's registration is asked first."""
        registered = None
        if stage is Stage.ACTIVATE and hresult == 0x80070005:
            registered = self.is_service_registered()
        event = Event(stage, Kind.HRESULT, hresult, interface, registered)
        return StepError(event, explain(event))

    def fault_error(self, stage: Stage, fault: RpcFaultError, interface: str) -> StepError:
        """The error for a fault."""
        event = Event(stage, Kind.FAULT, fault.status, interface)
        return StepError(event, explain(event), fault)

    def _judge_denied(self, error: StepError) -> StepError:
        """Fault 5: inside SPNEGO a wrong password ends the bind; bare NTLM tells it at the activation only. There the
        same logon tries ServerAlive2 (no second logon, so nothing counts towards a lockout) to tell credentials from a
        DCOM refusal."""
        event = error.event
        if event.stage not in (Stage.BIND, Stage.ACTIVATE) or (event.kind, event.code) != (Kind.FAULT, 5):
            return error
        try:
            known: bool | None = event.stage is Stage.ACTIVATE and self._require_scm().is_logon_good()
        except PkiToolsError:
            known = None  # the host closed the connection: nothing more is known
        event = replace(event, stage=Stage.AUTH, known=known)
        return StepError(event, explain(event), error.error)

    def is_service_registered(self) -> bool | None:
        """Whether the endpoint mapper knows ICertPassage, asked without authentication; None without an answer."""
        address = self.trail.address
        if address is None:
            return None
        try:
            ports = mapped_ports(address, self._mapper_port, ids.ICERT_PASSAGE, self._deadline)
        except PkiToolsError:
            return None
        self.trail.wire.append(_wire(self._mapper_port, ids.EPM, 3, "ept_map", "none"))
        return bool(ports)

    def is_rpc_alive(self) -> bool | None:
        """Whether ServerAlive2 answers without authentication; also learns the host's own names."""
        address = self.trail.address
        if address is None:
            return None
        try:
            alive = server_alive(address, self._mapper_port, self._deadline)
        except DeadlineExceededError:
            return None  # no time was left to hear it
        except PkiToolsError:
            return False
        self.trail.wire.append(_wire(self._mapper_port, ids.IOBJECT_EXPORTER, 5, "ServerAlive2", "none"))
        if alive.bindings is not None and not self.trail.server_names:
            self.trail.server_names = tuple(dict.fromkeys(item.host for item in alive.bindings.bindings))
        return alive.status == 0

    def _require_scm(self) -> Scm:
        if self._scm is None:
            raise ProtocolError("the session is not connected")
        return self._scm

    def _note(self, connection: RpcConnection, interface: Interface, opnum: int, method: str, protection: str) -> None:
        self.trail.wire.append(_wire(connection.port, interface, opnum, method, protection))


def _wire(port: int, interface: Interface, opnum: int, method: str, protection: str) -> WireUse:
    return WireUse(port, interface.name, str(interface.uuid), opnum, method, protection)
