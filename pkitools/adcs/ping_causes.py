"""Stage x code x cause x next step: what each way in which a CA does not answer means.

One table, so that each row can be tested and read. Where the same code means different things, the other facts of the
ping decide (whether certsvc is registered, whether the account could do anything at all).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pkitools.models.outcome import Status


class Stage(StrEnum):
    """The steps of a ping, in their order."""

    NAME = "name"
    TCP_135 = "tcp-135"
    BIND = "bind"
    AUTH = "auth"
    ACTIVATE = "activate"
    BINDINGS = "bindings"
    TCP_DYNAMIC = "tcp-dynamic"
    CALL = "call"


class Kind(StrEnum):
    """What ended a step."""

    UNRESOLVED = "unresolved"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    REJECTED = "rejected"
    NOT_RPC = "not-rpc"
    NAK = "nak"
    LOGON = "logon"
    FAULT = "fault"
    HRESULT = "hresult"
    NO_TCP = "no-tcp"
    NOT_AUTHENTIC = "not-authentic"
    PROTOCOL = "protocol"


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: the step, the kind of end, the number (HRESULT, fault status, reject reason) where there is one.

    ``interface`` is ``request`` or ``admin``; ``registered`` whether the endpoint mapper knows certsvc, ``known``
    whether the same logon was good for another call, ``closed`` whether the CA's InterfaceFlags close ICertRequest to
    remote callers; all None when unknown.
    """

    stage: Stage
    kind: Kind
    code: int | None = None
    interface: str = "request"
    registered: bool | None = None
    known: bool | None = None
    closed: bool | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event means. ``code`` is the Windows code to show when the event itself has none."""

    id: str
    status: Status
    message: str
    next_step: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: where it applies (None: anywhere) and what it means."""

    cause: Cause
    stage: Stage | None
    kind: Kind
    code: int | None = None
    interface: str | None = None
    registered: bool | None = None
    known: bool | None = None
    closed: bool | None = None

    def applies(self, event: Event) -> bool:
        """Whether the event is of this row."""
        pairs = (
            (self.stage, event.stage),
            (self.code, event.code),
            (self.interface, event.interface),
            (self.registered, event.registered),
            (self.known, event.known),
            (self.closed, event.closed),
        )
        return self.kind is event.kind and all(want is None or want == is_ for want, is_ in pairs)


_DCOM_GROUP = "put the account into 'Certificate Service DCOM Access' (or 'Distributed COM Users') on the CA"
_START = "start the service on the CA: Start-Service CertSvc; then look at the Application log if it does not stay up"
_RIGHTS = "on the CA: certsrv.msc, Properties, Security: give the account Request Certificates (Enroll)"

