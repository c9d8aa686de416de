"""OpenSSL between two buffers in memory, with the socket on our side of them.

OpenSSL reads a socket of its own until that is empty, and skips some messages without counting them (HelloRequest in a
handshake, tickets and key updates after it): a peer that never stops sending would hold the call past every deadline.
Here it gets one piece at a time, and the deadline is asked before each.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import TypeVar

from OpenSSL import SSL

from pkitools.transport.deadline import Deadline
from pkitools.transport.stream import RECEIVE_BYTES, SocketStream, wait

T = TypeVar("T")


class Pump:
    """Runs OpenSSL's steps on a connection that was made without a socket. ``first`` is what the peer sent first."""

    def __init__(self, connection: SSL.Connection, stream: SocketStream) -> None:
        self._connection = connection
        self._stream = stream
        self._ended = False
        self.first = b""

    def run(self, step: Callable[[], T], deadline: Deadline, doing: str) -> T:
        """Calls ``step`` until it has what it needs from the peer.

        Raises DeadlineExceededError, OSError when the connection broke, and what else OpenSSL raises.
        """
        while True:
            try:
                result = step()
            except SSL.WantReadError:
                self._send_all(deadline, doing)
                self._receive(deadline, doing)
            except SSL.Error:
                self.send_ready()  # the alert that says why
                raise
            else:
                self._send_all(deadline, doing)
                return result

    def send_ready(self) -> None:
        """What OpenSSL wants to send, as far as it goes without waiting or failing."""
        try:
            while data := self._pending():
                self._stream.handle.send(data)
        except OSError:
            pass  # a farewell: the peer may be gone

    def _send_all(self, deadline: Deadline, doing: str) -> None:
        while data := self._pending():
            view = memoryview(data)
            while view:
                try:
                    view = view[self._stream.handle.send(view) :]
                except BlockingIOError:
                    wait(self._stream.handle, select.POLLOUT, deadline, doing)

    def _pending(self) -> bytes:
        try:
            return self._connection.bio_read(RECEIVE_BYTES)
        except SSL.WantReadError:
            return b""

    def _receive(self, deadline: Deadline, doing: str) -> None:
        if self._ended:
            raise SSL.SysCallError(-1, "Unexpected EOF")
        deadline.require(doing)
        try:
            data = self._received()
            if data is None:  # asked first: with many threads at work the answer is mostly there already
                wait(self._stream.handle, select.POLLIN, deadline, doing)
                data = self._stream.handle.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return  # ready was a false alarm: asked again
        self.first = self.first or data
        if data:
            self._connection.bio_write(data)
        else:
            self._ended = True
            self._connection.bio_shutdown()

    def _received(self) -> bytes | None:
        """What has come already; None when nothing has."""
        try:
            return self._stream.handle.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return None
