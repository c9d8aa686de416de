"""An LDAP server that does what a test tells it, well or badly. Its encoding is its own, not the program's.

Logs on one NTLM user (pyspnego as acceptor) and seals; everything after that is the test's script.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import spnego

USER, PASSWORD = "AD\\björn", "Schlüssel-🔑"


def tlv(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def integer(value: int, tag: int = 2) -> bytes:
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def message(message_id: int, operation: bytes, controls: bytes = b"") -> bytes:
    return tlv(0x30, integer(message_id), operation, controls)


def result(tag: int, code: int = 0, text: str = "", extra: bytes = b"") -> bytes:
    return tlv(tag, integer(code, 10), tlv(4), tlv(4, text.encode()), extra)


def entry(dn: str, **attributes: bytes | str) -> bytes:
    listed = [
        tlv(0x30, tlv(4, name.encode()), tlv(0x31, tlv(4, value.encode() if isinstance(value, str) else value)))
        for name, value in attributes.items()
    ]
    return tlv(0x64, tlv(4, dn.encode()), tlv(0x30, *listed))


def paged(cookie: bytes) -> bytes:
    value = tlv(0x30, integer(0), tlv(4, cookie))
    return tlv(0xA0, tlv(0x30, tlv(4, b"1.2.840.113556.1.4.319"), tlv(4, value)))


def root_dse(dn: str = "") -> bytes:
    return entry(dn, configurationNamingContext="CN=Configuration,DC=x", ldapServiceName="x:dc$@X")


class Peer:
    """One client, as the server sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.context: spnego.ContextProxy | None = None
        self._plain = b""

    def send(self, data: bytes) -> None:
        if self.context is not None:
            token = self.context.wrap(data).data
            data = len(token).to_bytes(4, "big") + token
        self.socket.sendall(data)

    def receive(self) -> tuple[int, int, bytes]:
        """Message id, operation tag and operation content of the next request."""
        while True:
            with contextlib.suppress(IndexError):
                _, body, size = self._header(self._plain, 0)
                if len(self._plain) >= body + size:
                    data, self._plain = self._plain[body : body + size], self._plain[body + size :]
                    _, at, length = self._header(data, 0)
                    message_id = int.from_bytes(data[at : at + length], "big")
                    tag, start, size = self._header(data, at + length)
                    return message_id, tag, data[start : start + size]
            self._plain += self._more()

    def _more(self) -> bytes:
        if self.context is None:
            data = self.socket.recv(65536)
            if not data:
                raise ConnectionError("the client is gone")
            return data
        size = int.from_bytes(self._exactly(4), "big")
        return self.context.unwrap(self._exactly(size)).data

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise ConnectionError("the client is gone")
            data += more
        return data

    @staticmethod
    def _header(data: bytes, at: int) -> tuple[int, int, int]:
        length = data[at + 1]
        if length < 0x80:
            return data[at], at + 2, length
        size = length & 0x7F
        data[at + 1 + size]
        return data[at], at + 2 + size, int.from_bytes(data[at + 2 : at + 2 + size], "big")

    def answer_root_dse(self) -> None:
        message_id, tag, _ = self.receive()
        assert tag == 0x63
        self.send(message(message_id, root_dse()) + message(message_id, result(0x65)))

    def log_on(self, behind: bytes = b"") -> None:
        """The NTLM exchange in SPNEGO; sealed from then on. ``behind`` goes in clear with the last answer."""
        context = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)
        while True:
            message_id, tag, content = self.receive()
            assert tag == 0x60
            sasl = content[content.index(b"GSS-SPNEGO") + len(b"GSS-SPNEGO") :]
            _, start, size = self._header(sasl, 0)
            token = context.step(sasl[start : start + size]) or b""
            code = 0 if context.complete else 14
            answer = message(message_id, result(0x61, code, extra=tlv(0x87, token)))
            self.send(answer + behind if context.complete else answer)
            if context.complete:
                self.context = context
                return


Script = Callable[[Peer], None]


class LdapStub:
    """Runs ``script`` for every connection on ``port``; its exceptions end the connection only."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = 0
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> LdapStub:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            with connection, contextlib.suppress(OSError, AssertionError, spnego.exceptions.SpnegoError):
                self._script(Peer(connection))


@contextlib.contextmanager
def users_file(directory: Path) -> Iterator[None]:
    """Tells pyspnego's acceptor the stub's user."""
    path = directory / "users"
    domain, _, name = USER.partition("\\")
    path.write_text(f"{domain}:{name}:{PASSWORD}\n", encoding="utf-8")
    before = os.environ.get("NTLM_USER_FILE")
    os.environ["NTLM_USER_FILE"] = str(path)
    try:
        yield
    finally:
        if before is None:
            del os.environ["NTLM_USER_FILE"]
        else:
            os.environ["NTLM_USER_FILE"] = before
