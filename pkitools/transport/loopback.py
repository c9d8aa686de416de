"""Listeners on 127.0.0.1 for the demonstration: an SSTP server that acknowledges calls, and a web server for a CRL.

They take any number of connections, one thread each, until they are closed. Certificate and key stay in memory.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from OpenSSL import SSL

from pkitools.protocol import sstp
from pkitools.protocol.http1 import MAX_HEAD_BYTES

_ADDRESS = "127.0.0.1"
_PATIENCE = 30.0
_ABORT_ACK = bytes.fromhex("1001000800050000")


class _Peer(Protocol):
    def recv(self, size: int, /) -> bytes: ...
    def sendall(self, data: bytes, /) -> object: ...


class LoopbackListener:
    """Accepts connections in a thread of its own; a subclass says what happens on each."""

    def __init__(self) -> None:
        self._socket = socket.create_server((_ADDRESS, 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> LoopbackListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def authority(self) -> str:
        """``127.0.0.1:port``"""
        return f"{_ADDRESS}:{self.port}"

    def close(self) -> None:
        """No more connections."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
        except OSError:
            pass
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self.talk(connection)
            except (OSError, SSL.Error):
                pass  # the client left

    def talk(self, connection: socket.socket) -> None:
        """One connection, from its first byte to its last."""
        raise NotImplementedError


class FileListener(LoopbackListener):
    """Answers GET with the file of that path, else 404."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        super().__init__()

    def talk(self, connection: socket.socket) -> None:
        """One request."""
        connection.settimeout(_PATIENCE)
        words = _read_head(connection).split(b" ", 2)
        content = self.files.get(words[1].decode("latin-1")) if len(words) > 1 else None
        status = "404 Not Found" if content is None else "200 OK"
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content or b'')}\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode() + (content or b""))


class SstpListener(LoopbackListener):
    """TLS with one certificate; acknowledges an SSTP call and takes its Abort (MS-SSTP 3.3). There is no PPP behind."""

    def __init__(self, chain: Sequence[x509.Certificate], key: EllipticCurvePrivateKey) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.use_certificate(chain[0])
        context.use_privatekey(key)
        for issuer in chain[1:]:
            context.add_extra_chain_cert(issuer)
        self._context = context
        super().__init__()

    def talk(self, connection: socket.socket) -> None:
        """One request; a call when it is SSTP's."""
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tls = SSL.Connection(self._context, connection)
        tls.set_accept_state()
        tls.do_handshake()
        if not _read_head(tls).startswith(sstp.SSTP_METHOD.encode()):
            tls.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        length = f"Content-Length: {sstp.SSTP_CONTENT_LENGTH}\r\n"
        tls.sendall(f"HTTP/1.1 200\r\n{length}Server: pkitools demo\r\n\r\n".encode())
        if tls.recv(sstp.MAX_PACKET_BYTES) == sstp.call_connect_request().pack():
            tls.sendall(sstp.call_connect_ack(3, os.urandom(sstp.NONCE_BYTES)).pack())
            tls.recv(sstp.MAX_PACKET_BYTES)
            tls.sendall(_ABORT_ACK)
        tls.shutdown()


def _read_head(connection: _Peer) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < MAX_HEAD_BYTES:
        piece = connection.recv(4096)
        if not piece:
            break
        data += piece
    return data
