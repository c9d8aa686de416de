"""Packets of the Secure Socket Tunneling Protocol (MS-SSTP 2.2), both directions; no connection here.

https://learn.microsoft.com/openspecs/windows_protocols/ms-sstp
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from pkitools.errors import ProtocolError

SSTP_PATH = "/sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/"
SSTP_METHOD = "SSTP_DUPLEX_POST"
SSTP_CONTENT_LENGTH = 0xFFFFFFFFFFFFFFFF
"""Content-Length of request and answer, 2^64-1: the stream has no end (MS-SSTP 3.2)."""

VERSION_1_0 = 0x10
ENCAPSULATED_PROTOCOL_PPP = 0x0001
NONCE_BYTES = 32
MAX_PACKET_BYTES = 0x0FFF

_HEADER = struct.Struct(">BBH")
_CONTROL = struct.Struct(">HH")
_CONTROL_BIT = 0x01
_LENGTH_MASK = 0x0FFF


class MessageType(IntEnum):
    """Control messages (MS-SSTP 2.2.2)."""

    SSTP_MSG_CALL_CONNECT_REQUEST = 1
    SSTP_MSG_CALL_CONNECT_ACK = 2
    SSTP_MSG_CALL_CONNECT_NAK = 3
    SSTP_MSG_CALL_CONNECTED = 4
    SSTP_MSG_CALL_ABORT = 5
    SSTP_MSG_CALL_DISCONNECT = 6
    SSTP_MSG_CALL_DISCONNECT_ACK = 7
    SSTP_MSG_ECHO_REQUEST = 8
    SSTP_MSG_ECHO_RESPONSE = 9


class AttributeId(IntEnum):
    """Attributes of control messages (MS-SSTP 2.2.4)."""

    SSTP_ATTRIB_NO_ERROR = 0
    SSTP_ATTRIB_ENCAPSULATED_PROTOCOL_ID = 1
    SSTP_ATTRIB_STATUS_INFO = 2
    SSTP_ATTRIB_CRYPTO_BINDING = 3
    SSTP_ATTRIB_CRYPTO_BINDING_REQ = 4


class StatusCode(IntEnum):
    """Status of a Status Info attribute (MS-SSTP 2.2.8)."""

    ATTRIB_STATUS_NO_ERROR = 0
    ATTRIB_STATUS_DUPLICATE_ATTRIBUTE = 1
    ATTRIB_STATUS_UNRECOGNIZED_ATTRIBUTE = 2
    ATTRIB_STATUS_INVALID_ATTRIB_VALUE_LENGTH = 3
    ATTRIB_STATUS_VALUE_NOT_SUPPORTED = 4
    ATTRIB_STATUS_UNACCEPTED_FRAME_RECEIVED = 5
    ATTRIB_STATUS_RETRY_COUNT_EXCEEDED = 6
    ATTRIB_STATUS_INVALID_FRAME_RECEIVED = 7
    ATTRIB_STATUS_NEGOTIATION_TIMEOUT = 8
    ATTRIB_STATUS_ATTRIB_NOT_SUPPORTED_IN_MSG = 9
    ATTRIB_STATUS_REQUIRED_ATTRIBUTE_MISSING = 10
    ATTRIB_STATUS_STATUS_INFO_NOT_SUPPORTED_IN_MSG = 11


class HashProtocol(IntFlag):
    """Hash Protocol Bitmask of a Crypto Binding Request (MS-SSTP 2.2.6)."""

    CERT_HASH_PROTOCOL_SHA1 = 1
    CERT_HASH_PROTOCOL_SHA256 = 2


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; ``id`` stays a number, since a server may send what no specification names."""

    id: int
    value: bytes

    def pack(self) -> bytes:
        """Reserved byte, id, length with these four bytes, value."""
        return _HEADER.pack(0, self.id, 4 + len(self.value)) + self.value


@dataclass(frozen=True, slots=True)
class ControlPacket:
    """An SSTP control packet (MS-SSTP 2.2.2) of version 1.0."""

    message_type: int
    attributes: tuple[Attribute, ...] = ()

    def pack(self) -> bytes:
        """The packet's bytes. ValueError when the attributes do not fit into one packet."""
        body = b"".join(attribute.pack() for attribute in self.attributes)
        length = _HEADER.size + _CONTROL.size + len(body)
        if length > MAX_PACKET_BYTES:
            raise ValueError("an SSTP packet holds 4095 bytes at most")
        head = _HEADER.pack(VERSION_1_0, _CONTROL_BIT, length)
        return head + _CONTROL.pack(self.message_type, len(self.attributes)) + body

    @classmethod
    def unpack(cls, data: bytes) -> ControlPacket:
        """One whole packet, no byte more. Raises ProtocolError."""
        if read_length(data) != len(data):
            raise ProtocolError("SSTP packet: the length field does not match the bytes")
        if not is_control(data):
            raise ProtocolError("SSTP packet: data where a control packet was due")
        message_type, count = _CONTROL.unpack_from(data, _HEADER.size)
        return cls(message_type, _read_attributes(data[_HEADER.size + _CONTROL.size :], count))

    def attribute(self, attribute_id: int) -> bytes | None:
        """The value of the first attribute with this id."""
        return next((item.value for item in self.attributes if item.id == attribute_id), None)


