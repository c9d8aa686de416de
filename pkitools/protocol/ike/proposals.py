"""The Security Association payload: proposals and transforms (RFC 7296 3.3)."""

from __future__ import annotations

from typing import NamedTuple

from pkitools.errors import ProtocolError
from pkitools.protocol.ike.numbers import ProtocolId, TransformType
from pkitools.protocol.ike.reader import Reader

_MORE_PROPOSALS = 2
_MORE_TRANSFORMS = 3
_KEY_LENGTH = 14
_FIXED_FORMAT = 0x8000
_MAX_PROPOSALS = 255


class Transform(NamedTuple):
    """One algorithm of a proposal, RFC 7296 3.3.2. ``key_length`` is in bits, None without the attribute."""

    type: int
    id: int
    key_length: int | None = None

    def pack(self, last: bool) -> bytes:
        """The transform substructure; ``last`` ends the list."""
        attribute = b""
        if self.key_length is not None:
            attribute = (_FIXED_FORMAT | _KEY_LENGTH).to_bytes(2, "big") + self.key_length.to_bytes(2, "big")
        head = bytes((0 if last else _MORE_TRANSFORMS, 0)) + (8 + len(attribute)).to_bytes(2, "big")
        return head + bytes((self.type, 0)) + self.id.to_bytes(2, "big") + attribute

    @classmethod
    def unpack(cls, body: bytes) -> Transform:
        """A transform without its first four bytes. Raises ProtocolError."""
        reader = Reader(body, "transform")
        kind = reader.number(1)
        reader.take(1)
        number = reader.number(2)
        key_length = None
        while reader.remaining:
            attribute, value = reader.number(2), reader.number(2)
            if not attribute & _FIXED_FORMAT:
                reader.take(value)
            elif attribute & ~_FIXED_FORMAT == _KEY_LENGTH:
                key_length = value
        return cls(kind, number, key_length)


class Proposal(NamedTuple):
    """One alternative: the peer picks one transform of each type, RFC 7296 3.3.1.

    ``spi`` is empty in IKE_SA_INIT and four bytes for ESP.
    """

    number: int
    protocol: int
    transforms: tuple[Transform, ...]
    spi: bytes = b""

    def pack(self, last: bool) -> bytes:
        """The proposal substructure; ``last`` ends the list."""
        count = len(self.transforms)
        body = b"".join(item.pack(index == count - 1) for index, item in enumerate(self.transforms))
        length = 8 + len(self.spi) + len(body)
        head = bytes((0 if last else _MORE_PROPOSALS, 0)) + length.to_bytes(2, "big")
        return head + bytes((self.number, self.protocol, len(self.spi), count)) + self.spi + body

    @classmethod
    def unpack(cls, body: bytes) -> Proposal:
        """A proposal without its first four bytes. Raises ProtocolError."""
        reader = Reader(body, "proposal")
        number, protocol, spi_size, count = (reader.number(1) for _ in range(4))
        spi = reader.take(spi_size)
        transforms = tuple(Transform.unpack(item) for item in _substructures(reader, _MORE_TRANSFORMS, "transform"))
        if len(transforms) != count:
            raise ProtocolError(f"the IKE proposal announces {count} transforms and has {len(transforms)}")
        return cls(number, protocol, transforms, spi)

    def ids(self, kind: int) -> tuple[int, ...]:
        """The transform ids of one type, in order."""
        return tuple(item.id for item in self.transforms if item.type == kind)

    def transform(self, kind: int) -> Transform | None:
        """The first transform of one type: in an answer the one that the peer chose."""
        return next((item for item in self.transforms if item.type == kind), None)


def _substructures(reader: Reader, more: int, what: str) -> list[bytes]:
    """The bodies of a chained list in which ``more`` announces a follower and 0 the end."""
    bodies: list[bytes] = []
    marker = more
    while marker == more and len(bodies) <= _MAX_PROPOSALS:
        marker = reader.number(1)
        reader.take(1)
        length = reader.number(2)
        bodies.append(reader.take(length - 4))
        if marker not in (0, more):
            raise ProtocolError(f"the IKE {what} list has the unknown marker {marker}")
    reader.finish()
    return bodies


def pack_proposals(proposals: tuple[Proposal, ...]) -> bytes:
    """The body of an SA payload."""
    count = len(proposals)
    return b"".join(item.pack(index == count - 1) for index, item in enumerate(proposals))


def unpack_proposals(body: bytes) -> tuple[Proposal, ...]:
    """The proposals of an SA payload's body. Raises ProtocolError."""
    reader = Reader(body, "SA payload")
    return tuple(Proposal.unpack(item) for item in _substructures(reader, _MORE_PROPOSALS, "proposal"))


def esp_proposal(number: int, spi: bytes, *transforms: Transform) -> Proposal:
    """A proposal for ESP without extended sequence numbers (RFC 7296 3.3.3 makes the ESN transform mandatory)."""
    return Proposal(number, ProtocolId.ESP, (*transforms, Transform(TransformType.ESN, 0)), spi)
