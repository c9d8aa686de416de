"""The IKE_SA_INIT exchange (RFC 7296 1.2, 2.6): building the request and reading what the responder makes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.message import HEADER_SIZE, Header, Message, Payload
from pkitools.protocol.ike.numbers import Exchange, HeaderFlag, NotifyType, PayloadType
from pkitools.protocol.ike.payloads import CertificateRequest, KeyExchange, Notify
from pkitools.protocol.ike.proposals import Proposal, pack_proposals, unpack_proposals

NO_SPI = bytes(8)
_NONCE_SIZE = 16
_MAX_COOKIE = 64
_NONCE_SIZES = range(16, 257)


@dataclass(frozen=True, slots=True)
class SaInitRequest:
    """An IKE_SA_INIT request. ``notifies`` follow the nonce; ``cookie`` goes first, as RFC 7296 2.6 demands."""

    proposals: tuple[Proposal, ...]
    key_exchange: KeyExchange
    notifies: tuple[Notify, ...] = ()
    spi: bytes = field(default_factory=lambda: os.urandom(8))
    nonce: bytes = field(default_factory=lambda: os.urandom(_NONCE_SIZE))
    cookie: bytes | None = None

    def pack(self) -> bytes:
        """The datagram without the non-ESP marker."""
        notifies = [Payload(PayloadType.NOTIFY, item.pack()) for item in self.notifies]
        cookie = [] if self.cookie is None else [Payload(PayloadType.NOTIFY, self.cookie_notify(self.cookie))]
        payloads = (
            *cookie,
            Payload(PayloadType.SA, pack_proposals(self.proposals)),
            Payload(PayloadType.KE, self.key_exchange.pack()),
            Payload(PayloadType.NONCE, self.nonce),
            *notifies,
        )
        return Message(self.spi, NO_SPI, Exchange.IKE_SA_INIT, HeaderFlag.INITIATOR, 0, payloads).pack()

    @staticmethod
    def cookie_notify(cookie: bytes) -> bytes:
        """The body of the COOKIE notify."""
        return Notify(NotifyType.COOKIE, cookie).pack()

    def with_cookie(self, cookie: bytes) -> SaInitRequest:
        """The same request, same SPI, nonce and key, with the cookie that the responder asked for."""
        return replace(self, cookie=cookie)


class Chosen(NamedTuple):
    """The responder accepted: its SPI, the proposal it chose, its key and nonce, and what else it said."""

    spi: bytes
    proposal: Proposal
    key_exchange: KeyExchange
    nonce: bytes
    notifies: tuple[Notify, ...]
    vendor_ids: tuple[bytes, ...]
    certificate_requests: tuple[CertificateRequest, ...]


class WrongGroup(NamedTuple):
    """INVALID_KE_PAYLOAD: the responder would accept an offered proposal, with a key of ``group`` (RFC 7296 1.2)."""

    group: int


@dataclass(frozen=True, slots=True)
class NoProposal:
    """NO_PROPOSAL_CHOSEN: nothing of what was offered is acceptable."""


class CookieDemand(NamedTuple):
    """COOKIE: send the request again with this in front (RFC 7296 2.6)."""

    cookie: bytes


class Refusal(NamedTuple):
    """Any other notify that ends the exchange: INVALID_SYNTAX, REDIRECT, TEMPORARY_FAILURE, a private number."""

    type: int
    data: bytes = b""


class OtherVersion(NamedTuple):
    """The peer answered in another version of IKE."""

    major_version: int


Response = Chosen | WrongGroup | NoProposal | CookieDemand | Refusal | OtherVersion


def is_response_to(spi: bytes, exchange: int, message_id: int, data: bytes) -> bool:
    """Whether a datagram answers our request: our SPI, the Response flag, exchange and message id. Never raises.

    A peer of another version answers in its own format, so only the SPI is compared then.
    """
    if len(data) < HEADER_SIZE or data[:8] != spi:
        return False
    header = Header.unpack(data)
    if header.major_version != 2:
        return header.initiator_spi == spi
    return header.is_response and header.exchange == exchange and header.message_id == message_id


def read_response(data: bytes) -> Response:
    """What an IKE_SA_INIT response means. Raises ProtocolError when it is malformed or says nothing."""
    header = Header.unpack(data)
    if header.major_version != 2:
        return OtherVersion(header.major_version)
    message = Message.unpack(data)
    notifies = message.notifies()
    if message.bodies(PayloadType.SA):
        return _chosen(message, notifies)
    for notify in notifies:
        if notify.type == NotifyType.COOKIE:
            return _cookie(notify)
        if notify.type == NotifyType.NO_PROPOSAL_CHOSEN:
            return NoProposal()
        if notify.type == NotifyType.INVALID_KE_PAYLOAD:
            return WrongGroup(notify.named_group())
        if notify.is_error or notify.type == NotifyType.REDIRECT:
            return Refusal(notify.type, notify.data)
    raise ProtocolError("the IKE_SA_INIT response has neither an SA nor an error")


def _cookie(notify: Notify) -> CookieDemand:
    if not 1 <= len(notify.data) <= _MAX_COOKIE:
        raise ProtocolError(f"the server asks for a cookie of {len(notify.data)} bytes; 1 to {_MAX_COOKIE} are allowed")
    return CookieDemand(notify.data)


def _chosen(message: Message, notifies: tuple[Notify, ...]) -> Chosen:
    proposals = unpack_proposals(message.bodies(PayloadType.SA)[0])
    keys = message.bodies(PayloadType.KE)
    nonces = message.bodies(PayloadType.NONCE)
    if len(proposals) != 1 or not keys or not nonces:
        raise ProtocolError("the IKE_SA_INIT response lacks its one proposal, its key or its nonce")
    if len(nonces[0]) not in _NONCE_SIZES:
        raise ProtocolError(f"the server's nonce has {len(nonces[0])} bytes; 16 to 256 are allowed")
    return Chosen(
        message.responder_spi,
        proposals[0],
        KeyExchange.unpack(keys[0]),
        nonces[0],
        notifies,
        message.bodies(PayloadType.VENDOR_ID),
        tuple(CertificateRequest.unpack(body) for body in message.bodies(PayloadType.CERTREQ)),
    )
