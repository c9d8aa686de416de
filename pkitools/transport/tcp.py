"""TCP connections: the first of several addresses that answers wins (after RFC 8305, Happy Eyeballs)."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Sequence
from typing import NamedTuple

from pkitools.errors import ConnectError, DeadlineExceededError
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import Endpoint
from pkitools.transport.stream import SocketStream, describe

ATTEMPT_DELAY = 0.25
"""Seconds before the next address is tried beside the one that has not answered yet (RFC 8305 5)."""

_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK)


class Attempt(NamedTuple):
    """An address that did not connect, and why."""

    endpoint: Endpoint
    reason: str


class Connection(NamedTuple):
    """An open connection, the address it leads to, and the addresses that failed before."""

    stream: SocketStream
    endpoint: Endpoint
    failed: tuple[Attempt, ...]


def connect(endpoints: Sequence[Endpoint], deadline: Deadline) -> Connection:
    """Connects to the first endpoint that answers, the families in turn.

    Raises ConnectError when each refused, DeadlineExceededError when one was still silent; both name every address.
    """
    return _Race(interleave(endpoints), deadline).run()


def interleave(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """The two families in turn, beginning with the family of the first (RFC 8305 4)."""
    if not endpoints:
        return []
    first_family = [item for item in endpoints if item.is_ipv6 == endpoints[0].is_ipv6]
    second_family = [item for item in endpoints if item.is_ipv6 != endpoints[0].is_ipv6]
    order: list[Endpoint] = []
    for index in range(max(len(first_family), len(second_family))):
        order += first_family[index : index + 1] + second_family[index : index + 1]
    return order


class _Race:
    """The attempts of one connect; sockets that lost are closed."""

    def __init__(self, endpoints: Sequence[Endpoint], deadline: Deadline) -> None:
        self._waiting = list(endpoints)
        self._deadline = deadline
        self._open: dict[int, tuple[socket.socket, Endpoint]] = {}
        self._failed: list[Attempt] = []

    def run(self) -> Connection:
        try:
            while self._waiting or self._open:
                won = self._start_next() if self._waiting else None
                won = won or self._poll()
                if won is not None:
                    handle, endpoint = won
                    self._open.pop(handle.fileno(), None)
                    return Connection(SocketStream(handle, str(endpoint)), endpoint, tuple(self._failed))
            raise ConnectError(f"cannot connect: {self._report()}", hint="check address, port and firewall")
        finally:
            for handle, _ in self._open.values():
                handle.close()

    def _start_next(self) -> tuple[socket.socket, Endpoint] | None:
        endpoint = self._waiting.pop(0)
        try:
            handle = socket.socket(socket.AF_INET6 if endpoint.is_ipv6 else socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self._failed.append(Attempt(endpoint, describe(error)))
            return None
        try:
            handle.setblocking(False)
            handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = handle.connect_ex((endpoint.address, endpoint.port))
        except OSError as error:  # a malformed scope id and the like
            code = error.errno or errno.EINVAL
        if code == 0:
            return handle, endpoint
        if code not in _IN_PROGRESS:
            handle.close()
            self._fail(endpoint, code)
            return None
        self._open[handle.fileno()] = (handle, endpoint)
        return None

    def _poll(self) -> tuple[socket.socket, Endpoint] | None:
        if not self._open:
            return None
        left = self._deadline.remaining()
        if left <= 0:
            raise self._too_late()
        poller = select.poll()
        for number in self._open:
            poller.register(number, select.POLLOUT)
        for number, _ in poller.poll((min(left, ATTEMPT_DELAY) if self._waiting else left) * 1000):
            handle, endpoint = self._open[number]
            code = handle.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return handle, endpoint
            del self._open[number]
            handle.close()
            self._fail(endpoint, code)
        return None

    def _fail(self, endpoint: Endpoint, code: int) -> None:
        self._failed.append(Attempt(endpoint, describe(OSError(code, os.strerror(code)))))

    def _report(self) -> str:
        parts = [f"{item.endpoint}: {item.reason}" for item in self._failed]
        parts += [f"{endpoint}: no answer" for _, endpoint in self._open.values()]
        return "; ".join(parts + [f"{endpoint}: not tried any more" for endpoint in self._waiting])

    def _too_late(self) -> DeadlineExceededError:
        return DeadlineExceededError(
            f"timed out after {self._deadline.seconds:.3g} s while connecting: {self._report()}",
            hint="check the path to the host (firewall, routing), or raise --timeout",
        )
