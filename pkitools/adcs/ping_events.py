"""From an error of the transport to the event that the table of causes explains."""

from __future__ import annotations

from dataclasses import replace

from pkitools.adcs.ping_causes import Cause, Event, Kind, Stage, explain
from pkitools.errors import (
    AuthenticationError,
    ConnectError,
    DeadlineExceededError,
    NameResolutionError,
    PkiToolsError,
)
from pkitools.models.outcome import failed
from pkitools.protocol.dcom.pdu import NotRpcError
from pkitools.transport.rpc_errors import BindNakError, BindRejectedError, NotAuthenticError, RpcFaultError


def event_of(stage: Stage, error: PkiToolsError) -> Event:
    """The event behind an error of the transport."""
    if stage is Stage.AUTH and not isinstance(error, RpcFaultError | BindNakError):
        # no ticket, no KDC, no library, no time while the first logon was proven: the CA itself was not asked
        return Event(stage, Kind.LOGON)
    match error:
        case NameResolutionError():
            return Event(stage, Kind.UNRESOLVED)
        case DeadlineExceededError():
            return Event(stage, Kind.TIMEOUT)
        case ConnectError():
            connecting = stage in (Stage.TCP_135, Stage.TCP_DYNAMIC)
            return Event(stage, Kind.REFUSED if connecting else Kind.CLOSED)
        case BindRejectedError():
            return Event(stage, Kind.REJECTED, error.reason)
        case BindNakError():
            return Event(Stage.AUTH, Kind.NAK, error.reason)
        case AuthenticationError():
            return Event(Stage.AUTH, Kind.LOGON)
        case RpcFaultError():
            return Event(stage, Kind.FAULT, error.status)
        case NotAuthenticError():
            return Event(stage, Kind.NOT_AUTHENTIC)
        case NotRpcError():
            return Event(stage, Kind.NOT_RPC)
    return Event(stage, Kind.PROTOCOL)


def cause_of(event: Event, error: PkiToolsError) -> Cause:
    """The table's cause; what the error itself knows of a logon or a malformed answer is more exact."""
    cause = explain(event)
    if event.kind is Kind.LOGON:
        status = failed("", error).status
        return Cause(cause.id, status, error.message, error.hint or cause.next_step, error.code or cause.code)
    if event.kind in (Kind.PROTOCOL, Kind.NOT_AUTHENTIC):
        return replace(cause, message=f"{cause.message} ({error.message})")
    return cause