TABLE: tuple[Row, ...] = (
    Row(
        Cause(
            "NameNotResolved",
            Status.NO_ANSWER,
            "the CA's host name does not resolve",
            "check dNSHostName of the CA's object, and DNS here (ping-ca takes the address with --address)",
            "WSAHOST_NOT_FOUND",
        ),
        Stage.NAME,
        Kind.UNRESOLVED,
    ),
    Row(
        Cause(
            "RpcPortRefused",
            Status.NO_ANSWER,
            "the host refuses TCP port 135: it is up, and no RPC endpoint mapper listens",
            "is this the right host? is a firewall rejecting port 135?",
            "RPC_S_SERVER_UNAVAILABLE",
        ),
        Stage.TCP_135,
        Kind.REFUSED,
    ),
    Row(
        Cause(
            "RpcPortSilent",
            Status.NO_ANSWER,
            "no answer on TCP port 135: the host is down, or a firewall drops the packets",
            "check that the host is up and that the firewall lets TCP 135 through",
            "RPC_S_SERVER_UNAVAILABLE",
        ),
        Stage.TCP_135,
        Kind.TIMEOUT,
    ),
    Row(
        Cause(
            "NotAnRpcHost",
            Status.PROTOCOL_ERROR,
            "what listens on this port does not speak DCOM",
            "check the address and the port",
        ),
        Stage.BIND,
        Kind.REJECTED,
    ),
    Row(
        Cause(
            "NotAnRpcHost",
            Status.PROTOCOL_ERROR,
            "what listens on this port does not speak DCE/RPC",
            "check the address and the port",
        ),
        None,
        Kind.NOT_RPC,
    ),
    Row(
        Cause(
            "AuthenticationTypeRefused",
            Status.REFUSED,
            "the host refuses this kind of authentication, or the Kerberos ticket",
            "try --auth ntlm or --auth kerberos; Kerberos needs the full name for which the SPN host/NAME exists",
            "RPC_S_SEC_PKG_ERROR",
        ),
        None,
        Kind.NAK,
    ),
    Row(
        Cause(
            "LogonFailed",
            Status.REFUSED,
            "the logon failed before the CA was asked",
            "check account, password, clock and the name of the host",
        ),
        None,
        Kind.LOGON,
    ),
    Row(
        Cause(
            "DcomAccessDenied",
            Status.REFUSED,
            "the credentials are good, but DCOM refuses the activation: machine-wide limits or an RPC filter",
            "on the CA: dcomcnfg, My Computer, COM Security: launch and activation limits for remote users; "
            + _DCOM_GROUP,
            "E_ACCESSDENIED",
        ),
        Stage.AUTH,
        Kind.FAULT,
        5,
        known=True,
    ),
    Row(
        Cause(
            "CredentialsRefused",
            Status.REFUSED,
            "the host refuses the credentials: wrong password, or the account is locked, disabled or expired",
            "check the account before you try again: each try with a wrong password counts towards a lockout",
            "E_ACCESSDENIED",
        ),
        Stage.AUTH,
        Kind.FAULT,
        5,
    ),
    Row(
        Cause(
            "ServiceStopped",
            Status.FINDING,
            "the activation is denied and certsvc is not registered: the service is stopped "
            "(a plain user may activate, but not start it)",
            _START,
            "E_ACCESSDENIED",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80070005,
        registered=False,
    ),
    Row(
        Cause(
            "ActivationDenied",
            Status.REFUSED,
            "the account may not activate the CA's DCOM class",
            _DCOM_GROUP + "; if it is there, look whether the service runs",
            "E_ACCESSDENIED",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80070005,
    ),
    Row(
        Cause(
            "CaRoleAbsent",
            Status.FINDING,
            "the class is not registered: this host has no CA role",
            "check dNSHostName of the CA's object: it may point to an old server",
            "REGDB_E_CLASSNOTREG",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80040154,
    ),
    Row(
        Cause(
            "ServiceCannotStart",
            Status.FINDING,
            "certsvc cannot start",
            "read the Application log on the CA (source CertificationAuthority): often its certificate or CRL expired",
            "CO_E_SERVER_EXEC_FAILURE",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80080005,
    ),
    Row(
        Cause("ServiceStopped", Status.FINDING, "certsvc is stopped", _START, "RPC_S_SERVER_UNAVAILABLE"),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x800706BA,
    ),
    Row(
        Cause(
            "ServiceDisabled",
            Status.FINDING,
            "certsvc is disabled",
            "on the CA: Set-Service CertSvc -StartupType Automatic; Start-Service CertSvc",
            "ERROR_SERVICE_DISABLED",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80070422,
    ),
    Row(
        Cause(
            "InterfaceAbsent",
            Status.FINDING,
            "the CA knows neither form of the interface",
            "is this an AD CS certification authority?",
            "E_NOINTERFACE",
        ),
        Stage.ACTIVATE,
        Kind.HRESULT,
        0x80004002,
    ),
    Row(
        Cause(
            "NoTcpBinding",
            Status.FINDING,
            "the CA's process cannot be reached over TCP: DCOM offers no TCP binding",
            "on the CA: dcomcnfg, My Computer, Default Protocols: add Connection-oriented TCP/IP",
        ),
        Stage.BINDINGS,
        Kind.NO_TCP,
    ),
    Row(
        Cause(
            "DynamicPortRefused",
            Status.NO_ANSWER,
            "the CA's own port refuses the connection although port 135 answers",
            "open the named TCP port to the CA, or give the CA a static endpoint and open that one",
            "RPC_S_SERVER_UNAVAILABLE",
        ),
        Stage.TCP_DYNAMIC,
        Kind.REFUSED,
    ),
    Row(
        Cause(
            "DynamicPortBlocked",
            Status.NO_ANSWER,
            "port 135 answers, the CA's own port does not: a firewall lets 135 through but not the dynamic ports",
            "open TCP 49152-65535 to the CA, or give the CA a static endpoint and open that one",
            "RPC_S_SERVER_UNAVAILABLE",
        ),
        Stage.TCP_DYNAMIC,
        Kind.TIMEOUT,
    ),
    Row(
        Cause(
            "CallAccessDenied",
            Status.REFUSED,
            "DCOM lets the account in at port 135 and refuses the call: access permissions or machine-wide limits",
            "on the CA: dcomcnfg, CertSrv Request, Security: Access Permissions; " + _DCOM_GROUP,
            "E_ACCESSDENIED",
        ),
        Stage.CALL,
        Kind.FAULT,
        5,
    ),
    Row(
        Cause(
            "AdminRightMissing",
            Status.OK,
            "the account may not read the CA's administration interface",
            "normal for a plain user: ICertAdmin needs Read or a CA role",
            "E_ACCESSDENIED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80070005,
        interface="admin",
    ),
    Row(
        Cause(
            "CaRightMissing",
            Status.REFUSED,
            "the CA answers, and the account has no right on it",
            _RIGHTS,
            "E_ACCESSDENIED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80070005,
    ),
    Row(
        Cause(
            "WrongCaName",
            Status.FINDING,
            "the host has a CA, but not of this name",
            "use the config string that is shown",
            "E_INVALIDARG",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80070057,
    ),
    Row(
        Cause(
            "RemoteRequestsClosed",
            Status.FINDING,
            "the CA takes no remote requests from anybody: IF_NOREMOTEICERTREQUEST is set in its InterfaceFlags",
            "on the CA: certutil -setreg CA\\InterfaceFlags -IF_NOREMOTEICERTREQUEST, then restart certsvc",
            "CERTSRV_E_ENROLL_DENIED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80094011,
        closed=True,
    ),
    Row(
        Cause(
            "EnrollDenied",
            Status.REFUSED,
            "the account lacks Request Certificates (Enroll) on the CA",
            _RIGHTS,
            "CERTSRV_E_ENROLL_DENIED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80094011,
        closed=False,
    ),
    Row(
        Cause(
            "EnrollDenied",
            Status.REFUSED,
            "the account lacks Request Certificates (Enroll) on the CA, or the CA takes no remote requests "
            "(IF_NOREMOTEICERTREQUEST)",
            _RIGHTS + "; if it has it: certutil -getreg CA\\InterfaceFlags",
            "CERTSRV_E_ENROLL_DENIED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80094011,
    ),
    Row(
        Cause(
            "CaSuspended",
            Status.FINDING,
            "the CA is suspended, as it is while it is restored from a backup",
            "wait for the restore to end, then restart certsvc",
            "CERTSRV_E_SERVER_SUSPENDED",
        ),
        Stage.CALL,
        Kind.HRESULT,
        0x80094006,
    ),
    Row(
        Cause(
            "ServiceRestarted",
            Status.FINDING,
            "the object was gone at the second try too: certsvc keeps restarting",
            "look at the System and Application logs of the CA",
            "RPC_E_DISCONNECTED",
        ),
        Stage.CALL,
        Kind.FAULT,
        0x80010108,
    ),
    Row(
        Cause(
            "RequestNotUnderstood",
            Status.PROTOCOL_ERROR,
            "the server could not decode the request: is the CA's name longer than 1,535 characters?",
            "check the config string; else this is a fault of pkitools",
            "RPC_X_BAD_STUB_DATA",
        ),
        None,
        Kind.FAULT,
        0x6F7,
    ),
    Row(
        Cause(
            "SignatureRefused",
            Status.PROTOCOL_ERROR,
            "the server did not accept the signature of the request",
            "check the clock, and look for a proxy between here and the CA",
            "RPC_S_SEC_PKG_ERROR",
        ),
        None,
        Kind.FAULT,
        0x721,
    ),
    Row(
        Cause(
            "OldCa",
            Status.FINDING,
            "the CA is older than the call it was asked",
            "look at the CA's Windows version",
            "RPC_S_PROCNUM_OUT_OF_RANGE",
        ),
        None,
        Kind.FAULT,
        0x1C010002,
    ),
    Row(
        Cause(
            "OldCa",
            Status.FINDING,
            "the CA does not know the interface it was asked for",
            "look at the CA's Windows version",
            "RPC_S_UNKNOWN_IF",
        ),
        None,
        Kind.FAULT,
        0x1C010003,
    ),
    Row(
        Cause(
            "InterfaceNotOffered",
            Status.FINDING,
            "the CA's process does not offer the interface on its own port",
            "restart certsvc; with --port, check that it is the CA's static endpoint",
            "RPC_S_UNKNOWN_IF",
        ),
        Stage.CALL,
        Kind.REJECTED,
    ),
    Row(
        Cause(
            "ReplyNotAuthentic",
            Status.PROTOCOL_ERROR,
            "an answer is not protected as agreed: it was changed on the way, or comes from somebody else",
            "do not trust this CA's answers; look for a proxy or an attacker between here and the CA",
        ),
        None,
        Kind.NOT_AUTHENTIC,
    ),
    Row(
        Cause(
            "Timeout",
            Status.NO_ANSWER,
            "the port is open and the answer does not come",
            "the service hangs, or something between here and the CA does: look at the host, or raise --timeout",
            "RPC_S_CALL_FAILED",
        ),
        None,
        Kind.TIMEOUT,
    ),
    Row(
        Cause(
            "ConnectionClosed",
            Status.NO_ANSWER,
            "the host closed the connection before it had answered",
            "try again; if it stays, look at the logs of the CA and for a filter between here and there",
            "RPC_S_CALL_FAILED",
        ),
        None,
        Kind.CLOSED,
    ),
    Row(
        Cause(
            "ProtocolViolation",
            Status.PROTOCOL_ERROR,
            "the answer is malformed",
            "check the address; if it is an AD CS CA, report this with --explain",
        ),
        None,
        Kind.PROTOCOL,
    ),
)

_UNLISTED = {
    Kind.HRESULT: Cause(
        "UnlistedHresult", Status.FINDING, "the CA refuses", "pkitools get-error-message explains the code"
    ),
    Kind.FAULT: Cause(
        "UnlistedFault", Status.FINDING, "the call ended with a fault", "pkitools get-error-message explains the code"
    ),
    Kind.REFUSED: Cause(
        "ConnectionRefused",
        Status.NO_ANSWER,
        "the connection was refused",
        "check host and port",
        "RPC_S_SERVER_UNAVAILABLE",
    ),
}


def explain(event: Event) -> Cause:
    """The cause of an event; one without a row is named by its code and never called a good CA."""
    for row in TABLE:
        if row.applies(event):
            return row.cause
    return _UNLISTED.get(event.kind, TABLE[-1].cause)
