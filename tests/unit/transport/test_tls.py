"""TLS with a peer that never stops: the deadline holds all the same."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time

import pytest

from pkitools.errors import ConnectError, DeadlineExceededError, ProtocolError
from pkitools.transport import tcp, tls
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.stream import SocketStream

HELLO_REQUEST = b"\0\0\0\0"
"""A handshake message that a TLS 1.2 client passes over without counting (RFC 5246 7.4.1.1)."""


def handshake_record(messages):
    return b"\x16\x03\x03" + struct.pack(">H", len(messages)) + messages


def server_hello():
    body = b"\x03\x03" + os.urandom(32) + b"\0" + b"\xc0\x2f" + b"\0"  # ECDHE-RSA-AES128-GCM-SHA256
    return handshake_record(b"\x02" + len(body).to_bytes(3, "big") + body)


def greet_for_ever(connection):
    connection.recv(4096)
    flood = handshake_record(HELLO_REQUEST * 4096) * 16
    while True:
        connection.sendall(flood)


def hang_up(connection):
    connection.recv(4096)


def hang_up_inside_a_record(connection):
    connection.recv(4096)
    connection.sendall(server_hello()[:-3])


def banner(connection):
    connection.sendall(b"220 mail.example ESMTP\r\n")
    connection.recv(4096)


@pytest.fixture
def connect_to():
    """A connected stream to a peer that runs a script once."""
    servers = []

    def start(script):
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve():
            connection, _ = server.accept()
            with connection:
                try:
                    script(connection)
                except OSError:
                    pass  # the client left

        threading.Thread(target=serve, daemon=True).start()
        return tcp.connect([Endpoint("127.0.0.1", server.getsockname()[1])], Deadline(2)).stream

    yield start
    for server in servers:
        server.close()


def test_the_deadline_is_asked_before_each_piece_that_is_read():
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.dup() as watcher:
        theirs.sendall(handshake_record(HELLO_REQUEST * 4096) * 4)
        ours.setblocking(False)
        with pytest.raises(DeadlineExceededError):
            tls.handshake(SocketStream(ours, "peer"), Deadline(0), server_name=None)
        assert len(watcher.recv(65536)) > 0


def test_a_peer_that_never_stops_sending_is_left_at_the_deadline(connect_to):
    stream = connect_to(greet_for_ever)
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError, match="waiting for the TLS handshake"):
        tls.handshake(stream, Deadline(0.3), server_name=None)
    assert time.monotonic() - started < 1.3


@pytest.mark.parametrize("script", [hang_up, hang_up_inside_a_record])
def test_an_end_inside_the_handshake(connect_to, script):
    with pytest.raises(ConnectError, match="closed the connection during the TLS handshake"):
        tls.handshake(connect_to(script), Deadline(2), server_name="vpn.example.com")


def test_who_speaks_first_is_quoted(connect_to):
    with pytest.raises(ProtocolError, match="does not speak TLS: it sent '220 mail.example ESMTP'"):
        tls.handshake(connect_to(banner), Deadline(2), server_name=None)
