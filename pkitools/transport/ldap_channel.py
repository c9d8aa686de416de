"""An LDAP connection's bytes: plain, inside TLS, or sealed by a SASL security layer; whole messages come out.

What the peer claims is checked before it is waited for: the length of a sealed frame, the length of a message.
"""

from __future__ import annotations

import socket
from typing import Protocol

from pkitools.errors import ConnectError, DeadlineExceededError, ProtocolError
from pkitools.protocol.ldap.messages import message_length
from pkitools.transport.deadline import Deadline
from pkitools.transport.stream import lost

MAX_FRAME_BYTES = 16 * 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_RECEIVE_BYTES = 64 * 1024


class SealingContext(Protocol):
    """What a SASL security layer needs of a security context."""

    def wrap(self, data: bytes) -> bytes:
        """Sealed and signed."""
        ...

    def unwrap(self, token: bytes) -> bytes:
        """The plain bytes of a token. Raises ProtocolError when it is not authentic."""
        ...


class LdapChannel:
    """One connection to ``peer``; every wait ends with ``deadline``."""

    def __init__(self, handle: socket.socket, peer: str, deadline: Deadline) -> None:
        self.handle = handle
        self.peer = peer
        self.deadline = deadline
        self.bytes_received = 0
        self._context: SealingContext | None = None
        self._sealed = bytearray()
        self._plain = bytearray()

    def seal(self, context: SealingContext) -> None:
        """From now on every byte in both directions is sealed (RFC 4513 5.2.1.6)."""
        if self._plain:
            # bytes sent before the security layer stood must not pass for bytes under it
            raise ProtocolError(f"{self.peer} sent unprotected data before the protection was agreed")
        self._context = context

    def replace_handle(self, handle: socket.socket) -> None:
        """The same connection, now inside TLS (StartTLS)."""
        if self._plain:
            raise ProtocolError(f"{self.peer} sent unprotected data before TLS was agreed")
        self.handle = handle

    def send(self, data: bytes) -> None:
        """All of ``data``. Raises ConnectError, DeadlineExceededError."""
        if self._context is not None:
            token = self._context.wrap(data)
            data = len(token).to_bytes(4, "big") + token
        try:
            self.handle.settimeout(self.deadline.require(f"sending to {self.peer}"))
            self.handle.sendall(data)
        except TimeoutError as error:
            raise self._too_late(f"sending to {self.peer}") from error
        except OSError as error:
            raise lost(self.peer, error) from error

    def receive_message(self) -> bytes:
        """The next LDAP message, whole. Raises ConnectError, DeadlineExceededError, ProtocolError."""
        length = message_length(self._plain)
        while length is None or len(self._plain) < length:
            if length is not None and length > MAX_MESSAGE_BYTES:
                raise ProtocolError(f"{self.peer} announces an LDAP message of {length} bytes")
            self._fill()
            length = message_length(self._plain)
        message = bytes(self._plain[:length])
        del self._plain[:length]
        return message

    def close(self) -> None:
        """Ends the connection; never fails."""
        try:
            self.handle.close()
        except OSError:
            pass

    def _fill(self) -> None:
        if self._context is None:
            self._plain += self._receive()
            return
        while len(self._sealed) < 4:
            self._sealed += self._receive()
        length = int.from_bytes(self._sealed[:4], "big")
        if length > MAX_FRAME_BYTES:
            raise ProtocolError(f"{self.peer} announces a sealed frame of {length} bytes")
        while len(self._sealed) < 4 + length:
            self._sealed += self._receive()
        token = bytes(self._sealed[4 : 4 + length])
        del self._sealed[: 4 + length]
        self._plain += self._context.unwrap(token)

    def _receive(self) -> bytes:
        doing = f"waiting for an answer from {self.peer}"
        try:
            self.handle.settimeout(self.deadline.require(doing))
            data = self.handle.recv(_RECEIVE_BYTES)
        except TimeoutError as error:
            raise self._too_late(doing) from error
        except OSError as error:
            raise lost(self.peer, error) from error
        if not data:
            cut = " in the middle of a message" if self._plain or self._sealed else ""
            raise ConnectError(
                f"{self.peer} closed the connection{cut}", hint="try again, or another server with --server"
            )
        self.bytes_received += len(data)
        return data

    def _too_late(self, doing: str) -> DeadlineExceededError:
        return DeadlineExceededError(
            f"timed out after {self.deadline.seconds:g} s while {doing}",
            hint="check the path to the host, or raise --timeout",
        )
