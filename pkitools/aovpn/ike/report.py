"""From a host's finished probe to its outcome: model, findings, status."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from pkitools.aovpn.ike.judging import VPN_TIMEOUT, findings_of
from pkitools.aovpn.ike.offers import ALL
from pkitools.aovpn.ike.probe import HostProbe, PortState
from pkitools.aovpn.policy import WINDOWS_IKE_POLICIES, IkeTransforms
from pkitools.errors import NoAnswerError, ProtocolError
from pkitools.models.ike import IkePort, IkeServer, IkeVerdict
from pkitools.models.ipsec import IkePolicy
from pkitools.models.outcome import Outcome, failed, judged

if TYPE_CHECKING:
    from pkitools.models.trust import Judgement


def outcome_of(probe: HostProbe, judgement: Judgement | ProtocolError | None) -> Outcome[IkeServer]:
    """The judged outcome of a host whose conversations are over; ``judgement`` is that of its certificate."""
    if isinstance(judgement, ProtocolError):
        return failed(probe.target, judgement, _server_of(probe, None))
    server = _server_of(probe, judgement)
    if probe.searched.error is not None:
        return failed(probe.target, probe.searched.error, server)
    if probe.certificate_error is not None:
        return failed(probe.target, probe.certificate_error, server)
    server = replace(
        server, findings=findings_of(server, probe.options.expectation, probe.options.authority_names.values())
    )
    if server.verdict in (IkeVerdict.NO_ANSWER, IkeVerdict.UNREACHABLE):
        return failed(probe.target, _no_answer(probe), replace(server, findings=()))
    if server.verdict is IkeVerdict.THROTTLED:
        return failed(probe.target, _throttled(server), server)
    return judged(probe.target, server, server.findings)


def _no_answer(probe: HostProbe) -> NoAnswerError:
    reasons = {state.message or "no answer" for state in (probe.first, probe.nat_t)}
    numbers = f"{probe.first.port.number} and {probe.nat_t.port.number}"
    if len(reasons) == 1:
        what = f"UDP {numbers}: {reasons.pop()}"
    else:
        what = "; ".join(f"UDP {state.port.number}: {state.message}" for state in (probe.first, probe.nat_t))
    return NoAnswerError(
        f"{what} (within {probe.options.timeout:g} s)",
        hint="check the firewalls on the way, the address, and that the server's IKE service runs",
        code=VPN_TIMEOUT,
        error_id="IkeNoAnswer",
    )


def _throttled(server: IkeServer) -> NoAnswerError:
    known = len(ALL) - len(server.undecided_policies)
    message = next((port.message for port in server.ports if port.verdict is IkeVerdict.THROTTLED), "it fell silent")
    return NoAnswerError(
        f"throttled: {message}; {known} of {len(ALL)} policies are decided",
        hint="wait until the server has forgotten its half-open SAs (often 30 s) and ask again without --fast",
        error_id="IkeThrottled",
    )


def _server_of(probe: HostProbe, judgement: Judgement | None) -> IkeServer:
    state = probe.searched
    search = state.search
    asked = (probe.first.inquiry, probe.nat_t.inquiry, probe.certificate_inquiry)
    inquiries = [item for item in asked if item is not None]
    accepted = search.accepted if search is not None else set()
    undecided = search.undecided if search is not None else ALL
    return IkeServer(
        host=probe.host,
        address=probe.address,
        verdict=state.verdict if state.error is None else None,
        ports=tuple(_port_of(item) for item in (probe.first, probe.nat_t)),
        accepted_policies=_in_windows_words(accepted),
        rejected_count=len(ALL) - len(accepted) - len(undecided),
        undecided_policies=_in_windows_words(undecided),
        other_policy=probe.other,
        features=probe.features,
        method=search.method if search is not None else "",
        cookie_required=any(item.cookies for item in inquiries),
        packets_sent=sum(item.packets for item in inquiries),
        retransmissions=sum(item.retransmissions for item in inquiries),
        largest_packet=max((item.largest for item in inquiries), default=0),
        seconds=time.monotonic() - probe.started,
        certificate=replace(probe.proof.report, judgement=judgement) if probe.proof is not None else None,
        expected=probe.options.expectation.name if probe.options.expectation else None,
    )


def _in_windows_words(policies: Collection[IkeTransforms]) -> tuple[IkePolicy, ...]:
    return tuple(policy for ids, policy in zip(ALL, WINDOWS_IKE_POLICIES, strict=True) if ids in policies)


def _port_of(state: PortState) -> IkePort:
    answers = state.inquiry is not None and state.inquiry.answered
    message = state.message or (state.error.message if state.error else "")
    return IkePort(state.port.number, answers, state.verdict, message)
