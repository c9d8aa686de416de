"""The IKE message: header and chain of payloads (RFC 7296 3.1, 3.2).

The plain structures of this package are named tuples: a dozen dataclasses take as long to make as a server to probe.
"""

from __future__ import annotations

from typing import NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.numbers import HeaderFlag, PayloadType
from pkitools.protocol.ike.payloads import Notify
from pkitools.protocol.ike.reader import Reader

HEADER_SIZE = 28
_MAX_PAYLOADS = 128
_KNOWN_TYPES = frozenset(int(item) for item in PayloadType)


class Header(NamedTuple):
    """The fixed header, RFC 7296 3.1. ``version`` is major and minor in one byte (0x20)."""

    initiator_spi: bytes
    responder_spi: bytes
    next_payload: int
    exchange: int
    flags: int
    message_id: int
    length: int
    version: int = 0x20

    @property
    def is_response(self) -> bool:
        """The Response flag."""
        return bool(self.flags & HeaderFlag.RESPONSE)

    @property
    def major_version(self) -> int:
        """2 for IKEv2."""
        return self.version >> 4

    def pack(self) -> bytes:
        """The 28 bytes."""
        fields = bytes((self.next_payload, self.version, self.exchange, self.flags))
        numbers = self.message_id.to_bytes(4, "big") + self.length.to_bytes(4, "big")
        return self.initiator_spi + self.responder_spi + fields + numbers

    @classmethod
    def unpack(cls, data: bytes) -> Header:
        """From the start of a datagram. Raises ProtocolError when it is shorter than a header."""
        reader = Reader(data[:HEADER_SIZE], "header")
        spi_i, spi_r = reader.take(8), reader.take(8)
        next_payload, version, exchange, flags = (reader.number(1) for _ in range(4))
        message_id, length = reader.number(4), reader.number(4)
        return cls(spi_i, spi_r, next_payload, exchange, flags, message_id, length, version)


class Payload(NamedTuple):
    """One payload: its type, the body behind the generic header, the critical flag and, for the encrypted payloads
    (SK, SKF), the type of the first payload inside, which stands where others name their successor."""

    type: int
    body: bytes
    critical: bool = False
    inner: int = 0


class Message(NamedTuple):
    """A whole message. ``first_payload`` and ``length`` of the header follow from the payloads."""

    initiator_spi: bytes
    responder_spi: bytes
    exchange: int
    flags: int
    message_id: int
    payloads: tuple[Payload, ...]

    def pack(self) -> bytes:
        """The datagram, without the non-ESP marker of port 4500."""
        chain = pack_payloads(self.payloads)
        first = self.payloads[0].type if self.payloads else 0
        length = HEADER_SIZE + len(chain)
        header = Header(
            self.initiator_spi, self.responder_spi, first, self.exchange, self.flags, self.message_id, length
        )
        return header.pack() + chain

    @classmethod
    def unpack(cls, data: bytes) -> Message:
        """From a datagram. Raises ProtocolError for a message that is malformed or not of version 2."""
        header = Header.unpack(data)
        if header.major_version != 2:
            raise ProtocolError(f"the peer speaks IKE version {header.major_version}, not 2")
        if header.length != len(data):
            raise ProtocolError(f"the IKE header says {header.length} bytes, the datagram has {len(data)}")
        payloads = unpack_payloads(data[HEADER_SIZE:], header.next_payload)
        return cls(
            header.initiator_spi, header.responder_spi, header.exchange, header.flags, header.message_id, payloads
        )

    def bodies(self, kind: int) -> tuple[bytes, ...]:
        """The bodies of all payloads of one type."""
        return bodies(self.payloads, kind)

    def notifies(self) -> tuple[Notify, ...]:
        """All Notify payloads. Raises ProtocolError when one is malformed."""
        return notifies(self.payloads)


def pack_payloads(payloads: tuple[Payload, ...]) -> bytes:
    """A chain of payloads with their generic headers, RFC 7296 3.2."""
    followers = (*(item.type for item in payloads[1:]), 0)[: len(payloads)]
    chain = b""
    for payload, follower in zip(payloads, followers, strict=True):
        encrypted = payload.type in (PayloadType.SK, PayloadType.SKF)
        head = bytes((payload.inner if encrypted else follower, 0x80 if payload.critical else 0))
        chain += head + (4 + len(payload.body)).to_bytes(2, "big") + payload.body
    return chain


def unpack_payloads(data: bytes, first: int) -> tuple[Payload, ...]:
    """The chain that begins with a payload of type ``first``. SK and SKF end it: they are the last by definition.

    Raises ProtocolError for a malformed chain, one of more than 128 payloads, and an unknown critical payload.
    """
    reader = Reader(data, "payload chain")
    payloads: list[Payload] = []
    kind = first
    while kind != PayloadType.NONE:
        if len(payloads) == _MAX_PAYLOADS:
            raise ProtocolError(f"the IKE message has more than {_MAX_PAYLOADS} payloads")
        follower, flags, length = reader.number(1), reader.number(1), reader.number(2)
        critical = bool(flags & 0x80)
        if critical and kind not in _KNOWN_TYPES:
            raise ProtocolError(f"the IKE message has the unknown critical payload {kind}")
        body = reader.take(length - 4)
        encrypted = kind in (PayloadType.SK, PayloadType.SKF)
        payloads.append(Payload(kind, body, critical, follower if encrypted else 0))
        kind = 0 if encrypted else follower
    reader.finish()
    return tuple(payloads)


def bodies(payloads: tuple[Payload, ...], kind: int) -> tuple[bytes, ...]:
    """The bodies of all payloads of one type."""
    return tuple(item.body for item in payloads if item.type == kind)


def notifies(payloads: tuple[Payload, ...]) -> tuple[Notify, ...]:
    """All Notify payloads of a chain. Raises ProtocolError when one is malformed."""
    return tuple(Notify.unpack(body) for body in bodies(payloads, PayloadType.NOTIFY))
