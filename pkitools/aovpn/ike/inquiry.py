"""One port of one IKE server under inquiry: sends offers, answers cookies, counts packets, tells silences apart."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial

from pkitools.errors import ConnectError, ProtocolError, RefusedError
from pkitools.models.ike import IkeVerdict
from pkitools.protocol.ike.groups import any_public_value
from pkitools.protocol.ike.numbers import Exchange, NotifyType, notify_name
from pkitools.protocol.ike.payloads import KeyExchange, Notify, nat_detection_hash
from pkitools.protocol.ike.proposals import Proposal
from pkitools.protocol.ike.sa_init import (
    Chosen,
    CookieDemand,
    NoProposal,
    OtherVersion,
    Refusal,
    SaInitRequest,
    WrongGroup,
    is_response_to,
    read_response,
)
from pkitools.transport.udp import NON_ESP_MARKER, Answer, Port, Reply, Request, Session, Silence

_MAX_COOKIES = 3
LARGEST_PACKET = 1200
# What an offer has beyond a question, and a COOKIE notify of 64 bytes, the largest that RFC 7296 2.6 allows.
_NOTIFIES_RESERVE = 28 + 28 + 8
_COOKIE_RESERVE = 8 + 64
_THROTTLES = (NotifyType.TEMPORARY_FAILURE, NotifyType.NO_ADDITIONAL_SAS)

Verdict = Chosen | WrongGroup | NoProposal
Asking = Generator[Request, Answer, Verdict]


class InquiryStopped(Exception):  # control flow inside aovpn.ike: never leaves it
    """The port cannot be asked further: unreachable, silent from the start, or throttled."""

    def __init__(self, verdict: IkeVerdict, message: str) -> None:
        super().__init__(message)
        self.verdict = verdict
        self.message = message


class Inquiry:
    """The state of questions to one port: counters, whether it ever answered, whether it wanted cookies."""

    def __init__(self, session: Session, port: Port) -> None:
        self.session = session
        self.port = port
        self.packets = 0
        self.retransmissions = 0
        self.largest = 0
        self.answered = False
        self.cookies = False
        self.last_answer = b""

    def question(self, proposals: tuple[Proposal, ...], key_group: int) -> SaInitRequest:
        """A request that the server cannot accept as it stands when ``key_group`` is not among the offered groups."""
        return SaInitRequest(proposals, KeyExchange(key_group, any_public_value(key_group)))

    def offer(self, proposals: tuple[Proposal, ...], key: KeyExchange, extra: tuple[Notify, ...] = ()) -> SaInitRequest:
        """A request as a client sends it: NAT detection (RFC 7296 2.23) and fragmentation (RFC 7383 2.3) announced."""
        request = SaInitRequest(proposals, key)
        try:
            ours = self.session.local(self.port)
        except ConnectError as error:
            raise InquiryStopped(IkeVerdict.UNREACHABLE, error.message) from error
        zero = bytes(8)
        theirs = (self.session.address, self.port.number)
        notifies = (
            Notify(NotifyType.NAT_DETECTION_SOURCE_IP, nat_detection_hash(request.spi, zero, *ours)),
            Notify(NotifyType.NAT_DETECTION_DESTINATION_IP, nat_detection_hash(request.spi, zero, *theirs)),
            Notify(NotifyType.IKEV2_FRAGMENTATION_SUPPORTED),
            *extra,
        )
        return SaInitRequest(proposals, key, notifies, request.spi, request.nonce)

    def ask(self, request: SaInitRequest) -> Asking:
        """Sends one request and returns what the server made of it, having answered up to three cookie demands.

        Raises InquiryStopped when nothing (more) comes back, RefusedError for an error that is no verdict on the
        offer, ProtocolError for a malformed answer.
        """
        for _ in range(_MAX_COOKIES + 1):
            answer = yield from self.send(request.pack(), request.spi, Exchange.IKE_SA_INIT, 0)
            response = read_response(answer.data)
            if isinstance(response, CookieDemand):
                self.cookies = True
                request = request.with_cookie(response.cookie)
            elif isinstance(response, Refusal):
                raise _refused(response)
            elif isinstance(response, OtherVersion):
                raise RefusedError(
                    f"the server speaks IKE version {response.major_version} only",
                    hint="IKEv2 is not enabled on this server",
                )
            else:
                return response
        raise InquiryStopped(IkeVerdict.THROTTLED, "the server keeps asking for cookies")

    def count(self, port: Port, data: bytes, answer: Answer) -> None:
        """Counts what a request cost."""
        self.packets += answer.tries
        self.retransmissions += max(0, answer.tries - 1)
        self.largest = max(self.largest, len(data) + (len(NON_ESP_MARKER) if port.marker else 0))

    def send(self, data: bytes, spi: bytes, exchange: int, message_id: int) -> Generator[Request, Answer, Reply]:
        """Sends any request and returns the reply. Raises InquiryStopped when none comes."""
        is_answer = partial(is_response_to, spi, exchange, message_id)
        answer = yield Request(self.port, data, is_answer)
        self.count(self.port, data, answer)
        if isinstance(answer, Reply):
            self.answered = True
            self.last_answer = answer.data
            return answer
        if isinstance(answer, Silence):
            if self.answered:
                raise InquiryStopped(IkeVerdict.THROTTLED, "the server answered at first and then fell silent")
            raise InquiryStopped(IkeVerdict.NO_ANSWER, "no answer")
        raise InquiryStopped(IkeVerdict.UNREACHABLE, answer.message)


def fits(question: SaInitRequest) -> bool:
    """Whether a question stays within 1,200 bytes as an offer, with a cookie and the marker."""
    return len(question.pack()) + _NOTIFIES_RESERVE + _COOKIE_RESERVE + len(NON_ESP_MARKER) <= LARGEST_PACKET


def _refused(refusal: Refusal) -> Exception:
    name = notify_name(refusal.type)
    if refusal.type in _THROTTLES:
        return InquiryStopped(IkeVerdict.THROTTLED, f"the server answers {name}")
    if refusal.type == NotifyType.REDIRECT:
        return RefusedError(
            f"the server redirects to another gateway ({_gateway(refusal.data)})", hint="test that gateway"
        )
    return RefusedError(f"the server answers with the notify {name}", hint="look into the server's IKE log")


def _gateway(data: bytes) -> str:
    """The new gateway of a REDIRECT notify, RFC 5685 3: type, length, identity."""
    if len(data) < 2 or len(data) != 2 + data[1]:
        raise ProtocolError("the IKE REDIRECT notify is malformed")
    if data[0] == 3:
        return data[2:].decode("utf-8", "replace")
    return ".".join(str(byte) for byte in data[2:]) if data[0] == 1 else data[2:].hex(":", 2)
