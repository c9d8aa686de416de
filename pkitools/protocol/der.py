"""ASN.1 BER reading and DER writing (X.690), as small as PKCS #12 and X.509 need it, made for hostile input.

The reader takes BER: indefinite lengths (8.1.3.6), constructed strings (8.7.3) and lengths with leading zeros, because
NSS writes them. It walks by need, copies no bytes but the values it returns, and refuses nesting over ``MAX_DEPTH`` and
more than ``MAX_ELEMENTS`` elements in one file. Multi-octet tags are refused: none of our formats has one.
"""

from __future__ import annotations

from functools import lru_cache

from pkitools.errors import FormatError

MAX_DEPTH = 64
MAX_ELEMENTS = 200_000

BOOLEAN = 0x01
INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
UTF8_STRING = 0x0C
IA5_STRING = 0x16
BMP_STRING = 0x1E
SEQUENCE = 0x30
SET = 0x31
CONSTRUCTED = 0x20


def context(number: int, *, constructed: bool = True) -> int:
    """The tag octet of ``[number]``."""
    return 0x80 | (CONSTRUCTED if constructed else 0) | number


class DerError(FormatError):
    """The bytes are not the ASN.1 structure that they should be; ``offset`` says where."""

    error_id = "Damaged"

    def __init__(self, what: str, offset: int, problem: str) -> None:
        super().__init__(f"{what} is damaged at byte {offset}: {problem}")
        self.offset = offset
        self.problem = problem


class _Budget:
    """What all readers of one file share: elements left, the ends of indefinite elements already searched, and whether
    something was BER that is not DER."""

    __slots__ = ("ber", "ends", "left")

    def __init__(self) -> None:
        self.left = MAX_ELEMENTS
        self.ends: dict[int, int] = {}
        self.ber = False