@dataclass(frozen=True, slots=True)
class CryptoBindingRequest:
    """Value of SSTP_ATTRIB_CRYPTO_BINDING_REQ (MS-SSTP 2.2.6): what the client must bind the tunnel with."""

    hash_protocols: int
    nonce: bytes

    def pack(self) -> bytes:
        """Three reserved bytes, bitmask, nonce."""
        return b"\0\0\0" + bytes([self.hash_protocols]) + self.nonce

    @classmethod
    def unpack(cls, value: bytes) -> CryptoBindingRequest:
        """Raises ProtocolError when it is not 36 bytes."""
        if len(value) != 4 + NONCE_BYTES:
            raise ProtocolError(f"SSTP crypto binding request: {len(value)} bytes where 36 are due")
        return cls(value[3], value[4:])


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """Value of SSTP_ATTRIB_STATUS_INFO (MS-SSTP 2.2.8): the attribute complained of, the status, its value."""

    attribute_id: int
    status: int
    value: bytes = b""

    def pack(self) -> bytes:
        """Three reserved bytes, attribute id, status, at most 64 bytes of the value."""
        return b"\0\0\0" + bytes([self.attribute_id]) + self.status.to_bytes(4, "big") + self.value[:64]

    @classmethod
    def unpack(cls, value: bytes) -> StatusInfo:
        """Raises ProtocolError when it is shorter than 8 bytes."""
        if len(value) < 8:
            raise ProtocolError(f"SSTP status info: {len(value)} bytes where 8 are due")
        return cls(value[3], int.from_bytes(value[4:8], "big"), value[8:])

    @property
    def name(self) -> str:
        """The status as MS-SSTP names it, else its number."""
        try:
            return StatusCode(self.status).name
        except ValueError:
            return f"0x{self.status:08X}"


def call_connect_request() -> ControlPacket:
    """The client's first packet: PPP please (MS-SSTP 2.2.9)."""
    protocol = ENCAPSULATED_PROTOCOL_PPP.to_bytes(2, "big")
    attribute = Attribute(AttributeId.SSTP_ATTRIB_ENCAPSULATED_PROTOCOL_ID, protocol)
    return ControlPacket(MessageType.SSTP_MSG_CALL_CONNECT_REQUEST, (attribute,))


def call_connect_ack(hash_protocols: int, nonce: bytes) -> ControlPacket:
    """The server's consent (MS-SSTP 2.2.10)."""
    value = CryptoBindingRequest(hash_protocols, nonce).pack()
    attribute = Attribute(AttributeId.SSTP_ATTRIB_CRYPTO_BINDING_REQ, value)
    return ControlPacket(MessageType.SSTP_MSG_CALL_CONNECT_ACK, (attribute,))


def call_abort(status: StatusInfo) -> ControlPacket:
    """The end of a call, with the reason (MS-SSTP 2.2.13)."""
    return ControlPacket(
        MessageType.SSTP_MSG_CALL_ABORT, (Attribute(AttributeId.SSTP_ATTRIB_STATUS_INFO, status.pack()),)
    )


def read_length(header: bytes) -> int:
    """The whole packet's length from its first four bytes. Raises ProtocolError when no SSTP packet begins so."""
    if len(header) < _HEADER.size:
        raise ProtocolError("SSTP packet: the header is cut short")
    version, flags, field = _HEADER.unpack_from(header)
    if version != VERSION_1_0:
        raise ProtocolError(f"SSTP packet: version 0x{version:02X} where 0x10 is due")
    length: int = field & _LENGTH_MASK
    least = _HEADER.size + (_CONTROL.size if flags & _CONTROL_BIT else 0)
    if length < least:
        raise ProtocolError(f"SSTP packet: length {length} is below the header's {least} bytes")
    return length


def is_control(header: bytes) -> bool:
    """Whether the C bit is set (MS-SSTP 2.2.1)."""
    return bool(header[1] & _CONTROL_BIT)


def _read_attributes(data: bytes, count: int) -> tuple[Attribute, ...]:
    attributes = []
    offset = 0
    for _ in range(count):
        if offset + _HEADER.size > len(data):
            raise ProtocolError("SSTP packet: fewer attributes than announced")
        _, attribute_id, field = _HEADER.unpack_from(data, offset)
        end = offset + (field & _LENGTH_MASK)
        if end < offset + _HEADER.size or end > len(data):
            raise ProtocolError("SSTP packet: an attribute's length leaves the packet")
        attributes.append(Attribute(attribute_id, data[offset + _HEADER.size : end]))
        offset = end
    if offset != len(data):
        raise ProtocolError(f"SSTP packet: {len(data) - offset} bytes after the last attribute")
    return tuple(attributes)
