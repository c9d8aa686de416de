"""The encrypted part of the exchange with a server that accepted an offer, and the way out of it.

A client without credentials gets as far as the server's certificate (RFC 7296 2.16: leaving out AUTH asks for EAP). The
half-open SA is ended by a wrong AUTH, on which the server must fail and forget it (RFC 7296 2.21.2): servers count
half-open SAs and fall silent over a few of them.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from functools import partial
from typing import Final

from pkitools.aovpn.ike.inquiry import Inquiry, InquiryStopped
from pkitools.aovpn.ike.search import Acceptance, Step
from pkitools.errors import ProtocolError
from pkitools.models.ike import IkeVerdict
from pkitools.protocol.ike.encryption import Assembly, Protection, request_header
from pkitools.protocol.ike.keys import SaKeys, Suite, derive_keys
from pkitools.protocol.ike.message import Header, Payload
from pkitools.protocol.ike.numbers import (
    AuthMethod,
    CertEncoding,
    Encr,
    Exchange,
    IdType,
    Integ,
    NotifyType,
    PayloadType,
    TransformType,
)
from pkitools.protocol.ike.payloads import (
    CertificateRequest,
    Identification,
    Notify,
    TrafficSelector,
    pack_selectors,
)
from pkitools.protocol.ike.proposals import Transform, esp_proposal, pack_proposals
from pkitools.protocol.ike.sa_init import is_response_to
from pkitools.transport.udp import Answer, Port, Reply, Request

# Who we say we are; a reserved name (RFC 2606 2), so that nobody takes it for a user.
IDENTITY: Final = Identification(IdType.FQDN, b"pkitools.invalid")
_ESP: Final = (
    (Transform(TransformType.ENCR, Encr.AES_GCM_16, 128),),
    (Transform(TransformType.ENCR, Encr.AES_CBC, 256), Transform(TransformType.INTEG, Integ.HMAC_SHA2_256_128)),
    (Transform(TransformType.ENCR, Encr.AES_CBC, 256), Transform(TransformType.INTEG, Integ.HMAC_SHA1_96)),
)


class SecuredExchange:
    """An IKE SA after IKE_SA_INIT: encrypts our requests, decrypts and reassembles the answers."""

    def __init__(self, inquiry: Inquiry, acceptance: Acceptance, port: Port) -> None:
        """``port`` is where the encrypted exchange goes: clients move to 4500 (RFC 7296 2.23). Raises ProtocolError."""
        self.inquiry = inquiry
        self.port = port
        self.spis = (acceptance.request.spi, acceptance.chosen.spi)
        if acceptance.key is None:
            raise ProtocolError("an offer without a private key cannot be followed")
        self.keys: SaKeys = derive_keys(
            Suite.chosen(acceptance.chosen.proposal),
            acceptance.key.shared_secret(acceptance.chosen.key_exchange.data),
            (acceptance.request.nonce, acceptance.chosen.nonce),
            self.spis,
        )
        self._next_id = 1
        self.fragments = 1

    def ask(self, payloads: tuple[Payload, ...], tries: int = 0) -> Step[tuple[Payload, ...]]:
        """One IKE_AUTH request and the payloads of its answer. Raises InquiryStopped and ProtocolError."""
        message_id = self._next_id
        self._next_id += 1
        header = request_header(self.spis, Exchange.IKE_AUTH, message_id)
        collector = _Collector(self.keys, self.spis, message_id)
        data = Protection(self.keys, from_initiator=True).encrypt(header, payloads)
        yield from self._send(Request(self.port, data, collector.feed, tries), collector)
        if collector.payloads is None:
            raise collector.error or ProtocolError("the IKE_AUTH answer cannot be read")
        self.fragments = collector.fragments
        return collector.payloads

    def _send(self, request: Request, collector: _Collector) -> Generator[Request, Answer, None]:
        answer = yield request
        self.inquiry.count(self.port, request.data, answer)
        if not isinstance(answer, Reply):
            reason = f"no answer to IKE_AUTH on port {self.port.number}"
            raise collector.error or InquiryStopped(IkeVerdict.NO_ANSWER, reason)

    def abandon(self) -> Step[None]:
        """Ends the half-open SA; whether the server confirms it changes nothing for us."""
        wrong = Payload(PayloadType.AUTH, bytes((AuthMethod.SHARED_KEY, 0, 0, 0)) + os.urandom(20))
        identity = (Payload(PayloadType.IDI, IDENTITY.body),) if self._next_id == 1 else ()
        try:
            yield from self.ask((*identity, wrong, *(child_payloads() if identity else ())), tries=1)
        except (InquiryStopped, ProtocolError):
            return


class _Collector:
    """Takes datagrams until one whole authentic answer is there. What does not decrypt is noise or an attack: ignored,
    unless nothing better comes."""

    def __init__(self, keys: SaKeys, spis: tuple[bytes, bytes], message_id: int) -> None:
        self.payloads: tuple[Payload, ...] | None = None
        self.error: ProtocolError | None = None
        self._is_response = partial(is_response_to, spis[0], Exchange.IKE_AUTH, message_id)
        self._spis = spis
        self._protection = Protection(keys, from_initiator=False)
        self._assembly = Assembly()

    @property
    def fragments(self) -> int:
        """In how many datagrams the answer came."""
        return max(1, self._assembly.total)

    def feed(self, datagram: bytes) -> bool:
        """True once ``payloads`` is complete."""
        if not self._is_response(datagram):
            return False
        header = Header.unpack(datagram)
        if header.major_version != 2 or header.responder_spi != self._spis[1]:
            return False
        try:
            if header.next_payload == PayloadType.SKF:
                self.payloads = self._assembly.add(self._protection.open_fragment(datagram))
            else:
                self.payloads = self._protection.decrypt(datagram)
        except ProtocolError as error:
            self.error = error
        return self.payloads is not None


def child_payloads() -> tuple[Payload, ...]:
    """SA, TSi and TSr of a child SA that will never be: IKE_AUTH is incomplete without them (RFC 7296 1.2)."""
    proposals = tuple(esp_proposal(number, os.urandom(4), *item) for number, item in enumerate(_ESP, 1))
    everything = pack_selectors(TrafficSelector("0.0.0.0", "255.255.255.255"))  # noqa: S104 - a range, no bind
    return (
        Payload(PayloadType.SA, pack_proposals(proposals)),
        Payload(PayloadType.TSI, everything),
        Payload(PayloadType.TSR, everything),
    )


def eap_start(authorities: tuple[bytes, ...]) -> tuple[Payload, ...]:
    """The first IKE_AUTH of a client that wants EAP: no AUTH payload (RFC 7296 2.16). ``authorities`` are hashes of the
    CAs that we would trust; some servers send their certificate only when asked."""
    request = CertificateRequest(CertEncoding.X509_SIGNATURE, authorities)
    return (
        Payload(PayloadType.IDI, IDENTITY.body),
        Payload(PayloadType.CERTREQ, request.pack()),
        Payload(PayloadType.NOTIFY, Notify(NotifyType.MOBIKE_SUPPORTED).pack()),
        *child_payloads(),
    )
