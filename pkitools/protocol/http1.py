"""HTTP/1.x messages as bytes (RFC 9112), as much as probing and fetching need; bounded, no connection here.

Own code because an SSTP answer has a Content-Length of 2^64-1 and, from Windows, a status line without reason phrase:
libraries refuse the one or the other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from pkitools.errors import ProtocolError

MAX_HEAD_BYTES = 16 * 1024
MAX_HEADER_LINES = 100
_MAX_CHUNK_LINE = 1024

_STATUS_LINE = re.compile(rb"HTTP/(\d\.\d) +(\d{3})(?: +(.*))?", re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_START = b"HTTP/"


class ResponseHead(NamedTuple):
    """Status line and header fields of an answer; ``reason`` is empty where the server sent none."""

    version: str
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The first field of this name, whatever its case."""
        wanted = name.lower()
        return next((value for field, value in self.headers if field.lower() == wanted), None)

    @property
    def content_length(self) -> int | None:
        """Content-Length as a number; None when absent. Raises ProtocolError when it is no number below 2^64."""
        text = self.get("content-length")
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 20 and int(text) < 2**64):
            raise ProtocolError(f"HTTP: the Content-Length {text[:40]!r} is no number")
        return int(text)

    @property
    def status_text(self) -> str:
        """Status and reason as one reads them: ``404 Not Found``."""
        return f"{self.status} {self.reason}".rstrip()


def build_request(method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes = b"") -> bytes:
    """A request's bytes. ValueError when a line break or another control character hides in a part: a bug."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if any(map(_CONTROL.search, lines)):
        raise ValueError("a control character in an HTTP request")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def split_head(buffer: bytes) -> tuple[ResponseHead, bytes] | None:
    """The head and what follows it; None while the head is not complete.

    Raises ProtocolError as soon as the bytes cannot become an HTTP head, or exceed 16 KiB or 100 lines.
    """
    if not is_http_start(buffer):
        raise ProtocolError("the answer is not HTTP", error_id="NotHttp")
    match = _HEAD_END.search(buffer, 0, MAX_HEAD_BYTES)
    if match is not None:
        return parse_head(buffer[: match.start()]), buffer[match.end() :]
    if len(buffer) >= MAX_HEAD_BYTES:
        raise ProtocolError(f"HTTP: the header does not end within {MAX_HEAD_BYTES} bytes")
    if buffer.count(b"\n") > MAX_HEADER_LINES:
        raise ProtocolError(f"HTTP: more than {MAX_HEADER_LINES} header lines")
    return None


def is_http_start(buffer: bytes) -> bool:
    """Whether these first bytes can begin an HTTP answer."""
    return buffer[: len(_START)] == _START[: len(buffer)]


def parse_head(data: bytes) -> ResponseHead:
    """A head without its empty line. Raises ProtocolError."""
    lines = data.split(b"\n")
    if len(lines) > MAX_HEADER_LINES + 1:
        raise ProtocolError(f"HTTP: more than {MAX_HEADER_LINES} header lines")
    match = _STATUS_LINE.fullmatch(lines[0].rstrip(b"\r \t"))
    if match is None:
        raise ProtocolError("HTTP: the status line is malformed", error_id="NotHttp")
    version, status, reason = match.groups()
    return ResponseHead(version.decode(), int(status), _text(reason or b""), _parse_fields(lines[1:]))


def _parse_fields(lines: list[bytes]) -> tuple[tuple[str, str], ...]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and fields:  # a folded line, obsolete but seen (RFC 9112 5.2)
            name, value = fields[-1]
            fields[-1] = (name, f"{value} {_text(line)}")
            continue
        raw_name, colon, raw_value = line.partition(b":")
        if not colon or not raw_name.strip():
            raise ProtocolError("HTTP: a header line without a name")
        fields.append((_text(raw_name), _text(raw_value)))
    return tuple(fields)


def _text(data: bytes) -> str:
    return data.decode("latin-1").strip(" \t\r")


class Body:
    """Collects an answer's body until its end is known, or until ``limit`` bytes. Feed it what arrives.

    The end is told by chunked coding, by Content-Length, else by the end of the connection (RFC 9112 6.3).
    """

    def __init__(self, head: ResponseHead, limit: int) -> None:
        """Raises ProtocolError when the head announces more than ``limit`` bytes."""
        self._limit = limit
        self._chunked = (head.get("transfer-encoding") or "").lower().endswith("chunked")
        self._length = None if self._chunked else head.content_length
        self._buffer = bytearray()
        self._data = bytearray()
        self.complete = self._length == 0 or head.status in (204, 304) or head.status < 200
        if self._length is not None and self._length > limit:
            raise ProtocolError(f"HTTP: the answer has {self._length} bytes, over the limit of {limit}")

    def feed(self, data: bytes) -> None:
        """More bytes of the connection. Raises ProtocolError: over the limit, bad chunk."""
        if self._chunked:
            self._buffer += data
            while not self.complete and self._take_chunk():
                pass
        else:
            self._data += data
            if self._length is not None and len(self._data) >= self._length:
                del self._data[self._length :]
                self.complete = True
        if len(self._data) + len(self._buffer) > self._limit + _MAX_CHUNK_LINE:
            raise ProtocolError(f"HTTP: the answer exceeds the limit of {self._limit} bytes")

    def end(self) -> bytes:
        """The whole body, after the connection's end or when ``complete``. Raises ProtocolError when cut short."""
        if not self.complete and (self._chunked or self._length is not None):
            raise ProtocolError("HTTP: the connection ended before the answer was complete")
        return bytes(self._data)

    def _take_chunk(self) -> bool:
        line_end = self._buffer.find(b"\n", 0, _MAX_CHUNK_LINE)
        if line_end < 0:
            if len(self._buffer) >= _MAX_CHUNK_LINE:
                raise ProtocolError("HTTP: a chunk's size line does not end")
            return False
        size_text = bytes(self._buffer[:line_end]).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", size_text):
            raise ProtocolError("HTTP: a chunk's size is no number")
        size = int(size_text, 16)
        if size == 0:
            self.complete = True
            return False
        start, end = line_end + 1, line_end + 1 + size
        if size > self._limit:
            raise ProtocolError(f"HTTP: the answer exceeds the limit of {self._limit} bytes")
        if len(self._buffer) < end + 1 or (self._buffer[end : end + 1] == b"\r" and len(self._buffer) < end + 2):
            return False
        self._data += self._buffer[start:end]
        del self._buffer[: end + (2 if self._buffer[end : end + 1] == b"\r" else 1)]
        return True