class Reader:
    """Walks the elements between two offsets of a byte string. Every error is a DerError that names the offset.

    ``what`` names the thing in errors ("the PFX"); offsets count from the start of ``data``.
    """

    __slots__ = ("_budget", "_depth", "data", "end", "position", "what")

    def __init__(
        self, data: bytes, what: str = "the data", *, start: int = 0, end: int | None = None, depth: int = 0
    ) -> None:
        self.data = data
        self.what = what
        self.position = start
        self.end = len(data) if end is None else end
        self._depth = depth
        self._budget = _Budget()

    def error(self, problem: str, offset: int | None = None) -> DerError:
        """The error to raise for a problem here."""
        return DerError(self.what, self.position if offset is None else offset, problem)

    @property
    def ber(self) -> bool:
        """Whether an indefinite length or a constructed string was met in this file."""
        return self._budget.ber

    def more(self) -> bool:
        """Whether elements follow."""
        return self.position < self.end

    def peek(self) -> int:
        """The next tag octet, or -1 at the end."""
        return self.data[self.position] if self.position < self.end else -1

    def finish(self) -> None:
        """Complain of left-over bytes."""
        if self.position < self.end:
            raise self.error(f"{self.end - self.position} bytes too many")

    def _header(self, position: int) -> tuple[int, int, int]:
        """Tag, start of the content and its length (-1: indefinite) of the element at ``position``."""
        data, end = self.data, self.end
        if position + 2 > end:
            raise self.error("it ends in the middle of an element", position)
        tag, length = data[position], data[position + 1]
        start = position + 2
        if tag & 0x1F == 0x1F:
            raise self.error(f"tag {tag:#04x} is unknown", position)
        if length == 0x80:
            if not tag & CONSTRUCTED:
                raise self.error("an indefinite length on a primitive element", position)
            self._budget.ber = True
            return tag, start, -1
        if length > 0x80:
            octets = length & 0x7F
            if start + octets > end:
                raise self.error("it ends in the middle of a length", position)
            length = int.from_bytes(data[start : start + octets], "big")
            start += octets
        if start + length > end:
            raise self.error(f"an element of {length} bytes where {end - start} are left", position)
        return tag, start, length

    def _end_of_contents(self, start: int) -> int:
        """Where the content that starts at ``start`` ends (the offset of its end-of-contents octets)."""
        ends = self._budget.ends
        if start in ends:
            return ends[start]
        open_starts, position = [start], start
        while open_starts:
            self._budget.left -= 1
            if self._budget.left < 0:
                raise self.error("too many elements", position)
            tag, content, length = self._header(position)
            if length == -1:
                open_starts.append(content)
                if len(open_starts) + self._depth > MAX_DEPTH:
                    raise self.error("nested too deeply", position)
                position = content
            elif tag == 0 and length == 0:
                ends[open_starts.pop()] = position
                position = content
            else:
                position = content + length
        return ends[start]

    def _next(self) -> tuple[int, int, int]:
        """Tag, start and end of the content of the next element; moves behind it."""
        self._budget.left -= 1
        if self._budget.left < 0:
            raise self.error("too many elements")
        tag, start, length = self._header(self.position)
        if length == -1:
            stop = self._end_of_contents(start)
            self.position = stop + 2
        else:
            stop = start + length
            self.position = stop
        return tag, start, stop

    def _expect(self, tag: int, name: str) -> tuple[int, int]:
        found = self.peek()
        if found != tag:
            raise self.error(f"{name} expected, {_found(found)}")
        _, start, stop = self._next()
        return start, stop

    def _inner(self, start: int, stop: int) -> Reader:
        inner = Reader.__new__(Reader)
        inner.data, inner.what, inner.position, inner.end = self.data, self.what, start, stop
        inner._depth, inner._budget = self._depth + 1, self._budget
        if inner._depth > MAX_DEPTH:
            raise self.error("nested too deeply", start)
        return inner

    def enter(self, tag: int, name: str) -> Reader:
        """A reader of the content of the next element, which must have this (constructed) tag."""
        return self._inner(*self._expect(tag, name))

    def sequence(self, name: str) -> Reader:
        """A reader of the content of the next element, a SEQUENCE."""
        return self._inner(*self._expect(SEQUENCE, name))

    def any(self) -> tuple[int, bytes]:
        """Tag octet and whole encoding of the next element, as found."""
        before = self.position
        if before >= self.end:
            raise self.error("it ends where an element should follow")
        tag, _, _ = self._next()
        return tag, self.data[before : self.position]

    def raw(self, tag: int, name: str) -> bytes:
        """The whole encoding of the next element, which must have this tag."""
        before = self.position
        self._expect(tag, name)
        return self.data[before : self.position]

    def content(self, tag: int, name: str) -> bytes:
        """The content octets of the next element, which must have this tag."""
        start, stop = self._expect(tag, name)
        return self.data[start:stop]

    def oid(self, name: str) -> str:
        """An OBJECT IDENTIFIER in dotted form."""
        before = self.position
        start, stop = self._expect(OBJECT_IDENTIFIER, name)
        try:
            return decode_oid(self.data[start:stop])
        except ValueError as error:
            raise self.error(f"{name} is not an object identifier", before) from error

    def integer(self, name: str, *, max_octets: int = 8) -> int:
        """An INTEGER of up to ``max_octets`` octets."""
        before = self.position
        start, stop = self._expect(INTEGER, name)
        if not 0 < stop - start <= max_octets:
            raise self.error(f"{name} is not a number of 1 to {max_octets} octets", before)
        return int.from_bytes(self.data[start:stop], "big", signed=True)

    def inside_octets(self, name: str) -> Reader:
        """A reader of the encoding inside an OCTET STRING. Offsets go on unless it is made of parts."""
        if self.peek() == OCTET_STRING:
            return self._inner(*self._expect(OCTET_STRING, name))
        inner = Reader(self.octets(name), f"{self.what} ({name}, put together)")
        inner._budget.ber = self._budget.ber = True
        inner._budget.left, inner._depth = self._budget.left, self._depth + 1
        if inner._depth > MAX_DEPTH:
            raise self.error("nested too deeply")
        return inner

    def octets(self, name: str, tag: int = OCTET_STRING) -> bytes:
        """An OCTET STRING, also one that is constructed of parts; ``tag`` is its primitive tag when implicit."""
        if self.peek() == tag | CONSTRUCTED:
            self._budget.ber = True
            return b"".join(self._inner(*self._expect(tag | CONSTRUCTED, name))._parts(name))
        return self.content(tag, name)

    def _parts(self, name: str) -> list[bytes]:
        parts = []
        while self.more():
            if self.peek() == OCTET_STRING | CONSTRUCTED:
                parts += self.enter(OCTET_STRING | CONSTRUCTED, name)._parts(name)
            else:
                parts.append(self.content(OCTET_STRING, name))
        return parts


def _found(tag: int) -> str:
    return "found the end" if tag < 0 else f"found tag {tag:#04x}"


@lru_cache(maxsize=512)
def decode_oid(content: bytes) -> str:
    """Content octets of an OBJECT IDENTIFIER in dotted form. ValueError: empty, over 64 octets, or cut off."""
    if not content or content[-1] & 0x80 or len(content) > 64:
        raise ValueError("not an object identifier")
    arcs, value = [], 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


@lru_cache(maxsize=512)
def oid(dotted: str) -> bytes:
    """The DER of an OBJECT IDENTIFIER. ValueError when the text is none."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    if min(first, second, *rest, 0) < 0 or first > 2 or (first < 2 and second > 39):
        raise ValueError(f"not an object identifier: {dotted!r}")
    content = bytearray()
    for arc in (first * 40 + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return element(OBJECT_IDENTIFIER, bytes(content))


def element(tag: int, content: bytes) -> bytes:
    """One element with a definite, shortest length."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of encodings."""
    return element(SEQUENCE, b"".join(parts))


def set_of(parts: tuple[bytes, ...] | list[bytes]) -> bytes:
    """A SET OF, sorted as DER wants it (X.690 11.6)."""
    return element(SET, b"".join(sorted(parts)))


def integer(value: int) -> bytes:
    """An INTEGER."""
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return element(INTEGER, value.to_bytes(size, "big", signed=True))


def octet_string(content: bytes) -> bytes:
    """An OCTET STRING."""
    return element(OCTET_STRING, content)
