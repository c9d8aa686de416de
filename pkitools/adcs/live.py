"""What CAs say themselves, where the directory only guesses: asked with one logon each, all at the same time.

The directory names the hosts, and a stale or hijacked name must not collect an NTLM response: hosts are logged on to
with Kerberos, with NTLM only when the credentials say so. Without a possible logon port 135 is all that is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pkitools.adcs.at_once import at_once
from pkitools.adcs.ca_session import REQUEST, CaSession, StepError
from pkitools.adcs.ca_state import read_state
from pkitools.adcs.ping import CaAddress, code_of
from pkitools.adcs.ping_causes import Kind, Stage
from pkitools.adcs.service_status import ServiceStatus, read_service_status
from pkitools.models.ca import CATemplate, CertificationAuthority
from pkitools.models.ca_state import CaState
from pkitools.models.outcome import Finding, Reason, Severity, finding
from pkitools.transport.credentials import AuthMethod, Credentials
from pkitools.transport.dcom import ENDPOINT_MAPPER_PORT
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.rpc_security import RpcLogon
from pkitools.transport.security import Logon

Resolver = Callable[[str, int, Deadline], Sequence[Endpoint]]


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """What one CA answered. ``asked`` is False when no logon was possible, so that ICertRequest was not asked;
    ``reason`` says why there is no ``state``."""

    asked: bool
    state: CaState | None
    reason: Reason | None
    service: ServiceStatus


def logon_methods(credentials: Credentials) -> tuple[AuthMethod, ...]:
    """How hosts that the directory named may be logged on to."""
    if credentials.method is None:
        return (AuthMethod.KERBEROS,)
    return () if credentials.method is AuthMethod.SIMPLE else (credentials.method,)


def ask_cas(
    cas: Sequence[CertificationAuthority | CATemplate], logon: Logon, deadline: Deadline, resolver: Resolver
) -> dict[str, LiveAnswer]:
    """The answers by config string; a CA that had none when time was up is missing."""
    methods = logon_methods(logon.credentials)
    by_name = {ca.config_string: CaAddress(ca.computer_name, ca.name) for ca in cas if ca.computer_name}
    if not methods:
        return {}
    return at_once(tuple(by_name), lambda name: _ask(by_name[name], logon, methods, deadline, resolver), deadline)


def _ask(
    target: CaAddress, logon: Logon, methods: tuple[AuthMethod, ...], deadline: Deadline, resolver: Resolver
) -> LiveAnswer:
    rpc_logon = RpcLogon(logon, target.host, deadline, methods)

    def addresses(host: str, limit: Deadline) -> list[str]:
        return [endpoint.address for endpoint in resolver(host, ENDPOINT_MAPPER_PORT, limit)]

    session = CaSession(target.host, deadline, rpc_logon, addresses)
    state, reason, asked = None, None, True
    with session:
        try:
            session.connect()
            state = read_state(session, session.activate(REQUEST), target.name or "")
        except StepError as error:
            reason = _reason(error)
            # no ticket, no library, no KDC: the CA was not asked at all
            asked = not (error.event.stage is Stage.AUTH and error.event.kind is Kind.LOGON)
    address = session.trail.address
    if address is None or not asked:
        service = ServiceStatus("Unknown", reason)
    else:
        service = read_service_status(target.host, address, rpc_logon, ENDPOINT_MAPPER_PORT, deadline)
    return LiveAnswer(asked, state, reason, service)


def _reason(error: StepError) -> Reason:
    code, code_hex = code_of(error.event, error.cause)
    return Reason(error.cause.id, error.cause.message, error.cause.next_step, code, code_hex)


def with_live_answers(
    cas: Sequence[CertificationAuthority], answers: Mapping[str, LiveAnswer]
) -> list[CertificationAuthority]:
    """The CAs as the directory has them, corrected and completed by what they said themselves."""
    return [_completed(ca, answers.get(ca.config_string)) for ca in cas]


def _completed(ca: CertificationAuthority, answer: LiveAnswer | None) -> CertificationAuthority:
    if answer is None:
        return ca
    ca = replace(ca, service_status=answer.service.state, service_status_reason=answer.service.reason)
    if not answer.asked:
        # port 135 decided; the reason says that ICertRequest was not asked, and why
        return replace(ca, is_accessible_reason=ca.is_accessible_reason or answer.reason)
    state = answer.state
    if state is None:
        return replace(ca, is_accessible=False, is_accessible_reason=answer.reason)
    return replace(
        ca,
        is_accessible=True,
        is_accessible_reason=None,
        type=state.type or ca.type,
        is_enterprise=ca.is_enterprise if state.is_enterprise is None else state.is_enterprise,
        is_root=ca.is_root if state.is_root is None else state.is_root,
        state=state,
        findings=(*ca.findings, *_disagreements(ca, state)),
    )


def _disagreements(ca: CertificationAuthority, state: CaState) -> list[Finding]:
    found = []
    if state.type is not None and state.type != ca.type:
        found.append(
            finding(
                Severity.WARNING,
                "TypeDisagrees",
                f"the CA calls itself {state.type!r}, the directory says {ca.type!r}",
                "look at the CA's object in CN=Enrollment Services: it may be left over from another CA",
            )
        )
    if state.dns_name and state.dns_name.casefold() != ca.computer_name.casefold():
        found.append(
            finding(
                Severity.NOTE,
                "HostDisagrees",
                f"the CA calls its host {state.dns_name!r}, the directory {ca.computer_name!r}",
                "fine for an alias or a cluster; else check dNSHostName",
            )
        )
    return found


def with_live_templates(value: CATemplate, answer: LiveAnswer | None) -> CATemplate:
    """What a CA publishes, held against its own list (CR_PROP_TEMPLATES)."""
    if answer is None or answer.state is None or answer.state.templates is None:
        return replace(value, is_live=False, live_reason=answer.reason if answer else None)
    differences = _template_differences(value, [item.name for item in answer.state.templates])
    return replace(value, is_live=True, findings=(*value.findings, *differences))


def _template_differences(value: CATemplate, names: Sequence[str]) -> list[Finding]:
    live = {name.casefold(): name for name in names}
    stored = {item.name.casefold(): item.name for item in value.templates}
    found = [
        finding(
            Severity.WARNING,
            "TemplateNotOnCA",
            f"the directory says that the CA issues from {stored[key]!r}, and the CA itself does not list it",
            "restart certsvc, or wait for it to read the directory again",
        )
        for key in sorted(stored.keys() - live.keys())
    ]
    found += [
        finding(
            Severity.WARNING,
            "TemplateNotInDirectory",
            f"the CA issues from {live[key]!r}, and its object in the directory does not list it",
            "remove and add the template in certsrv.msc, which writes the list anew",
        )
        for key in sorted(live.keys() - stored.keys())
    ]
    return found
