"""Probes IKE servers: both ports of every host side by side, then what was found, judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from pkitools.aovpn.ike.features import features_of
from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.judging import VPN_TIMEOUT, Expectation, findings_of
from pkitools.aovpn.ike.offers import proposals_for
from pkitools.aovpn.ike.other import OtherSearch
from pkitools.aovpn.ike.search import PolicySearch, Step
from pkitools.aovpn.ike.secured import SecuredExchange
from pkitools.aovpn.policy import WINDOWS_IKE_POLICIES
from pkitools.errors import InputError, NoAnswerError, PkiToolsError, ProtocolError, RefusedError
from pkitools.models.ike import IkeFeatures, IkePort, IkeServer, IkeVerdict, OtherIkePolicy
from pkitools.models.ipsec import DHGroup, IkePolicy
from pkitools.models.outcome import Outcome, failed, judged
from pkitools.protocol.ike.numbers import Dh
from pkitools.protocol.ike.sa_init import WrongGroup
from pkitools.transport.deadline import Deadline
from pkitools.transport.udp import IKE_PORT, NAT_T_PORT, Conversations, Port, Session, first_addresses

DEFAULT_TIMEOUT: Final = 10.0
# The question about port 4500 offers all groups but the one that nobody uses, and sends a key of that one.
_KNOCK: Final = tuple(item for item in WINDOWS_IKE_POLICIES if item.dh_group is not DHGroup.GROUP1)


@dataclass(frozen=True, slots=True)
class ProbeOptions:
    """How to probe. ``timeout``: seconds for one host, all ports and questions together. ``ports``: for tests."""

    timeout: float = DEFAULT_TIMEOUT
    fast: bool = False
    expectation: Expectation | None = None
    ports: tuple[Port, Port] = (IKE_PORT, NAT_T_PORT)


@dataclass(slots=True)
class _PortState:
    """What one port said so far."""

    port: Port
    inquiry: Inquiry | None = None
    search: PolicySearch | None = None
    done: bool = False
    verdict: IkeVerdict | None = None
    message: str = ""
    error: PkiToolsError | None = None


@dataclass(slots=True)
class HostProbe:
    """One host in progress."""

    target: str
    host: str
    address: str
    options: ProbeOptions
    first: _PortState
    nat_t: _PortState
    deadline: Deadline
    started: float = field(default_factory=time.monotonic)
    features: IkeFeatures | None = None
    other: OtherIkePolicy | None = None

    @property
    def searched(self) -> _PortState:
        """The port on which the policies were searched: 500 unless it is dead and 4500 lives."""
        return self.nat_t if self.nat_t.search is not None else self.first

    def search(self, state: _PortState) -> Callable[[Session], Step[None]]:
        """The conversation that finds the policies on one port, and what one answer shows beside them."""

        def begin(session: Session) -> Step[None]:
            inquiry = state.inquiry = Inquiry(session, state.port)
            search = state.search = PolicySearch(inquiry, fast=self.options.fast)
            yield from search.run()
            state.verdict, state.message = search.verdict, search.message
            if search.verdict is IkeVerdict.REJECTED:
                yield from self._look_beyond(state, search)
            if search.acceptance is not None:
                ours = session.local(state.port)
                theirs = (self.address, state.port.number)
                acceptance = search.acceptance
                self.features = features_of(acceptance.request.spi, acceptance.chosen, ours, theirs)
                if not self.options.fast:
                    yield from SecuredExchange(inquiry, acceptance, state.port).abandon()

        return begin

    def _look_beyond(self, state: _PortState, search: PolicySearch) -> Step[None]:
        try:
            self.other = yield from OtherSearch(search.inquiry).run()
        except (InquiryStopped, RefusedError, ProtocolError):
            return  # the verdict on the Windows policies stands
        if self.other is not None:
            state.verdict = IkeVerdict.NOT_EXPRESSIBLE

    def knock(self, state: _PortState) -> Callable[[Session], Step[None]]:
        """The conversation that asks one question, to see whether a port answers and what it thinks of Windows."""

        def begin(session: Session) -> Step[None]:
            inquiry = state.inquiry = Inquiry(session, state.port)
            question = inquiry.question(proposals_for(_KNOCK), Dh.MODP_768)
            try:
                response = yield from inquiry.ask(question)
            except InquiryStopped as stopped:
                state.verdict, state.message = stopped.verdict, stopped.message
            else:
                if isinstance(response, WrongGroup):
                    state.verdict = IkeVerdict.ACCEPTED

        return begin

    def needs_search_on_nat_t(self) -> bool:
        """Port 500 is dead, 4500 answers: search there."""
        dead = self.first.inquiry is not None and not self.first.inquiry.answered and self.first.error is None
        alive = self.nat_t.inquiry is not None and self.nat_t.inquiry.answered
        return dead and alive and self.nat_t.search is None


def probe_hosts(targets: tuple[str, ...], options: ProbeOptions) -> Iterator[Outcome[IkeServer]]:
    """The outcome of every host, in the order in which they are named, each as soon as those before it are known."""
    hosts = {target: _host(target) for target in targets}
    addresses = first_addresses(tuple(dict.fromkeys(hosts.values())), options.timeout)
    ready: dict[int, Outcome[IkeServer]] = {}
    conversations: Conversations[tuple[int, bool], None] = Conversations()
    probes: dict[int, HostProbe] = {}
    for index, target in enumerate(targets):
        address = addresses[hosts[target]]
        if isinstance(address, PkiToolsError):
            ready[index] = failed(target, address)
        else:
            probe = probes[index] = _new_probe(target, hosts[target], address, options)
            conversations.start((index, False), address, probe.search(probe.first), options.timeout)
            conversations.start((index, True), address, probe.knock(probe.nat_t), options.timeout)
    position = 0
    for index in _finished_hosts(conversations, probes):
        ready[index] = outcome_of(probes[index])
        while position in ready:
            yield ready.pop(position)
            position += 1
    while position in ready:
        yield ready.pop(position)
        position += 1


def accepted_policies(host: str, *, timeout: float = DEFAULT_TIMEOUT) -> tuple[IkePolicy, ...]:
    """The Windows IKE policies that a server accepts; empty when it rejects them all.

    Raises a PkiToolsError when that could not be found out completely.
    """
    outcome = next(probe_hosts((host,), ProbeOptions(timeout=timeout)))
    if outcome.value is None or outcome.reason is not None:
        reason = outcome.reason
        raise NoAnswerError(
            f"{host}: {reason.message}" if reason else f"{host}: no answer",
            hint=reason.next_step if reason else "",
            code=reason.code if reason else None,
        )
    return outcome.value.accepted_policies


def _host(target: str) -> str:
    text = target.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if not text or any(character.isspace() or character in "/@#?" for character in text):
        raise InputError(f"{target!r} is not a host name or an address", hint="write vpn.example.com, 192.0.2.1 or ::1")
    try:
        return text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InputError(f"{target!r} is not an international domain name: {error}", hint="check the name") from error


def _new_probe(target: str, host: str, address: str, options: ProbeOptions) -> HostProbe:
    first, nat_t = (_PortState(port) for port in options.ports)
    return HostProbe(target, host, address, options, first, nat_t, Deadline(options.timeout))


def _finished_hosts(
    conversations: Conversations[tuple[int, bool], None], probes: dict[int, HostProbe]
) -> Iterator[int]:
    for item in conversations.finished():
        index, on_nat_t = item.key
        probe = probes[index]
        state = probe.nat_t if on_nat_t else probe.first
        state.done, state.error = True, item.error
        if not (probe.first.done and probe.nat_t.done):
            continue
        if probe.needs_search_on_nat_t():
            state = probe.nat_t
            state.done = False
            conversations.start((index, True), probe.address, probe.search(state), probe.deadline.remaining())
            continue
        yield index


def outcome_of(probe: HostProbe) -> Outcome[IkeServer]:
    """The judged outcome of a host whose conversations are over."""
    server = _server_of(probe)
    if probe.searched.error is not None:
        return failed(probe.target, probe.searched.error, server)
    server = replace(server, findings=findings_of(server, probe.options.expectation))
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
    known = len(WINDOWS_IKE_POLICIES) - len(server.undecided_policies)
    message = next((port.message for port in server.ports if port.verdict is IkeVerdict.THROTTLED), "it fell silent")
    return NoAnswerError(
        f"throttled: {message}; {known} of {len(WINDOWS_IKE_POLICIES)} policies are decided",
        hint="wait until the server has forgotten its half-open SAs (often 30 s) and ask again without --fast",
        error_id="IkeThrottled",
    )


def _server_of(probe: HostProbe) -> IkeServer:
    state = probe.searched
    search = state.search
    inquiries = [item.inquiry for item in (probe.first, probe.nat_t) if item.inquiry is not None]
    accepted = search.accepted if search is not None else set()
    undecided = search.undecided if search is not None else WINDOWS_IKE_POLICIES
    return IkeServer(
        host=probe.host,
        address=probe.address,
        verdict=state.verdict if state.error is None else None,
        ports=tuple(_port_of(item) for item in (probe.first, probe.nat_t)),
        accepted_policies=tuple(item for item in WINDOWS_IKE_POLICIES if item in accepted),
        rejected_count=len(WINDOWS_IKE_POLICIES) - len(accepted) - len(undecided),
        undecided_policies=undecided,
        other_policy=probe.other,
        features=probe.features,
        method=search.method if search is not None else "",
        cookie_required=any(item.cookies for item in inquiries),
        packets_sent=sum(item.packets for item in inquiries),
        largest_packet=max((item.largest for item in inquiries), default=0),
        seconds=time.monotonic() - probe.started,
        expected=probe.options.expectation.name if probe.options.expectation else None,
    )


def _port_of(state: _PortState) -> IkePort:
    answers = state.inquiry is not None and state.inquiry.answered
    message = state.message or (state.error.message if state.error else "")
    return IkePort(state.port.number, answers, state.verdict, message)
