"""DER reading for what is signed: certificates, CRLs and OCSP answers.

Beside ``der``, which forgives what programs write into PFX files, this reader refuses what only BER allows, hands out
values that know their place in the buffer (the octets that a signature covers), and is quick: hundreds of
certificates a second are read with it. Tag numbers above 30 and indefinite lengths are refused; everything that is
wrong raises FormatError.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NoReturn

from pkitools.errors import FormatError
from pkitools.protocol.der import decode_oid

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OBJECT, ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
UTF8_STRING, SEQUENCE, SET, UTC_TIME, GENERALIZED_TIME = 0x0C, 0x30, 0x31, 0x17, 0x18

_TEXT_ENCODINGS = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",  # T61String: everyone, Windows included, writes Latin-1 into it
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}


def _broken(what: str, position: int) -> NoReturn:
    raise FormatError(f"damaged ASN.1: {what} at byte {position}")


class Value:
    """One tag-length-value of a buffer; ``tag`` is the identifier octet."""

    __slots__ = ("_body", "_data", "_end", "_start", "tag")

    def __init__(self, data: bytes, tag: int, start: int, body: int, end: int) -> None:
        self._data = data
        self.tag = tag
        self._start = start
        self._body = body
        self._end = end

    @property
    def content(self) -> bytes:
        """The content octets."""
        return self._data[self._body : self._end]

    @property
    def encoded(self) -> bytes:
        """The whole value with tag and length."""
        return self._data[self._start : self._end]

    @property
    def span(self) -> tuple[int, int]:
        """Where the content lies in the buffer."""
        return self._body, self._end

    def children(self) -> Reader:
        """A reader over the content of a constructed value."""
        return Reader(self._data, self._body, self._end)

    def integer(self) -> int:
        """INTEGER or ENUMERATED, of any length and sign."""
        if self._body == self._end:
            _broken("an empty integer", self._start)
        return int.from_bytes(self.content, "big", signed=True)

    def small(self) -> int:
        """An INTEGER or ENUMERATED of up to 8 octets; numbers that are shown or counted with never need more."""
        if self._end - self._body > 8:
            _broken("a number of more than 8 octets", self._start)
        return self.integer()

    def boolean(self) -> bool:
        """BOOLEAN; any octet but zero is true, as BER has it."""
        if self._end - self._body != 1:
            _broken("a boolean of wrong length", self._start)
        return self._data[self._body] != 0

    def oid(self) -> str:
        """OBJECT IDENTIFIER in dotted form."""
        try:
            return decode_oid(self.content)
        except ValueError:
            _broken("a broken object identifier", self._start)

    def bits(self) -> tuple[int, ...]:
        """Numbers of the bits that are set in a BIT STRING of named bits."""
        content = self.bit_octets()
        return tuple(8 * i + bit for i, octet in enumerate(content[:64]) for bit in range(8) if octet & (0x80 >> bit))

    def bit_octets(self) -> bytes:
        """The octets of a BIT STRING, unused bits included."""
        content = self.content
        if not content or content[0] > 7:
            _broken("a bit string without its count of unused bits", self._start)
        return content[1:]

    def text(self) -> str:
        """A character string; octets that its type does not allow become U+FFFD. FormatError for other types."""
        encoding = _TEXT_ENCODINGS.get(self.tag)
        if encoding is None:
            _broken(f"a value of type 0x{self.tag:02X} where text belongs", self._start)
        return self.content.decode(encoding, "replace")

    def time(self) -> datetime:
        """UTCTime or GeneralizedTime of RFC 5280 4.1.2.5, aware UTC. Fractions and offsets are refused."""
        try:
            text = self.content.decode("ascii")
            if self.tag == UTC_TIME and len(text) == 13:
                # RFC 5280 4.1.2.5.1: years 50 to 99 are 19xx.
                text = ("19" if text[:2] >= "50" else "20") + text
            elif self.tag != GENERALIZED_TIME:
                _broken("a value that is no time", self._start)
            if len(text) != 15 or text[14] != "Z" or not text[:14].isdecimal():
                _broken("a time that is not in the form of RFC 5280", self._start)
            year, *rest = int(text[:4]), *(int(text[i : i + 2]) for i in range(4, 14, 2))
            return datetime(year, *rest, tzinfo=UTC)  # type: ignore[arg-type, misc]
        except ValueError as error:
            raise FormatError(f"damaged ASN.1: a time that does not exist at byte {self._start}") from error


class Reader:
    """Reads values one after the other from ``data[position:end]``."""

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self._data = data
        self._position = position
        self._end = len(data) if end is None else end

    @property
    def position(self) -> int:
        """Offset of the next value in the buffer."""
        return self._position

    def peek(self) -> int | None:
        """Tag of the next value, None at the end."""
        return self._data[self._position] if self._position < self._end else None

    def read(self, tag: int | None = None) -> Value:
        """The next value, which must have ``tag`` when that is given."""
        data, start, end = self._data, self._position, self._end
        if start + 2 > end:
            _broken("the end where a value belongs", start)
        found, length, body = data[start], data[start + 1], start + 2
        if tag is not None and found != tag:
            _broken(f"type 0x{found:02X} instead of 0x{tag:02X}", start)
        if found & 0x1F == 0x1F:
            _broken("a tag number above 30", start)
        if length & 0x80:
            octets = length & 0x7F
            if not 1 <= octets <= 4 or body + octets > end:
                _broken("a length that DER does not allow", start)
            length = int.from_bytes(data[body : body + octets], "big")
            body += octets
        if body + length > end:
            _broken("a value longer than what holds it", start)
        self._position = body + length
        return Value(data, found, start, body, body + length)

    def optional(self, tag: int) -> Value | None:
        """The next value when it has ``tag``, else None."""
        return self.read(tag) if self._position < self._end and self._data[self._position] == tag else None

    def sequence(self) -> Reader:
        """A reader over the SEQUENCE that comes next."""
        return self.read(SEQUENCE).children()

    def rest(self) -> list[Value]:
        """All values up to the end."""
        values = []
        while self._position < self._end:
            values.append(self.read())
        return values

    def require_end(self) -> None:
        """FormatError when something is left."""
        if self._position < self._end:
            _broken("left-over bytes", self._position)
