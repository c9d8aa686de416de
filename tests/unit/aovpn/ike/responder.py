"""An IKE_SA_INIT responder in Python whose behaviour a test decides: what charon never does is tried here."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import contextmanager

from pkitools.aovpn.ike.offers import chosen_policy
from pkitools.aovpn.policy import ike_transforms
from pkitools.models.ipsec import IkePolicy
from pkitools.protocol.ike.message import Message, Payload
from pkitools.protocol.ike.numbers import Exchange, HeaderFlag, NotifyType, PayloadType, TransformType
from pkitools.protocol.ike.payloads import KeyExchange, Notify
from pkitools.protocol.ike.proposals import Proposal, pack_proposals, unpack_proposals
from pkitools.transport.udp import NON_ESP_MARKER, Port

Answers = Iterable[bytes]
Behaviour = Callable[[Message], Answers]


def response(request: Message, *payloads: Payload, spi: bytes = bytes(8)) -> bytes:
    """A response to a request."""
    flags = HeaderFlag.RESPONSE
    return Message(request.initiator_spi, spi, request.exchange, flags, request.message_id, payloads).pack()


def notify(request: Message, kind: int, data: bytes = b"") -> bytes:
    """A response that holds one notify."""
    return response(request, Payload(PayloadType.NOTIFY, Notify(kind, data).pack()))


def offered(request: Message) -> list[Proposal]:
    """Every single combination that a request offers, as proposals of one transform each."""
    singles = []
    for proposal in unpack_proposals(request.bodies(PayloadType.SA)[0]):
        combinations: list[tuple] = [()]
        for kind in TransformType:
            of_kind = [item for item in proposal.transforms if item.type == kind]
            if of_kind:
                combinations = [(*head, item) for head in combinations for item in of_kind]
        singles += [Proposal(1, 1, combination) for combination in combinations]
    return singles


def key_group(request: Message) -> int:
    """The group of the request's KE payload."""
    return KeyExchange.unpack(request.bodies(PayloadType.KE)[0]).group


class Correct:
    """A responder as RFC 7296 wants it: accepts ``policies``, remembers the packets it was sent."""

    def __init__(self, policies: Iterable[IkePolicy]) -> None:
        self.policies = {ike_transforms(policy) for policy in policies}
        self.requests: list[Message] = []
        self.accepted = 0

    def __call__(self, request: Message) -> Answers:
        self.requests.append(request)
        if request.exchange != Exchange.IKE_SA_INIT:
            return ()
        for proposal in offered(request):
            if chosen_policy(proposal) in self.policies:
                return [self.accept(request, proposal)]
        return [notify(request, NotifyType.NO_PROPOSAL_CHOSEN)]

    def accept(self, request: Message, proposal: Proposal) -> bytes:
        """INVALID_KE_PAYLOAD or the choice."""
        group = proposal.transform(TransformType.DH).id
        if group != key_group(request):
            return notify(request, NotifyType.INVALID_KE_PAYLOAD, group.to_bytes(2, "big"))
        self.accepted += 1
        size = {1: 96, 2: 128, 14: 256, 19: 64, 20: 96, 24: 256}[group]
        return response(
            request,
            Payload(PayloadType.SA, pack_proposals((proposal,))),
            Payload(PayloadType.KE, KeyExchange(group, b"\x7f" * size).pack()),
            Payload(PayloadType.NONCE, bytes(32)),
            spi=secrets.token_bytes(8),
        )


@contextmanager
def responder(behaviour: Behaviour, *, marker: bool = False, host: str = "127.0.0.1"):
    """Runs a behaviour on a free port; yields that port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as listener:
        listener.bind((host, 0))
        listener.settimeout(0.05)
        stop = threading.Event()
        thread = threading.Thread(target=_serve, args=(listener, behaviour, marker, stop), daemon=True)
        thread.start()
        try:
            yield Port(listener.getsockname()[1], marker)
        finally:
            stop.set()
            thread.join()


def _serve(listener: socket.socket, behaviour: Behaviour, marker: bool, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            data, peer = listener.recvfrom(65535)
        except TimeoutError:
            continue
        if marker:
            assert data.startswith(NON_ESP_MARKER)
            data = data[4:]
        for answer in behaviour(Message.unpack(data)):
            listener.sendto((NON_ESP_MARKER if marker else b"") + answer, peer)


def silent(request: Message) -> Answers:
    """Answers nothing."""
    return ()
