"""A connection as bytes in and out under a deadline: what TCP, a proxy's tunnel and TLS have in common."""

from __future__ import annotations

import select
import socket
from typing import Protocol

from pkitools.errors import ConnectError, DeadlineExceededError, ProtocolError
from pkitools.protocol.http1 import ResponseHead, split_head
from pkitools.transport.deadline import Deadline

RECEIVE_BYTES = 16 * 1024


class Stream(Protocol):
    """An open connection. Every wait ends with the deadline it is given."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """All of ``data``. Raises ConnectError, DeadlineExceededError."""
        ...

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        """At least one byte and at most ``limit``; nothing when the peer has ended. Raises as ``send`` does."""
        ...

    def close(self) -> None:
        """Ends the connection; never fails, never waits."""
        ...


def wait(handle: socket.socket, events: int, deadline: Deadline, doing: str) -> None:
    """Until the socket is ready for ``events`` (or broken). Raises DeadlineExceededError naming what was being done."""
    poller = select.poll()
    poller.register(handle, events)
    if not poller.poll(deadline.require(doing) * 1000):
        deadline.require(doing)
        raise DeadlineExceededError(f"timed out while {doing}")  # the poll's rounding ended a moment early


class SocketStream:
    """A plain TCP connection."""

    def __init__(self, handle: socket.socket, peer: str) -> None:
        """``handle`` is connected and non-blocking; ``peer`` names it in errors."""
        self.handle = handle
        self.peer = peer

    def send(self, data: bytes, deadline: Deadline) -> None:
        """See ``Stream``."""
        view = memoryview(data)
        while view:
            try:
                view = view[self.handle.send(view) :]
            except BlockingIOError:
                wait(self.handle, select.POLLOUT, deadline, f"sending to {self.peer}")
            except OSError as error:
                raise lost(self.peer, error) from error

    def receive(self, limit: int, deadline: Deadline) -> bytes:
        """See ``Stream``."""
        while True:
            try:
                return self.handle.recv(min(limit, RECEIVE_BYTES))
            except BlockingIOError:
                wait(self.handle, select.POLLIN, deadline, f"waiting for an answer from {self.peer}")
            except OSError as error:
                raise lost(self.peer, error) from error

    def close(self) -> None:
        """See ``Stream``."""
        self.handle.close()


def lost(peer: str, error: OSError) -> ConnectError:
    """The connection broke: what the operating system says of it."""
    return ConnectError(f"the connection to {peer} broke: {describe(error)}")


def describe(error: OSError) -> str:
    """The operating system's words for an error, in lower case as part of a sentence."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def read_head(stream: Stream, deadline: Deadline) -> tuple[ResponseHead, bytes] | None:
    """An HTTP answer's head and the bytes that came after it; None when the peer ended without a byte.

    Raises ProtocolError when it is no HTTP, is cut short or does not end within 16 KiB.
    """
    buffer = b""
    while True:
        data = stream.receive(RECEIVE_BYTES, deadline)
        if not data:
            if not buffer:
                return None
            raise ProtocolError("HTTP: the connection ended inside the header")
        buffer += data
        found = split_head(buffer)
        if found is not None:
            return found
