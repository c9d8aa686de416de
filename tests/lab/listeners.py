"""Listeners whose every byte the test decides: recorded answers of real servers, and hostile peers.

A script is a function that is handed the connection (plain, or TLS after its handshake) and talks; when it returns, the
connection is closed.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.lab.pki import Pair

Script = Callable[[socket.socket], None]


class Listener:
    """Runs ``script`` for each connection; with ``pair`` after a TLS handshake."""

    def __init__(
        self, script: Script, pair: Pair | None = None, folder: Path | None = None, address="127.0.0.1", port: int = 0
    ) -> None:
        self._script = script
        self._context = _context(pair, folder) if pair is not None and folder is not None else None
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(self._family)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((address, port))
        self._socket.listen(256)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.received: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(30)
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self._script(connection)
        except OSError:
            pass  # the client leaves when it has seen enough: that is no failure of the listener
        finally:
            connection.close()

    def close(self) -> None:
        self._socket.close()


def _context(pair: Pair, folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    bundle = folder / f"listener-{id(pair)}.pem"
    bundle.write_bytes(pair.key_pem + pair.chain_pem)
    context.load_cert_chain(bundle)
    return context


def read_request(connection: socket.socket) -> bytes:
    """Up to the empty line."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data


def answer(*steps: bytes) -> Script:
    """The first bytes after the request, each further step after one more read."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        for number, step in enumerate(steps):
            if number and not connection.recv(4096):
                return
            connection.sendall(step)
        connection.recv(4096)

    return script


def by_request(answers: dict[bytes, bytes], otherwise: bytes, then: bytes = b"") -> Script:
    """An answer by the request's method; after the one to SSTP_DUPLEX_POST, ``then`` for the Call Connect Request."""

    def script(connection: socket.socket) -> None:
        method = read_request(connection).split(b" ", 1)[0]
        connection.sendall(answers.get(method, otherwise))
        if method == b"SSTP_DUPLEX_POST" and then and connection.recv(4096):
            connection.sendall(then)
            connection.recv(4096)

    return script


def sleep_until_left(connection: socket.socket, seconds: float = 30) -> None:
    """Says nothing until the client goes."""
    connection.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        while connection.recv(4096):
            pass


def reset(connection: socket.socket) -> None:
    """RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def drip(data: bytes, interval: float = 0.5) -> Script:
    """One byte each half second, without listening."""

    def script(connection: socket.socket) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(interval)

    return script


def endless_header(connection: socket.socket) -> None:
    """A header that never ends."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-Endless: yes\r\n")


def connect_proxy(
    status: bytes = b"", seen: list[bytes] | None = None, hosts: Mapping[str, str] = MappingProxyType({})
) -> Script:
    """A CONNECT proxy: answers ``status``, or joins the two sides; also forwards absolute http addresses.

    ``hosts`` are names that it knows, with their addresses.
    """

    def script(client: socket.socket) -> None:
        request = read_request(client)
        if seen is not None:
            seen.append(request)
        if status:
            client.sendall(status)
            return
        method, target = request.split(b" ")[:2]
        authority = target.removeprefix(b"http://").split(b"/")[0].decode()
        host, _, port = authority.rpartition(":")
        host = {"vpn.lab.test": "127.0.0.1", **hosts}.get(host, host.strip("[]"))
        with socket.create_connection((host, int(port)), 5) as server:
            if method == b"CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = b"/" + target.removeprefix(b"http://").partition(b"/")[2]
                server.sendall(request.replace(target, path, 1))
            threading.Thread(target=_pump, args=(server, client), daemon=True).start()
            _pump(client, server)

    return script


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(16384):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def forged_certificate_message(*certificates: bytes) -> Script:
    """A TLS 1.2 server up to its Certificate message, which holds whatever is given (RFC 5246 7.4.2)."""

    def handshake(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + len(body).to_bytes(3, "big") + body

    entries = b"".join(len(item).to_bytes(3, "big") + item for item in certificates)
    hello = b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2f" + b"\x00"
    flight = handshake(2, hello) + handshake(11, len(entries).to_bytes(3, "big") + entries)

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x16\x03\x03" + len(flight).to_bytes(2, "big") + flight)
        connection.recv(4096)

    return script
