"""The search against responders that are correct, throttle, lie, break off or break the protocol."""

from __future__ import annotations

import gc
import itertools
import random
import socket
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkitools.aovpn.ike import run
from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.offers import ALL, chosen_policy, proposals_for
from pkitools.aovpn.ike.probe import ProbeOptions
from pkitools.aovpn.ike.run import probe_hosts
from pkitools.aovpn.policy import BASELINES, WINDOWS_IKE_POLICIES, ike_transforms
from pkitools.errors import NoAnswerError
from pkitools.models.ike import IkeVerdict
from pkitools.models.ipsec import DHGroup
from pkitools.models.outcome import Status
from pkitools.protocol.ike.message import Message
from pkitools.protocol.ike.numbers import Exchange, NotifyType, PayloadType
from pkitools.protocol.ike.payloads import KeyExchange
from pkitools.protocol.ike.proposals import unpack_proposals
from pkitools.protocol.ike.sa_init import SaInitRequest
from pkitools.transport import udp
from pkitools.transport.udp import NON_ESP_MARKER, Port
from tests.unit.aovpn.ike.responder import Correct, key_group, notify, offered, responder, silent

ONE = BASELINES["aovpn-standard"].ike
ONE_ID = tuple(ike_transforms(policy) for policy in ONE)
WINDOWS11 = BASELINES["windows11-default"].ike
HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Short waits: the peers here are near. The first one still bears a busy machine."""
    monkeypatch.setattr(udp.Conversations.__init__, "__defaults__", ((0.1, 0.25, 0.5),))


def probe(behaviour, *, fast=False, host=HOST, nat_t=None, timeout=8.0, **options):
    with responder(behaviour, host=host) as ike, responder(nat_t or Correct(ONE), marker=True, host=host) as second:
        (outcome,) = probe_hosts([host], ProbeOptions(timeout=timeout, fast=fast, ports=(ike, second), **options))
    return outcome


# offers


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(ALL), min_size=1))
def test_proposals_offer_exactly_the_given_policies(policies):
    request = SaInitRequest(proposals_for(tuple(policies)), KeyExchange(19, bytes(64)))
    singles = [chosen_policy(item) for item in offered(Message.unpack(request.pack()))]
    assert set(singles) == policies
    assert len(singles) == len(policies)


def test_everything_fits_into_1200_bytes():
    request = SaInitRequest(proposals_for(ALL), KeyExchange(14, bytes(256)))
    assert len(request.pack()) < 1000


# correct servers


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize(
    "policies",
    [
        ONE,
        WINDOWS11,
        WINDOWS_IKE_POLICIES,
        WINDOWS_IKE_POLICIES[:1],
        WINDOWS_IKE_POLICIES[-1:],
        WINDOWS_IKE_POLICIES[::5],
    ],
    ids=["one", "windows11", "all", "first", "last", "each fifth"],
)
def test_truth(policies, fast):
    behaviour = Correct(policies)
    server = probe(behaviour, fast=fast).value
    assert set(server.accepted_policies) == set(policies)
    assert server.rejected_count == 168 - len(policies)
    assert server.undecided_policies == ()
    assert server.method == ("Offers" if fast else "Stateless")
    assert server.largest_packet <= 1200
    assert behaviour.accepted <= (2 if fast else 1)  # half-open SAs


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.sampled_from(WINDOWS_IKE_POLICIES), max_size=20), st.booleans())
def test_truth_of_any_set(policies, fast):
    server = probe(Correct(policies), fast=fast).value
    assert set(server.accepted_policies) == policies


def test_packets_of_one_policy():
    for policy in random.Random(8).sample(WINDOWS_IKE_POLICIES, 6):
        gentle, fast = probe(Correct((policy,))).value, probe(Correct((policy,)), fast=True).value
        assert gentle.packets_sent - gentle.retransmissions <= 20
        assert fast.packets_sent - fast.retransmissions <= 4


def test_ipv6():
    if not socket.has_ipv6:
        pytest.skip("this Python has no IPv6")
    try:
        server = probe(Correct(ONE), host="::1").value
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    assert server.accepted_policies == ONE
    assert server.features.nat_at_client is None


# servers that defend themselves


class Cookies(Correct):
    """Wants a cookie in every request."""

    def __call__(self, request):
        first = request.payloads[0]
        if first.type == PayloadType.NOTIFY and request.notifies()[0].data == request.initiator_spi:
            return super().__call__(request)
        return [notify(request, NotifyType.COOKIE, request.initiator_spi)]


@pytest.mark.parametrize("fast", [False, True])
def test_cookies(fast):
    server = probe(Cookies(ONE), fast=fast).value
    assert server.accepted_policies == ONE
    assert server.cookie_required is True


def test_cookie_ping_pong_ends_as_throttled():
    counter = itertools.count(1)
    outcome = probe(lambda request: [notify(request, NotifyType.COOKIE, next(counter).to_bytes(4, "big"))])
    assert outcome.value.verdict is IkeVerdict.THROTTLED
    assert outcome.status is Status.NO_ANSWER
    assert outcome.value.rejected_count == 0
    assert next(counter) < 8


@pytest.mark.parametrize("fast", [False, True])
def test_silence_after_answers_is_throttled(fast):
    behaviour = Correct(WINDOWS11)
    outcome = probe(lambda request: behaviour(request) if len(behaviour.requests) < 5 else (), fast=fast, nat_t=silent)
    server = outcome.value
    assert server.verdict is IkeVerdict.THROTTLED
    assert outcome.reason.id == "IkeThrottled"
    assert set(server.accepted_policies) <= set(WINDOWS11)
    assert len(server.undecided_policies) + server.rejected_count + len(server.accepted_policies) == 168
    assert set(WINDOWS11) <= set(server.accepted_policies) | set(server.undecided_policies)


def test_temporary_failure_is_throttled():
    outcome = probe(lambda request: [notify(request, NotifyType.TEMPORARY_FAILURE)])
    assert outcome.value.verdict is IkeVerdict.THROTTLED


class Lossy(Correct):
    """Loses every other packet."""

    def __init__(self, policies):
        super().__init__(policies)
        self.count = 0

    def __call__(self, request):
        self.count += 1
        return super().__call__(request) if self.count % 2 == 0 else ()


def test_lost_packets_are_sent_again():
    server = probe(Lossy(ONE), timeout=20).value
    assert server.accepted_policies == ONE
    assert server.retransmissions >= 8


# servers that do not answer stateless questions as RFC 7296 says


class KeyFirst(Correct):
    """Looks at the key before the proposals: wants group 14 whatever is offered."""

    def __call__(self, request):
        if request.exchange == Exchange.IKE_SA_INIT and key_group(request) != 14:
            self.requests.append(request)
            return [notify(request, NotifyType.INVALID_KE_PAYLOAD, b"\x00\x0e")]
        return super().__call__(request)


class NoToStrangers(Correct):
    """Says NO_PROPOSAL_CHOSEN to a key that fits no offered group."""

    def __call__(self, request):
        if request.exchange != Exchange.IKE_SA_INIT:
            return ()
        if key_group(request) not in {item.transform(4).id for item in offered(request)}:
            self.requests.append(request)
            return [notify(request, NotifyType.NO_PROPOSAL_CHOSEN)]
        return super().__call__(request)


@pytest.mark.parametrize("server_class", [KeyFirst, NoToStrangers])
def test_contradictions_are_searched_by_offers(server_class):
    policies = [item for item in WINDOWS_IKE_POLICIES if item.dh_group is DHGroup.GROUP14][::9]
    server = probe(server_class(policies)).value
    assert set(server.accepted_policies) == set(policies)
    assert server.method == "Offers"


def test_always_wrong_group_is_not_taken_for_acceptance():
    """A server that asks for group 14 even when it has it."""
    outcome = probe(lambda request: [notify(request, NotifyType.INVALID_KE_PAYLOAD, b"\x00\x0e")])
    assert outcome.status is Status.PROTOCOL_ERROR
    assert outcome.value.accepted_policies == ()
    assert outcome.value.verdict is None


def test_alternating_groups_end():
    """INVALID_KE_PAYLOAD ping-pong between two offered groups."""

    def behaviour(request):
        wanted = 19 if key_group(request) == 14 else 14
        return [notify(request, NotifyType.INVALID_KE_PAYLOAD, wanted.to_bytes(2, "big"))]

    outcome = probe(behaviour, fast=True)
    assert outcome.status is Status.PROTOCOL_ERROR
    assert outcome.value.packets_sent < 20


def test_foreign_group_is_not_windows():
    outcome = probe(lambda request: [notify(request, NotifyType.INVALID_KE_PAYLOAD, b"\x00\x1f")])
    server = outcome.value
    assert server.verdict is IkeVerdict.NOT_EXPRESSIBLE
    assert server.other_policy.dh_group == "CURVE25519"
    assert server.accepted_policies == ()
    assert server.packets_sent < 30


def test_an_unknown_foreign_group_is_named_by_its_number():
    """Whatever is offered, it wants a group that nobody offered: asked about, it says no."""

    def behaviour(request):
        groups = {number for item in unpack_proposals(request.bodies(PayloadType.SA)[0]) for number in item.ids(4)}
        if groups <= {1, 2, 14, 19, 20, 24}:
            return [notify(request, NotifyType.INVALID_KE_PAYLOAD, b"\x04\x00")]
        return [notify(request, NotifyType.NO_PROPOSAL_CHOSEN)]

    server = probe(behaviour).value
    assert server.verdict is IkeVerdict.NOT_EXPRESSIBLE
    assert (server.other_policy.dh_group, server.other_policy.encryption) == ("1024", "")


def test_a_choice_that_was_not_offered():
    behaviour = Correct(ONE)
    foreign = next(iter(proposals_for(ONE_ID)))
    outcome = probe(lambda request: [behaviour.accept(request, foreign)] if request.exchange == 34 else (), fast=True)
    assert outcome.status is Status.PROTOCOL_ERROR
    assert "not offered" in outcome.reason.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda request: notify(request, NotifyType.INVALID_SYNTAX), "INVALID_SYNTAX"),
        (lambda request: notify(request, NotifyType.REDIRECT, b"\x03\x0agw.example"), "gw.example"),
        (lambda request: notify(request, NotifyType.REDIRECT, b"\x01\x04\xc0\x00\x02\x01"), "192.0.2.1"),
        (lambda request: request.initiator_spi + bytes(8) + bytes.fromhex("0b100500000000000000001c"), "version 1"),
    ],
)
def test_refusals(answer, words):
    outcome = probe(lambda request: [answer(request)])
    assert outcome.status is Status.REFUSED
    assert words in outcome.reason.message
    assert outcome.value.accepted_policies == ()
    assert outcome.value.verdict is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:28],
        lambda data: data[:31] + b"\x03" + data[32:],
    ],
)
def test_malformed_answers(damage):
    behaviour = Correct(ONE)
    outcome = probe(lambda request: [damage(item) for item in behaviour(request)])
    assert outcome.status in (Status.PROTOCOL_ERROR, Status.REFUSED)


# strangers


class Spoofed(Correct):
    """Before each true answer come a wrong SPI, a request, noise, and a late answer to the first question."""

    def __call__(self, request):
        wrong = Message(bytes(8), bytes(8), 34, 0x20, 0, request.payloads).pack()
        echoed = Message(request.initiator_spi, bytes(8), 34, 0x08, 0, request.payloads).pack()
        other_exchange = notify(request, NotifyType.NO_PROPOSAL_CHOSEN)
        other_exchange = other_exchange[:18] + bytes((Exchange.INFORMATIONAL,)) + other_exchange[19:]
        late = [notify(self.requests[0], NotifyType.NO_PROPOSAL_CHOSEN)] if self.requests else []
        return [b"", b"\xff", wrong, echoed, other_exchange, *late, *super().__call__(request)]


@pytest.mark.parametrize("fast", [False, True])
def test_foreign_and_late_answers_are_ignored(fast):
    assert probe(Spoofed(ONE), fast=fast).value.accepted_policies == ONE


def test_answers_from_another_address_are_ignored():
    behaviour = Correct(ONE)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as true,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger,
    ):
        true.bind((HOST, 0))
        stranger.bind(("127.0.0.9", 0))
        true.settimeout(0.05)
        outcomes = probe_hosts(
            [HOST], ProbeOptions(timeout=0.6, ports=(Port(true.getsockname()[1]), Port(true.getsockname()[1])))
        )

        def answer_from_elsewhere():
            for _ in range(20):
                try:
                    data, peer = true.recvfrom(65535)
                except TimeoutError:
                    continue
                for item in behaviour(Message.unpack(data)):
                    stranger.sendto(item, peer)

        thread = threading.Thread(target=answer_from_elsewhere)
        thread.start()
        (outcome,) = outcomes
        thread.join()
    assert behaviour.requests
    assert outcome.value.verdict is IkeVerdict.NO_ANSWER
    assert outcome.value.packets_sent > 2


class SilentToOffers(Correct):
    """Answers questions and not what it could accept."""

    def accept(self, request, proposal):
        answer = super().accept(request, proposal)
        return answer if len(answer) < 60 else b""


def test_an_unanswered_confirmation_leaves_the_answers_standing():
    outcome = probe(SilentToOffers(ONE))
    assert outcome.value.accepted_policies == ONE
    assert outcome.value.verdict is IkeVerdict.ACCEPTED
    assert [item.id for item in outcome.value.findings] == ["NotConfirmed"]
    assert outcome.status is Status.OK


def test_silence_to_ike_auth_is_a_timeout_for_clients():
    """What a firewall that drops IP fragments looks like."""
    outcome = probe(Correct(ONE), certificate=True)
    shown = outcome.value.certificate
    assert (shown.answered, shown.shown, shown.judgement) == (False, False, None)
    (finding,) = [item for item in outcome.value.findings if item.id == "IkeAuthSilent"]
    assert (finding.code, finding.severity.value) == ("ERROR_IPSEC_IKE_TIMED_OUT", "Warning")
    assert outcome.status is Status.FINDING


# ports


def test_dead_4500_is_809():
    outcome = probe(Correct(ONE), nat_t=silent, timeout=1)
    assert outcome.value.accepted_policies == ONE
    (finding,) = [item for item in outcome.value.findings if item.id == "PortBlocked"]
    assert (finding.code, finding.severity.value) == ("ERROR_VPN_TIMEOUT", "Error")
    assert outcome.status is Status.FINDING


def test_dead_500_is_searched_on_4500():
    behaviour = Correct(ONE)
    outcome = probe(silent, nat_t=behaviour, timeout=4)
    assert outcome.value.accepted_policies == ONE
    assert [port.answers for port in outcome.value.ports] == [False, True]
    assert "PortBlocked" in [item.id for item in outcome.value.findings]


def test_answers_without_the_marker_on_4500_are_ignored():
    behaviour = Correct(ONE)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.bind((HOST, 0))
        raw.settimeout(0.1)
        conversations = udp.Conversations()
        port = Port(raw.getsockname()[1], marker=True)

        def begin(session):
            inquiry = Inquiry(session, port)
            return inquiry.ask(inquiry.question(proposals_for(ONE_ID), 2))

        conversations.start("x", HOST, begin, 0.3)

        def serve():
            data, peer = raw.recvfrom(65535)
            assert data.startswith(NON_ESP_MARKER)
            for item in behaviour(Message.unpack(data[4:])):
                raw.sendto(item, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(InquiryStopped):
            list(conversations.finished())
        thread.join()


def free_port() -> Port:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        return Port(taken.getsockname()[1])


def test_closed_ports_are_unreachable_at_once():
    (outcome,) = probe_hosts([HOST], ProbeOptions(timeout=10, ports=(free_port(), free_port())))
    assert outcome.value.verdict is IkeVerdict.UNREACHABLE
    assert outcome.status is Status.NO_ANSWER
    assert outcome.reason.code == "ERROR_VPN_TIMEOUT"
    assert outcome.value.seconds < 5


def test_silent_server_is_no_answer():
    outcome = probe(silent, nat_t=silent, timeout=0.5)
    assert outcome.value.verdict is IkeVerdict.NO_ANSWER
    assert outcome.value.rejected_count == 0
    assert len(outcome.value.undecided_policies) == 168


@pytest.mark.parametrize("answers", [True, False])
def test_accepted_policies(monkeypatch, answers):
    """What the comparison asks for: the policies, or an error when they could not be found out."""
    with responder(Correct(ONE) if answers else silent) as ike, responder(silent, marker=True) as nat_t:
        monkeypatch.setattr(run, "ProbeOptions", lambda timeout: ProbeOptions(timeout=timeout, ports=(ike, nat_t)))
        if answers:
            assert run.accepted_policies(HOST, timeout=1) == ONE
        else:
            with pytest.raises(NoAnswerError, match="no answer"):
                run.accepted_policies(HOST, timeout=0.5)


# many hosts


def test_outcomes_keep_their_order_and_bad_targets_are_outcomes():
    targets = ["127.0.0.1", "not a host", "127.0.0.2", "", "host.invalid"]
    with responder(Correct(ONE)) as ike, responder(Correct(ONE), marker=True) as nat_t:
        outcomes = list(probe_hosts(targets, ProbeOptions(timeout=3, ports=(ike, nat_t))))
    assert [item.target for item in outcomes] == targets
    assert outcomes[0].status is Status.OK
    assert outcomes[1].status is outcomes[3].status is Status.UNUSABLE
    assert outcomes[2].value.verdict is IkeVerdict.UNREACHABLE
    assert outcomes[4].reason.id == "NameNotResolved"


def test_sockets_are_closed_when_the_caller_stops_early():
    with responder(silent) as ike, responder(silent, marker=True) as nat_t:
        iterator = probe_hosts([HOST, HOST], ProbeOptions(timeout=0.3, ports=(ike, nat_t)))
        next(iterator)
        iterator.close()
        gc.collect()  # a ResourceWarning would fail the run
