"""The fetcher: what it asks, what it refuses, and that it ends. The peers are sockets on loopback."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from pkitools.errors import (
    ConnectError,
    DeadlineExceededError,
    InputError,
    NameResolutionError,
    PkiToolsError,
    ProtocolError,
    RefusedError,
)
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.http import HttpFetcher, parse_location
from pkitools.transport.proxy import Proxy


class Peer:
    """Answers each connection with the next of its answers; ``None`` is silence."""

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = list(answers)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.requests: list[bytes] = []
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        held = []
        for answer in self._answers:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(4096)
            self.requests.append(data)
            if answer is None:
                held.append(connection)
                continue
            connection.sendall(answer)
            connection.close()
        time.sleep(1 if held else 0)
        for connection in held:
            connection.close()
        self._socket.close()


def fetch(url: str, *, limit: int = 1000, seconds: float = 3, **settings) -> bytes:
    return HttpFetcher().fetch(url, limit=limit, deadline=Deadline(seconds), **settings)


def ok(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_a_get_says_nothing_about_us():
    peer = Peer(ok(b"\x30\x00"))
    assert fetch(f"{peer.url}/a b/\u00fc.crl?x=%41") == b"\x30\x00"
    head = peer.requests[0].decode("ascii")
    assert head.startswith("GET /a%20b/%C3%BC.crl?x=%41 HTTP/1.1\r\n")
    names = {line.split(":")[0] for line in head.strip().split("\r\n")[1:]}
    assert names == {"Host", "Accept", "Accept-Encoding", "User-Agent", "Connection"}


def test_a_post_carries_its_body():
    peer = Peer(ok(b"answer"))
    assert fetch(f"{peer.url}/", body=b"question", kind="application/ocsp-request") == b"answer"
    assert b"Content-Length: 8\r\n" in peer.requests[0]
    assert b"Content-Type: application/ocsp-request\r\n" in peer.requests[0]


def test_two_redirects_are_followed_and_a_third_is_not():
    last = Peer(ok(b"crl"))
    second = Peer(f"HTTP/1.1 302 Found\r\nLocation: {last.url}/x\r\n\r\n".encode())
    first = Peer(f"HTTP/1.1 301 Moved\r\nLocation: {second.url}\r\n\r\n".encode())
    assert fetch(first.url) == b"crl"
    loop = Peer(*[b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"] * 3)
    with pytest.raises(ProtocolError, match="redirects"):
        fetch(loop.url)


@pytest.mark.parametrize("location", ["https://a.example/", "file:///etc/passwd", "ftp://a", "http://u:p@a/", "//[::1"])
def test_a_redirect_leads_to_http_only(location):
    peer = Peer(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode())
    with pytest.raises(InputError):
        fetch(peer.url)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", RefusedError),
        (b"HTTP/1.1 302 Found\r\n\r\n", RefusedError),
        (b"220 smtp\r\n", ProtocolError),
        (b"", ConnectError),
        (b"HTTP/1.1 200 OK\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(5000), ProtocolError),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 5000, ProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nabc", ProtocolError),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ProtocolError),
    ],
)
def test_bad_answers_are_typed_errors(answer, kind):
    peer = Peer(answer)
    with pytest.raises(kind):
        fetch(peer.url)


def test_silence_ends_with_the_deadline():
    peer = Peer(None)
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        fetch(peer.url, seconds=0.3)
    assert time.monotonic() - started < 1


def test_nobody_listens():
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1:9"):
        fetch("http://127.0.0.1:9/")


def test_a_name_that_does_not_resolve(monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(NameResolutionError, match="name or service not known"):
        fetch("http://crl.example/")


def test_a_resolver_of_its_own():
    peer = Peer(ok(b"crl"))
    asked = []

    def resolve(host, port, deadline):
        asked.append((host, port))
        return (Endpoint("127.0.0.1", port),)

    url = f"http://pki.example.invalid:{peer.port}/ca.crl"
    assert HttpFetcher(resolver=resolve).fetch(url, limit=10, deadline=Deadline(3)) == b"crl"
    assert asked == [("pki.example.invalid", peer.port)]


def test_a_resolver_that_hangs_costs_the_deadline_only(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1) or [])
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        fetch("http://crl.example/", seconds=0.2)
    assert time.monotonic() - started < 0.8


def test_through_a_proxy_the_address_is_absolute():
    peer = Peer(ok(b"crl"))
    proxy = Proxy("127.0.0.1", peer.port)
    assert HttpFetcher(proxy).fetch("http://crl.example/a", limit=10, deadline=Deadline(3)) == b"crl"
    assert peer.requests[0].startswith(b"GET http://crl.example/a HTTP/1.1\r\nHost: crl.example\r\n")


@pytest.mark.parametrize(
    "url",
    [
        "https://a/",
        "ldap:///CN=x",
        "http://",
        "http:///x",
        "http://a:99999/",
        "http://u@a/",
        "http://[::1",
        "http://a\x00b/",
        "http://\u00e4.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "",
    ],
)
def test_addresses_that_are_not_fetched(url):
    with pytest.raises(InputError):
        parse_location(url)


def test_line_breaks_in_an_address_do_not_reach_the_wire():
    for url in ("http://127.0.0.1:9/\r\nX: y", "http://127.0.0.1:9/?\r\nX: y", "http://127.0.0.1:9\r\n/"):
        with pytest.raises(PkiToolsError):
            fetch(url)
