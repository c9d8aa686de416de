"""IKE payload bodies (RFC 7296 3.4 to 3.16): what stands behind the generic payload header."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from typing import NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.numbers import FIRST_STATUS_NOTIFY, CertEncoding
from pkitools.protocol.ike.reader import Reader

_SHA1_SIZE = 20


class KeyExchange(NamedTuple):
    """KE payload, RFC 7296 3.4: ``data`` is the public value, for ECP groups x | y (RFC 5903 7)."""

    group: int
    data: bytes

    def pack(self) -> bytes:
        """The payload body."""
        return self.group.to_bytes(2, "big") + bytes(2) + self.data

    @classmethod
    def unpack(cls, body: bytes) -> KeyExchange:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "KE payload")
        group = reader.number(2)
        reader.take(2)
        return cls(group, reader.rest())


class Notify(NamedTuple):
    """Notify payload, RFC 7296 3.10."""

    type: int
    data: bytes = b""
    protocol: int = 0
    spi: bytes = b""

    @property
    def is_error(self) -> bool:
        """Types below 16384 say that the request failed."""
        return self.type < FIRST_STATUS_NOTIFY

    def pack(self) -> bytes:
        """The payload body."""
        return bytes((self.protocol, len(self.spi))) + self.type.to_bytes(2, "big") + self.spi + self.data

    @classmethod
    def unpack(cls, body: bytes) -> Notify:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "Notify payload")
        protocol, spi_size, kind = reader.number(1), reader.number(1), reader.number(2)
        spi = reader.take(spi_size)
        return cls(kind, reader.rest(), protocol, spi)

    def named_group(self) -> int:
        """The group that an INVALID_KE_PAYLOAD wants, RFC 7296 3.10.1 and 1.2. Raises ProtocolError."""
        reader = Reader(self.data, "INVALID_KE_PAYLOAD notify")
        group = reader.number(2)
        reader.finish()
        return group


class Identification(NamedTuple):
    """IDi or IDr payload, RFC 7296 3.5. ``body`` is the whole payload body, which AUTH signs."""

    type: int
    data: bytes

    @property
    def body(self) -> bytes:
        """The payload body."""
        return bytes((self.type, 0, 0, 0)) + self.data

    @classmethod
    def unpack(cls, body: bytes) -> Identification:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "identification payload")
        kind = reader.number(1)
        reader.take(3)
        return cls(kind, reader.rest())


class Certificate(NamedTuple):
    """CERT payload, RFC 7296 3.6."""

    encoding: int
    data: bytes

    @classmethod
    def unpack(cls, body: bytes) -> Certificate:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "CERT payload")
        return cls(reader.number(1), reader.rest())


class CertificateRequest(NamedTuple):
    """CERTREQ payload, RFC 7296 3.7: ``authorities`` are SHA-1 hashes of SubjectPublicKeyInfo of trusted CAs."""

    encoding: int
    authorities: tuple[bytes, ...]

    def pack(self) -> bytes:
        """The payload body."""
        return bytes((self.encoding,)) + b"".join(self.authorities)

    @classmethod
    def unpack(cls, body: bytes) -> CertificateRequest:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "CERTREQ payload")
        encoding = reader.number(1)
        if encoding != CertEncoding.X509_SIGNATURE:
            return cls(encoding, ())
        if reader.remaining % _SHA1_SIZE:
            raise ProtocolError("the IKE CERTREQ payload is no list of SHA-1 hashes")
        return cls(encoding, tuple(reader.take(_SHA1_SIZE) for _ in range(reader.remaining // _SHA1_SIZE)))


class Authentication(NamedTuple):
    """AUTH payload, RFC 7296 3.8."""

    method: int
    data: bytes

    @classmethod
    def unpack(cls, body: bytes) -> Authentication:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "AUTH payload")
        method = reader.number(1)
        reader.take(3)
        return cls(method, reader.rest())


@dataclass(frozen=True, slots=True)
class Eap:
    """EAP payload, RFC 7296 3.16 and RFC 3748 4. ``type`` is None for success and failure."""

    REQUEST = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4

    code: int
    identifier: int
    type: int | None = None
    data: bytes = b""

    def pack(self) -> bytes:
        """The payload body."""
        body = b"" if self.type is None else bytes((self.type,)) + self.data
        return bytes((self.code, self.identifier)) + (4 + len(body)).to_bytes(2, "big") + body

    @classmethod
    def unpack(cls, body: bytes) -> Eap:
        """From the payload body. Raises ProtocolError."""
        reader = Reader(body, "EAP payload")
        code, identifier, length = reader.number(1), reader.number(1), reader.number(2)
        if length != len(body):
            raise ProtocolError(f"the EAP message says {length} bytes and has {len(body)}")
        kind = reader.number(1) if reader.remaining else None
        return cls(code, identifier, kind, reader.rest())


@dataclass(frozen=True, slots=True)
class TrafficSelector:
    """One address range of a TS payload, RFC 7296 3.13.1; all ports, all protocols."""

    IPV4_RANGE = 7
    IPV6_RANGE = 8

    first: str
    last: str

    def pack(self) -> bytes:
        """The selector substructure."""
        addresses = ip_address(self.first).packed + ip_address(self.last).packed
        kind = self.IPV4_RANGE if len(addresses) == 8 else self.IPV6_RANGE
        head = bytes((kind, 0)) + (8 + len(addresses)).to_bytes(2, "big")
        return head + bytes(2) + b"\xff\xff" + addresses


def pack_selectors(*selectors: TrafficSelector) -> bytes:
    """The body of a TSi or TSr payload, RFC 7296 3.13."""
    return bytes((len(selectors), 0, 0, 0)) + b"".join(item.pack() for item in selectors)


def nat_detection_hash(initiator_spi: bytes, responder_spi: bytes, address: str, port: int) -> bytes:
    """The data of a NAT_DETECTION notify: SHA-1 over both SPIs, the address and the port (RFC 7296 2.23)."""
    packed = ip_address(address.partition("%")[0]).packed
    return hashlib.sha1(initiator_spi + responder_spi + packed + port.to_bytes(2, "big")).digest()
