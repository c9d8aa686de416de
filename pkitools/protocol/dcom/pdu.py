"""Connection-oriented DCE/RPC PDUs (C706 12.6, MS-RPCE 2.2.2): header, bind, request, response, fault, auth trailer."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from uuid import UUID

from pkitools.errors import ProtocolError
from pkitools.protocol.dcom.ids import NDR, Interface
from pkitools.protocol.dcom.ndr import NdrReader

HEADER_SIZE = 16
RESPONSE_BODY = 24
TRAILER_SIZE = 8
MAX_FRAGMENT = 5840
DATA_REPRESENTATION = b"\x10\x00\x00\x00"


class NotRpcError(ProtocolError):
    """What answered does not speak DCE/RPC."""

    error_id = "NotRpc"


class PduType(IntEnum):
    """PTYPE (C706 12.6.4.1)."""

    REQUEST = 0
    RESPONSE = 2
    FAULT = 3
    BIND = 11
    BIND_ACK = 12
    BIND_NAK = 13
    ALTER_CONTEXT = 14
    ALTER_CONTEXT_RESP = 15
    AUTH3 = 16


class PduFlag(IntFlag):
    """PFC flags (C706 12.6.3.1, MS-RPCE 2.2.2.3)."""

    FIRST = 0x01
    LAST = 0x02
    SUPPORT_HEADER_SIGN = 0x04
    CONC_MPX = 0x10
    OBJECT_UUID = 0x80


class AuthType(IntEnum):
    """RPC_C_AUTHN_* (MS-RPCE 2.2.1.1.7)."""

    NONE = 0
    SPNEGO = 9
    NTLM = 10
    KERBEROS = 16


class AuthLevel(IntEnum):
    """RPC_C_AUTHN_LEVEL_* (MS-RPCE 2.2.1.1.8)."""

    NONE = 1
    CONNECT = 2
    CALL = 3
    PKT = 4
    PKT_INTEGRITY = 5
    PKT_PRIVACY = 6


@dataclass(frozen=True, slots=True)
class AuthTrailer:
    """sec_trailer and auth_value (MS-RPCE 2.2.2.11). ``pad`` octets stand between the stub and the trailer."""

    type: int
    level: int
    pad: int
    context_id: int
    value: bytes

    def pack(self) -> bytes:
        """The eight octets and the value."""
        return self.pack_head() + self.value

    def pack_head(self) -> bytes:
        """The eight octets before the value."""
        return struct.pack("<BBBBI", self.type, self.level, self.pad, 0, self.context_id)


@dataclass(frozen=True, slots=True)
class Pdu:
    """One fragment: header fields, the body behind the common header, and the auth trailer taken off it.

    ``body`` still ends with the trailer's padding. ``raw`` is the whole fragment as received.
    """

    type: int
    flags: PduFlag
    call_id: int
    body: bytes
    auth: AuthTrailer | None = None
    raw: bytes = b""

    def pack(self) -> bytes:
        """The fragment; the body must be padded to 4 when there is a trailer."""
        auth_length = len(self.auth.value) if self.auth else 0
        tail = self.auth.pack() if self.auth else b""
        size = HEADER_SIZE + len(self.body) + len(tail)
        return pack_header(self.type, self.flags, size, auth_length, self.call_id) + self.body + tail


def pack_header(pdu_type: int, flags: PduFlag, size: int, auth_length: int, call_id: int) -> bytes:
    """The common header (C706 12.6.3.1)."""
    return struct.pack("<BBBB4sHHI", 5, 0, pdu_type, flags, DATA_REPRESENTATION, size, auth_length, call_id)


def fragment_length(head: bytes) -> int:
    """The length of the fragment whose first 16 octets are ``head``. Raises ProtocolError when it is no RPC PDU."""
    if len(head) < HEADER_SIZE or head[0] != 5:
        raise NotRpcError("the answer is not DCE/RPC", hint="is this the right address and port?")
    if head[4:8] != DATA_REPRESENTATION:
        raise ProtocolError(f"unsupported data representation {head[4:8].hex()} in a DCE/RPC answer")
    size = int.from_bytes(head[8:10], "little")
    if size < HEADER_SIZE:
        raise ProtocolError(f"malformed DCE/RPC header: fragment length {size}")
    return size


def unpack_pdu(raw: bytes) -> Pdu:
    """A whole fragment. The trailer is separated and its lengths are checked (MS-RPCE 2.2.2.11)."""
    if fragment_length(raw[:HEADER_SIZE]) != len(raw):
        raise ProtocolError("malformed DCE/RPC fragment: its length is not the one announced")
    pdu_type, flags = raw[2], PduFlag(raw[3])
    auth_length, call_id = struct.unpack_from("<HI", raw, 10)
    body, auth = raw[HEADER_SIZE:], None
    if auth_length:
        at = len(raw) - auth_length - TRAILER_SIZE
        if at < HEADER_SIZE:
            raise ProtocolError(f"malformed DCE/RPC fragment: auth length {auth_length} of {len(raw)} octets")
        auth_type, level, pad, _, context_id = struct.unpack_from("<BBBBI", raw, at)
        auth = AuthTrailer(auth_type, level, pad, context_id, raw[at + TRAILER_SIZE :])
        body = raw[HEADER_SIZE:at]
        if pad > len(body):
            raise ProtocolError(f"malformed DCE/RPC fragment: {pad} octets of padding in {len(body)}")
    return Pdu(pdu_type, flags, call_id, body, auth, raw)


def pack_bind(contexts: tuple[tuple[int, Interface], ...], association_group: int = 0) -> bytes:
    """Body of bind and alter_context: presentation contexts, NDR as their only transfer syntax (C706 12.6.4.3)."""
    body = struct.pack("<HHIBBH", MAX_FRAGMENT, MAX_FRAGMENT, association_group, len(contexts), 0, 0)
    for context_id, interface in contexts:
        body += struct.pack("<HBB", context_id, 1, 0) + interface.pack() + NDR.pack()
    return body


@dataclass(frozen=True, slots=True)
class ContextResult:
    """p_result_t (C706 12.6.3.1): result 0 accepted, 2 provider rejection, 3 negotiate_ack (MS-RPCE 2.2.2.4)."""

    result: int
    reason: int
    transfer_syntax: UUID


@dataclass(frozen=True, slots=True)
class BindAck:
    """Body of bind_ack and alter_context_resp (C706 12.6.4.4)."""

    max_transmit: int
    max_receive: int
    association_group: int
    secondary_address: str
    results: tuple[ContextResult, ...]

    @classmethod
    def unpack(cls, body: bytes) -> BindAck:
        """From the body; alignment counts from the start of the PDU, which is a multiple of 4 away."""
        reader = NdrReader(body, "bind_ack")
        transmit, receive, group = reader.u16(), reader.u16(), reader.u32()
        address = reader.raw(reader.u16()).rstrip(b"\x00").decode("ascii", "backslashreplace")
        count = reader.align(4).u8()
        reader.raw(3)
        results = []
        for _ in range(count):
            result, reason = reader.u16(), reader.u16()
            results.append(ContextResult(result, reason, UUID(bytes_le=reader.raw(16))))
            reader.raw(4)
        return cls(transmit, receive, group, address, tuple(results))


def unpack_bind_nak(body: bytes) -> int:
    """The reject reason of a bind_nak (C706 12.6.4.5, MS-RPCE 2.2.2.5); 8 is "authentication type not recognised"."""
    return NdrReader(body, "bind_nak").u16()


def pack_request_head(context_id: int, opnum: int, alloc_hint: int, ipid: UUID | None) -> bytes:
    """What stands between the header and the stub of a request (C706 12.6.4.9)."""
    return struct.pack("<IHH", alloc_hint, context_id, opnum) + (ipid.bytes_le if ipid else b"")


def unpack_fault(body: bytes) -> int:
    """The status of a fault (C706 12.6.4.7)."""
    reader = NdrReader(body, "fault")
    reader.raw(8)
    return reader.u32()
