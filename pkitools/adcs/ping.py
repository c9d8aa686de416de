"""Ping-ICertInterface: does the CA answer through ICertRequest and ICertAdmin, and if not, why.

By PSPKI's definition an interface is alive when the product version can be read through it (MS-WCCE 3.2.1.4.3.2). Ping2
is asked beside it: it accepts an empty CA name, so a wrong name passes there; where the two disagree that is said.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pkitools import codes
from pkitools.adcs.ca_session import ADMIN, REQUEST, CaClass, CaObject, CaSession, StepError
from pkitools.adcs.ping_causes import Cause, Event, Kind, Stage, explain
from pkitools.models.ca_ping import CaPing, InterfacePing, StageTime
from pkitools.models.outcome import Finding, Outcome, Reason, Severity, Status, finding
from pkitools.protocol.dcom import icertadmin, icertrequest
from pkitools.protocol.dcom.ca_property import CaProp, PropType
from pkitools.protocol.dcom.icertrequest import text_of
from pkitools.protocol.dcom.orpc import unpack_hresult_only
from pkitools.transport.rpc_errors import RpcFaultError

E_INVALIDARG = 0x80070057
CERTSRV_E_ENROLL_DENIED = 0x80094011
GETCERT_PRODUCTVERSION = 0x70726F64
_DCE_CODES = {0x1C010002: "nca_op_rng_error", 0x1C010003: "nca_unk_if"}
"""Statuses of C706 appendix N that no SDK header names."""
RETRYABLE = (Kind.FAULT, 0x80010108)


@dataclass(frozen=True, slots=True)
class CaAddress:
    """A CA as the user named it: the host, and its name there when it was given."""

    host: str
    name: str | None

    @property
    def config_string(self) -> str:
        """``host\\name``, or the host alone while the name is not known."""
        return f"{self.host}\\{self.name}" if self.name else self.host


def parse_config(text: str) -> CaAddress:
    """``host\\name`` or ``host``."""
    host, _, name = text.partition("\\")
    return CaAddress(host.strip().rstrip("."), name.strip() or None)


def ping(
    target: CaAddress, session: CaSession, *, admin: bool, authentication: Callable[[], str | None], principal: str
) -> Outcome[CaPing]:
    """Ping one CA through ``session``, which is closed at the end. Never raises for what the peer does.

    ``authentication`` names the method that was used, once that is known, ``principal`` the service that was named.
    """
    state = _Ping(target, session)
    with session:
        try:
            session.connect()
        except StepError as error:
            state.failed(REQUEST, error)
        else:
            state.try_interface(REQUEST)
            if admin and not state.is_hopeless:
                state.try_interface(ADMIN)
        state.ask_around()
    return state.outcome(admin, authentication(), principal)


class _Ping:
    """What is known so far."""

    def __init__(self, target: CaAddress, session: CaSession) -> None:
        self._target = target
        self._session = session
        self._name = target.name
        self._results: dict[str, InterfacePing] = {}
        self._errors: dict[str, StepError] = {}
        self._ping2: dict[str, bool] = {}
        self._rpc_alive: bool | None = None
        self._registered: bool | None = None

    @property
    def is_hopeless(self) -> bool:
        """Whether a second interface cannot do better: nothing answered, or the logon was refused."""
        error = self._errors.get("request")
        if error is None:
            return False
        return error.event.stage not in (Stage.ACTIVATE, Stage.CALL) or error.event.kind is Kind.TIMEOUT

    def try_interface(self, ca_class: CaClass) -> None:
        """Activate and ask; once more when the service restarted in between."""
        for attempt in (1, 2):
            try:
                self._ask(self._session.activate(ca_class))
                return
            except StepError as error:
                if attempt == 1 and (error.event.kind, error.event.code) == RETRYABLE:
                    continue
                self.failed(ca_class, error)
                return

    def failed(self, ca_class: CaClass, error: StepError) -> None:
        """Note how an interface failed."""
        self._errors[ca_class.key] = error
        self._results[ca_class.key] = replace(_failed_interface(ca_class, error), ping2=self._ping2.get(ca_class.key))

    def _ask(self, target: CaObject) -> None:
        if self._name is None:
            self._name = self._learn_name(target)
        ping2, version = self._version_and_ping(target, self._name or "")
        done = InterfacePing(target.interface.name, True, ping2, version, Stage.CALL.value)
        self._results[target.ca_class.key] = done
        if target.ca_class is ADMIN and target.is_newer:
            self._tell_denied_requests_apart(target)

    def _tell_denied_requests_apart(self, target: CaObject) -> None:
        """ICertRequest refuses both an account without Enroll and, closed to all, everybody: the CA's configuration
        tells which, to those who may read it."""
        error = self._errors.get("request")
        if error is None or error.event.code != CERTSRV_E_ENROLL_DENIED:
            return
        stub = icertadmin.pack_get_config_entry(self._name or "", None, "InterfaceFlags")
        try:
            reply = self._session.call(target, icertadmin.OPNUM_GET_CONFIG_ENTRY, stub, "GetConfigEntry")
            with self._session.step(Stage.CALL, target.ca_class.key):
                _, flags = icertadmin.unpack_get_config_entry(reply)
        except StepError:
            return  # it stays with both causes named
        if isinstance(flags, int):
            closed = bool(flags & icertadmin.IF_NOREMOTEICERTREQUEST)
            event = replace(error.event, closed=closed)
            self.failed(REQUEST, StepError(event, explain(event), error.error))

    def _version_and_ping(self, target: CaObject, name: str) -> tuple[bool, str]:
        replies = self._session.call_all(target, _questions(target, name))
        ping_ok = self._is_good_ping(replies[1], target)
        self._ping2[target.ca_class.key] = ping_ok
        first = replies[0]
        try:
            if isinstance(first, RpcFaultError):
                raise self._session.fault_error(Stage.CALL, first, target.ca_class.key)
            with self._session.step(Stage.CALL, target.ca_class.key):
                hresult, blob = _version_in(first, target)
            if hresult & 0x80000000:
                raise self._session.hresult_error(Stage.CALL, hresult, target.ca_class.key)
        except StepError as error:
            self._explain_wrong_name(target, error)
            raise
        return ping_ok, text_of(blob)

    def _is_good_ping(self, reply: bytes | RpcFaultError, target: CaObject) -> bool:
        if isinstance(reply, RpcFaultError):
            return False
        with self._session.step(Stage.CALL, target.ca_class.key):
            return unpack_hresult_only(reply, "Ping reply") == 0

    def _explain_wrong_name(self, target: CaObject, error: StepError) -> None:
        if error.event.code != E_INVALIDARG or target.ca_class is not REQUEST:
            return
        right = self._learn_name(target)
        if right and right != self._name:
            shown = f"{self._target.host}\\{right}"
            error.cause = replace(error.cause, message=f"the host has a CA, but not of this name: it is '{shown}'")

    def _learn_name(self, target: CaObject) -> str | None:
        """The sanitised name, by the one call that needs no name (GetCACert)."""
        stub = icertrequest.pack_get_ca_cert(icertrequest.GETCERT_SANITIZED_CANAME, None)
        reply = self._session.call(target, icertrequest.OPNUM_GET_CA_CERT, stub, "GetCACert")
        with self._session.step(Stage.CALL, target.ca_class.key):
            hresult, blob = icertrequest.unpack_blob(reply, "GetCACert reply")
        return text_of(blob) if not hresult & 0x80000000 else None

    def ask_around(self) -> None:
        """Without credentials: is DCOM there, is certsvc registered? Asked only when something failed."""
        error = self._errors.get("request")
        if error is None or error.event.stage in (Stage.NAME, Stage.TCP_135) or error.event.kind is Kind.TIMEOUT:
            return
        self._rpc_alive = self._session.is_rpc_alive()
        self._registered = self._session.is_service_registered()

    def outcome(self, admin: bool, authentication: str | None, principal: str) -> Outcome[CaPing]:
        """The record, the findings and the status."""
        request = self._results["request"]
        administration = self._results.get("admin")
        trail = self._session.trail
        findings = self._findings()
        value = CaPing(
            config_string=CaAddress(self._target.host, self._name).config_string,
            icert_admin=(administration is not None and administration.alive) if admin else None,
            icert_request=request.alive,
            computer_name=self._target.host,
            ca_name=self._name,
            address=trail.address,
            dynamic_port=trail.dynamic_port,
            authentication=authentication,
            service_principal=principal if authentication else None,
            com_version=trail.com_version,
            server_names=trail.server_names,
            rpc_alive=True if request.alive else self._rpc_alive,
            service_registered=True if request.alive else self._registered,
            request=request,
            admin=administration,
            stages=_summed(trail.stages),
            round_trips=trail.round_trips,
            wire=tuple(trail.wire),
            findings=findings,
        )
        return Outcome(self._target.config_string, self._status(findings), value, self._reason())

    def _status(self, findings: tuple[Finding, ...]) -> Status:
        error = self._errors.get("request")
        if error is not None:
            return error.cause.status
        return Status.FINDING if any(item.severity is not Severity.NOTE for item in findings) else Status.OK

    def _reason(self) -> Reason | None:
        error = self._errors.get("request")
        if error is None:
            return None
        code, code_hex = code_of(error.event, error.cause)
        return Reason(error.cause.id, self._message(error), error.cause.next_step, code, code_hex)

    def _message(self, error: StepError) -> str:
        port = self._session.trail.dynamic_port
        if error.event.stage is Stage.TCP_DYNAMIC and port:
            return f"{error.cause.message} (port {port})"
        return error.cause.message

    def _findings(self) -> tuple[Finding, ...]:
        found: list[Finding] = []
        for key, result in self._results.items():
            if result.ping2 is not None and result.ping2 != result.alive and key == "request":
                found.append(_disagreement(result))
        error = self._errors.get("admin")
        if error is not None:
            severity = Severity.NOTE if error.cause.status is Status.OK else Severity.WARNING
            text = f"ICertAdmin: {self._message(error)}"
            found.append(finding(severity, error.cause.id, text, error.cause.next_step, code=error.cause.code))
        return tuple(found)


def _summed(stages: list[StageTime]) -> tuple[StageTime, ...]:
    """The time of each stage, however often it was entered."""
    total: dict[str, float] = {}
    for item in stages:
        total[item.stage] = total.get(item.stage, 0.0) + item.milliseconds
    return tuple(StageTime(stage, round(milliseconds, 2)) for stage, milliseconds in total.items())


def _questions(target: CaObject, name: str) -> tuple[tuple[int, bytes, str], ...]:
    """What proves an interface alive, and the ping beside it; the older interfaces know no properties."""
    is_request = target.ca_class is REQUEST
    version = icertrequest.pack_get_ca_property(name, CaProp.PRODUCT_VERSION, 0, PropType.STRING)
    ping_stub = icertrequest.pack_ping(name)
    if target.is_newer and is_request:
        return (
            (icertrequest.OPNUM_GET_CA_PROPERTY, version, "GetCAProperty"),
            (icertrequest.OPNUM_PING2, ping_stub, "Ping2"),
        )
    if target.is_newer:
        return (
            (icertadmin.OPNUM_GET_CA_PROPERTY, version, "GetCAProperty"),
            (icertadmin.OPNUM_PING2, ping_stub, "Ping2"),
        )
    cert = icertrequest.pack_get_ca_cert(GETCERT_PRODUCTVERSION, name)
    ping_opnum = icertrequest.OPNUM_PING if is_request else icertadmin.OPNUM_PING
    first = (icertrequest.OPNUM_GET_CA_CERT, cert, "GetCACert") if is_request else (ping_opnum, ping_stub, "Ping")
    return (first, (ping_opnum, ping_stub, "Ping"))


def _version_in(stub: bytes, target: CaObject) -> tuple[int, bytes]:
    """HRESULT and product version; ICertAdminD has only Ping to say that it is alive."""
    if target.ca_class is ADMIN and not target.is_newer:
        return unpack_hresult_only(stub, "Ping reply"), b""
    return icertrequest.unpack_blob(stub, "GetCAProperty reply")


def _failed_interface(ca_class: CaClass, error: StepError) -> InterfacePing:
    code, code_hex = code_of(error.event, error.cause)
    return InterfacePing(
        interface=ca_class.newer.name,
        alive=False,
        ping2=None,
        product_version=None,
        stage=error.event.stage.value,
        cause=error.cause.id,
        code=code,
        code_hex=code_hex,
        message=error.cause.message,
        next_step=error.cause.next_step,
    )


def code_of(event: Event, cause: Cause) -> tuple[str | None, str | None]:
    """Name and number of what the server said, or of the code that Windows shows for the cause."""
    if event.kind in (Kind.HRESULT, Kind.FAULT) and event.code is not None:
        wanted = "hresult" if event.code & 0x80000000 else "win32"
        found = [code.name for code in codes.by_number(event.code) if code.family == wanted]
        if cause.code in found:
            return cause.code, f"0x{event.code:08X}"
        return (found[0] if found else _DCE_CODES.get(event.code)), f"0x{event.code:08X}"
    return (cause.code, codes.hex_of(cause.code)) if cause.code else (None, None)


def _disagreement(result: InterfacePing) -> Finding:
    if result.ping2:
        text = "Ping2 answers although the product version cannot be read: the ping alone would call this CA good"
    else:
        text = "the product version can be read although Ping2 fails"
    return finding(Severity.WARNING, "PingDisagrees", text, "judge the CA by the property, as PSPKI does")
