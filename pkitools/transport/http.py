"""Plain HTTP for what certificates point at: CRLs, issuers' certificates, OCSP. Small, capped, and without identity.

The addresses come from a peer that may be hostile: ``http`` only, two redirects at most and only to ``http``, a limit
on the size and the time, no credentials of ours (a proxy's excepted), no cookies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import quote, urljoin, urlsplit

from pkitools.errors import ConnectError, InputError, ProtocolError, RefusedError
from pkitools.protocol.http1 import Body, ResponseHead, build_request
from pkitools.transport import dns, tcp
from pkitools.transport.deadline import Deadline
from pkitools.transport.proxy import Proxy, open_proxy, refusal
from pkitools.transport.stream import RECEIVE_BYTES, SocketStream, read_head

Resolver = Callable[[str, int, Deadline], Sequence[dns.Endpoint]]

MAX_REDIRECTS = 2
_REDIRECTS = (301, 302, 303, 307, 308)
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")


class Location(NamedTuple):
    """An http address taken apart; ``path`` is what stands in the request line, query included."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host field's value."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == 80 else f"{name}:{self.port}"


def parse_location(url: str) -> Location:
    """Raises InputError: another scheme than http, user information, no host, a bad port, control characters."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"the address {url[:200]!r} is malformed") from error
    if parts.scheme != "http":
        raise InputError(f"the address {url[:200]!r} is not http, so it is not fetched")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"the address {url[:200]!r} holds a user name, so it is not fetched")
    if not host or not host.isascii() or _UNSAFE.search(host):
        raise InputError(f"the address {url[:200]!r} has no usable host name")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Location(host, 80 if port is None else port, path + query)


class TimeLimit(Protocol):
    """What is left of somebody's time."""

    def remaining(self) -> float:
        """Seconds left, never negative."""
        ...


class HttpFetcher:
    """``trust.fetcher.Fetcher`` over TCP, directly or through a proxy. Keeps nothing between two calls."""

    def __init__(self, proxy: Proxy | None = None, resolver: Resolver | None = None) -> None:
        """``resolver`` looks hosts up in the system resolver's place; a proxy looks them up itself."""
        self._proxy = proxy
        self._resolver = resolver

    def fetch(self, url: str, *, limit: int, deadline: TimeLimit, body: bytes | None = None, kind: str = "") -> bytes:
        """The body of a 200 answer to GET, or to POST of ``body``. See ``trust.fetcher.Fetcher`` for the rules."""
        own_deadline = Deadline(deadline.remaining())
        for _ in range(1 + MAX_REDIRECTS):
            location = parse_location(url)
            head, content = self._exchange(location, limit, own_deadline, body, kind)
            if head.status == 200:
                return content
            target = head.get("location")
            if head.status not in _REDIRECTS or target is None:
                raise RefusedError(f"{url} answered {head.status_text}")
            url = _join(url, target)
        raise ProtocolError(f"{url}: more than {MAX_REDIRECTS} redirects")

    def _exchange(
        self, location: Location, limit: int, deadline: Deadline, body: bytes | None, kind: str
    ) -> tuple[ResponseHead, bytes]:
        stream = self._open(location, deadline)
        try:
            stream.send(self._request(location, body, kind), deadline)
            answer = read_head(stream, deadline)
            if answer is None:
                raise ConnectError(f"{location.authority} closed the connection without an answer")
            head, rest = answer
            if head.status == 407 and self._proxy is not None:
                raise refusal(self._proxy, head, location.authority)
            if head.status != 200:
                return head, b""
            return head, _read_body(stream, head, rest, limit, deadline)
        finally:
            stream.close()

    def _open(self, location: Location, deadline: Deadline) -> SocketStream:
        if self._proxy is not None:
            return open_proxy(self._proxy, deadline).stream
        resolve = self._resolver or dns.resolve
        return tcp.connect(resolve(location.host, location.port, deadline), deadline).stream

    def _request(self, location: Location, body: bytes | None, kind: str) -> bytes:
        headers = [("Host", location.authority), ("Accept", "*/*"), ("Accept-Encoding", "identity")]
        headers += [("User-Agent", "pkitools"), ("Connection", "close")]
        target = location.path
        if self._proxy is not None:
            headers += self._proxy.headers
            target = f"http://{location.authority}{location.path}"
        if body is None:
            return build_request("GET", target, tuple(headers))
        headers += [("Content-Type", kind), ("Content-Length", str(len(body)))]
        return build_request("POST", target, tuple(headers), body)


def _join(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError as error:
        raise InputError(f"{url} redirects to the malformed address {target[:200]!r}") from error


def _read_body(stream: SocketStream, head: ResponseHead, rest: bytes, limit: int, deadline: Deadline) -> bytes:
    encoding = (head.get("content-encoding") or "identity").lower()
    if encoding != "identity":
        raise ProtocolError(f"HTTP: the answer is encoded as {encoding[:40]!r} although nobody asked for it")
    body = Body(head, limit)
    body.feed(rest)
    while not body.complete:
        data = stream.receive(RECEIVE_BYTES, deadline)
        if not data:
            break
        body.feed(data)
    return body.end()
