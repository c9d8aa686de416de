"""Reading what a CA says of itself: all of its properties in few calls on one connection (MS-WCCE 3.2.1.4.3.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pkitools.adcs.ca_session import ADMIN, CaObject, CaSession, StepError
from pkitools.adcs.ping_causes import Stage
from pkitools.errors import FormatError, ProtocolError
from pkitools.models.ca_state import CaCertificateState, CaState, Disposition, LiveTemplate
from pkitools.models.certificate import Certificate
from pkitools.protocol.dcom import icertadmin, icertrequest
from pkitools.protocol.dcom.ca_property import (
    CaInfo,
    CaProp,
    CaType,
    CrlPublishStatus,
    PropType,
    unpack_templates,
)
from pkitools.protocol.dcom.icertrequest import text_of
from pkitools.transport.rpc_errors import RpcFaultError

MAX_CERTIFICATES = 100
TYPE_NAMES = {
    CaType.ENTERPRISE_ROOT: "Enterprise Root CA",
    CaType.ENTERPRISE_SUBORDINATE: "Enterprise Subordinate CA",
    CaType.STANDALONE_ROOT: "Standalone Root CA",
    CaType.STANDALONE_SUBORDINATE: "Standalone Subordinate CA",
}
_STRINGS = (CaProp.CA_NAME, CaProp.SANITIZED_CA_NAME, CaProp.DNS_NAME, CaProp.PRODUCT_VERSION, CaProp.FILE_VERSION)
_DISPOSITIONS = (
    Disposition.INCOMPLETE,
    Disposition.ERROR,
    Disposition.REVOKED,
    Disposition.VALID,
    Disposition.INVALID,
    Disposition.UNDER_SUBMISSION,
)

T = TypeVar("T")
Question = tuple[CaProp, int, PropType]


def read_state(session: CaSession, target: CaObject, name: str) -> CaState:
    """The state of the CA ``name`` through an ICertRequestD2 object. Raises StepError when it refuses the first call.

    Three rounds: what is there, one call per certificate and CRL that the first round named, the caller's roles.
    """
    reader = _Reader(session, target, name)
    questions: list[Question] = [(prop, 0, PropType.STRING) for prop in _STRINGS]
    questions += [
        (CaProp.CA_TYPE, 0, PropType.LONG),
        (CaProp.PARENT_CA, 0, PropType.STRING),
        (CaProp.TEMPLATES, 0, PropType.STRING),
        (CaProp.CA_CERT_STATE, 0, PropType.LONG),
        (CaProp.CRL_STATE, 0, PropType.LONG),
    ]
    answers = reader.ask(questions)
    info = _parsed(CaInfo.unpack, answers[5])
    strings = [text_of(blob) if blob is not None else None for blob in answers[:5]]
    ca_type = info.ca_type if info else None
    templates = _parsed(unpack_templates, answers[7])
    return CaState(
        name=strings[0],
        sanitized_name=strings[1],
        dns_name=strings[2],
        product_version=strings[3],
        file_version=strings[4],
        type=TYPE_NAMES.get(CaType(ca_type)) if ca_type in set(CaType) else None,
        is_enterprise=ca_type in (CaType.ENTERPRISE_ROOT, CaType.ENTERPRISE_SUBORDINATE) if info else None,
        is_root=ca_type in (CaType.ENTERPRISE_ROOT, CaType.STANDALONE_ROOT) if info else None,
        parent_name=text_of(answers[6]) or None if answers[6] is not None else None,
        certificates=reader.certificates(info.signature_certificates if info else 0, answers[8], answers[9]),
        templates=None if templates is None else tuple(LiveTemplate(item.name, item.oid) for item in templates),
        roles=_roles(session, name),
    )


class _Reader:
    """Asks for properties of one CA; a property that is refused is None, a refusal of the first ends the reading."""

    def __init__(self, session: CaSession, target: CaObject, name: str) -> None:
        self._session = session
        self._target = target
        self._name = name

    def ask(self, questions: Sequence[Question], *, optional: bool = False) -> list[bytes | None]:
        """The values in order."""
        calls = [
            (
                icertrequest.OPNUM_GET_CA_PROPERTY,
                icertrequest.pack_get_ca_property(self._name, prop, index, kind),
                "GetCAProperty",
            )
            for prop, index, kind in questions
        ]
        if not calls:
            return []
        replies = self._session.call_all(self._target, calls)
        return [self._value(reply, first=not number and not optional) for number, reply in enumerate(replies)]

    def _value(self, reply: bytes | RpcFaultError, *, first: bool) -> bytes | None:
        key = self._target.ca_class.key
        if isinstance(reply, RpcFaultError):
            if first:
                raise self._session.fault_error(Stage.CALL, reply, key)
            return None
        with self._session.step(Stage.CALL, key):
            hresult, blob = icertrequest.unpack_blob(reply, "GetCAProperty reply")
        if hresult & 0x80000000:
            if first:
                raise self._session.hresult_error(Stage.CALL, hresult, key)
            return None
        return blob

    def certificates(
        self, count: int, states: bytes | None, crl_states: bytes | None
    ) -> tuple[CaCertificateState, ...]:
        """Every CA certificate; publication of the CRLs is asked only where there is a valid one."""
        count = max(0, min(count, MAX_CERTIFICATES))
        kinds = [_disposition(states, index) for index in range(count)]
        crls = [_disposition(crl_states, index) for index in range(count)]
        valid = [index for index in range(count) if crls[index] is Disposition.VALID]
        questions: list[Question] = [(CaProp.CA_SIG_CERT, index, PropType.BINARY) for index in range(count)]
        questions += [(CaProp.BASE_CRL_PUBLISH_STATUS, index, PropType.LONG) for index in valid]
        questions += [(CaProp.DELTA_CRL_PUBLISH_STATUS, index, PropType.LONG) for index in valid]
        answers = self.ask(questions, optional=True)
        base = dict(zip(valid, answers[count : count + len(valid)], strict=True))
        delta = dict(zip(valid, answers[count + len(valid) :], strict=True))
        return tuple(
            CaCertificateState(
                index,
                kinds[index],
                crls[index],
                _certificate(answers[index]),
                _published(base.get(index)),
                _published(delta.get(index)),
            )
            for index in range(count)
        )


def _roles(session: CaSession, name: str) -> tuple[str, ...] | None:
    """GetMyRoles; None for a caller without Read, which says nothing bad of the CA."""
    try:
        admin = session.activate(ADMIN)
        stub = session.call(admin, icertadmin.OPNUM_GET_MY_ROLES, icertadmin.pack_get_my_roles(name), "GetMyRoles")
        with session.step(Stage.CALL, ADMIN.key):
            hresult, roles = icertadmin.unpack_get_my_roles(stub)
    except StepError:
        return None
    if hresult & 0x80000000:
        return None
    return tuple(role.name or str(role.value) for role in roles)


def _disposition(states: bytes | None, index: int) -> Disposition:
    if states is None or index >= len(states) or states[index] >= len(_DISPOSITIONS):
        return Disposition.UNKNOWN
    return _DISPOSITIONS[states[index]]


def _published(value: bytes | None) -> str | None:
    if value is None or len(value) != 4:
        return None
    bits = CrlPublishStatus(int.from_bytes(value, "little"))
    return ", ".join(bit.name or "" for bit in bits) or "None"


def _certificate(data: bytes | None) -> Certificate | None:
    from pkitools.protocol.x509 import read_certificate

    if not data:
        return None
    try:
        return read_certificate(data)
    except FormatError:
        return None


def _parsed(unpack: Callable[[bytes], T], data: bytes | None) -> T | None:
    """A value, or None where the CA did not tell it or told it in a form of its own."""
    if data is None:
        return None
    try:
        return unpack(data)
    except ProtocolError:
        return None
