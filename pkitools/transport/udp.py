"""Questions and answers over UDP: many peers at once in one loop, with retransmission, back-off and ICMP errors.

A conversation is a generator: it yields a Request and receives a Reply, a Silence or an Unreachable, until it returns
its result. Sockets are connected, so the kernel drops datagrams of other senders and reports ICMP errors; their source
port is any free one, so no privilege is needed.
"""

from __future__ import annotations

import heapq
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Final, Generic, NamedTuple, TypeVar

from pkitools.errors import ConnectError, PkiToolsError
from pkitools.transport.deadline import Deadline
from pkitools.transport.dns import is_address, resolve

K = TypeVar("K", bound=Hashable)
R = TypeVar("R")

NON_ESP_MARKER: Final = bytes(4)
# Seconds to wait for an answer after each sending; RFC 7296 2.1 leaves the timing to the sender and wants back-off.
WAITS: Final = (0.5, 1.0, 1.5, 2.0)
_MAX_DATAGRAM = 65535
_MAX_CONVERSATIONS = 200
_MAX_RESOLVERS = 32
_IDLE, _POLL = 1.0, 0.02  # seconds


class Port(NamedTuple):
    """A UDP port; ``marker`` puts the non-ESP marker before each datagram and demands it back (RFC 3948 2.2)."""

    number: int
    marker: bool = False


IKE_PORT: Final = Port(500)
NAT_T_PORT: Final = Port(4500, marker=True)


class Request(NamedTuple):
    """One datagram, without the marker, and the test by which an answer to it is known.

    ``is_answer`` must not raise: it sees whatever arrives. It may collect: the datagram on which it first returns True
    ends the wait. ``tries`` limits how often it is sent; 0 leaves that to the loop.
    """

    port: Port
    data: bytes
    is_answer: Callable[[bytes], bool]
    tries: int = 0


class Reply(NamedTuple):
    """The answer, without the marker, and how often the question was sent for it."""

    data: bytes
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer within all tries or the deadline."""

    tries: int


class Unreachable(NamedTuple):
    """The network said so, by ICMP or for want of a route; ``message`` in the system's words."""

    message: str
    tries: int = 1


Answer = Reply | Silence | Unreachable
Conversation = Generator[Request, Answer, R]


class Session:
    """The sockets of one conversation: one connected socket per port of the peer."""

    def __init__(self, address: str) -> None:
        """``address``: an IPv4 or IPv6 address, with a zone where it is link-local."""
        self.address = address
        self._sockets: dict[Port, socket.socket] = {}

    def open(self, port: Port) -> socket.socket:
        """The connected, non-blocking socket for ``port``. Raises ConnectError when there is no route."""
        known = self._sockets.get(port)
        if known is not None:
            return known
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            numeric = self.address.encode("ascii")  # as bytes: text would load the IDNA tables
            opened.connect(socket.getaddrinfo(numeric, port.number, family, socket.SOCK_DGRAM)[0][4])
        except OSError as error:
            opened.close()
            raise ConnectError(_reason(error), hint="check the route to the host") from error
        self._sockets[port] = opened
        return opened

    def local(self, port: Port) -> tuple[str, int]:
        """Our address and port towards the peer's ``port``. Raises ConnectError."""
        name = self.open(port).getsockname()
        return str(name[0]), int(name[1])

    def sockets(self) -> list[tuple[Port, socket.socket]]:
        """All open sockets."""
        return list(self._sockets.items())

    def close(self) -> None:
        """Closes all sockets."""
        for opened in self._sockets.values():
            opened.close()
        self._sockets.clear()


@dataclass(frozen=True, slots=True)
class Finished(Generic[K, R]):
    """A conversation that ended: with its value, or with the error that it raised."""

    key: K
    value: R | None
    error: PkiToolsError | None


class _Running(Generic[K, R]):
    """A conversation in progress with its one outstanding request."""

    def __init__(self, key: K, session: Session, conversation: Conversation[R], deadline: Deadline) -> None:
        self.key = key
        self.session = session
        self.conversation = conversation
        self.deadline = deadline
        self.request: Request | None = None
        self.tries = 0
        self.turn = 0  # which wait a timer belongs to; older timers are void


class Conversations(Generic[K, R]):
    """Runs conversations side by side. Iterate over ``finished`` and ``start`` further ones on the way."""

    def __init__(self, waits: tuple[float, ...] = WAITS) -> None:
        self._waits = waits
        self._selector = selectors.DefaultSelector()
        self._queue: deque[tuple[K, str, Callable[[Session], Conversation[R]], float]] = deque()
        self._running: set[_Running[K, R]] = set()
        self._timers: list[tuple[float, int, int, _Running[K, R]]] = []
        self._done: deque[Finished[K, R]] = deque()
        self._sequence = 0

    def start(self, key: K, address: str, begin: Callable[[Session], Conversation[R]], seconds: float) -> None:
        """Queues a conversation with ``address``; ``seconds`` is its deadline, counted from its first request."""
        self._queue.append((key, address, begin, seconds))

    def finished(self, more: Callable[[], bool] | None = None) -> Iterator[Finished[K, R]]:
        """Each conversation as it ends, until none is left. Closes all sockets, also when the caller stops early.

        ``more`` is asked again and again: it may start conversations, and returns whether it will have more to start.
        """
        expecting = more is not None
        try:
            while self._done or self._running or self._queue or expecting:
                while self._done:
                    yield self._done.popleft()
                expecting = more is not None and expecting and more()
                self._admit()
                if not self._done and (self._running or expecting):
                    self._wait(_POLL if expecting else _IDLE)
        finally:
            for running in list(self._running):
                self._drop(running)
            self._selector.close()

    def _admit(self) -> None:
        while self._queue and len(self._running) < _MAX_CONVERSATIONS:
            key, address, begin, seconds = self._queue.popleft()
            session = Session(address)
            running = _Running(key, session, begin(session), Deadline(seconds))
            self._running.add(running)
            self._advance(running, None)

    def _wait(self, longest: float) -> None:
        now = time.monotonic()
        timeout = min(longest, max(0.0, self._timers[0][0] - now)) if self._timers else longest
        for ready, _ in self._selector.select(timeout):
            running, port = ready.data
            self._receive(running, port)
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, _, turn, running = heapq.heappop(self._timers)
            if running in self._running and turn == running.turn:
                self._send(running)

    def _advance(self, running: _Running[K, R], answer: Answer | None) -> None:
        """Hands an answer to the conversation and sends the request that it yields; None begins it."""
        try:
            running.request = next(running.conversation) if answer is None else running.conversation.send(answer)
        except StopIteration as stop:
            self._finish(running, Finished(running.key, stop.value, None))
        except PkiToolsError as error:
            self._finish(running, Finished(running.key, None, error))
        else:
            running.tries = 0
            self._send(running)

    def _send(self, running: _Running[K, R]) -> None:
        """Sends the outstanding request once more, or gives it up after the last try or at the deadline."""
        request = running.request
        if request is None:
            return
        if running.tries == (request.tries or len(self._waits)) or running.deadline.expired():
            self._advance(running, Silence(running.tries))
            return
        try:
            opened = self._socket(running, request.port)
            opened.send((NON_ESP_MARKER if request.port.marker else b"") + request.data)
        except ConnectError as error:
            self._advance(running, Unreachable(error.message))
            return
        except BlockingIOError:
            pass  # the send buffer is full: as good as lost on the way
        except OSError as error:
            self._advance(running, Unreachable(_reason(error), running.tries))
            return
        wait = min(self._waits[running.tries], running.deadline.remaining())
        running.tries += 1
        running.turn += 1
        self._sequence += 1
        heapq.heappush(self._timers, (time.monotonic() + wait, self._sequence, running.turn, running))

    def _socket(self, running: _Running[K, R], port: Port) -> socket.socket:
        opened = running.session.open(port)
        if opened.fileno() not in self._selector.get_map():
            self._selector.register(opened, selectors.EVENT_READ, (running, port))
        return opened

    def _receive(self, running: _Running[K, R], port: Port) -> None:
        """Reads one datagram; what is no answer to the outstanding request is dropped."""
        request = running.request
        if running not in self._running or request is None:
            return
        try:
            data = running.session.open(port).recv(_MAX_DATAGRAM)
        except BlockingIOError:
            return
        except OSError as error:
            if request.port == port:
                self._advance(running, Unreachable(_reason(error), running.tries))
            return
        if port.marker:
            if not data.startswith(NON_ESP_MARKER):
                return
            data = data[len(NON_ESP_MARKER) :]
        if request.port == port and request.is_answer(data):
            self._advance(running, Reply(data, running.tries))

    def _finish(self, running: _Running[K, R], result: Finished[K, R]) -> None:
        self._drop(running)
        self._done.append(result)

    def _drop(self, running: _Running[K, R]) -> None:
        self._running.discard(running)
        running.request = None
        running.conversation.close()
        for _, opened in running.session.sockets():
            if opened.fileno() in self._selector.get_map():
                self._selector.unregister(opened)
        running.session.close()


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


class AddressLookup:
    """Looks hosts up beside a loop: addresses are there at once, names when their thread has them.

    The first address of a name to which there is a route is taken.
    """

    def __init__(self, hosts: Iterable[str], seconds: float) -> None:
        """Begins; a name may take ``seconds``."""
        self._seconds = seconds
        self._found: SimpleQueue[tuple[str, str | PkiToolsError]] = SimpleQueue()
        names: deque[str] = deque()
        self._pending = 0
        for host in dict.fromkeys(hosts):
            self._pending += 1
            if is_address(host):
                self._found.put((host, host))
            else:
                names.append(host)
        for _ in range(min(len(names), _MAX_RESOLVERS)):
            threading.Thread(target=self._look_up, args=(names,), daemon=True).start()

    @property
    def pending(self) -> bool:
        """Whether some host was not handed out yet."""
        return self._pending > 0

    def ready(self) -> Iterator[tuple[str, str | PkiToolsError]]:
        """Hosts with their address, or with the error that says why there is none; each host once."""
        while True:
            try:
                item = self._found.get_nowait()
            except Empty:
                return
            self._pending -= 1
            yield item

    def _look_up(self, names: deque[str]) -> None:
        while True:
            try:
                host = names.popleft()
            except IndexError:
                return
            self._found.put((host, self._address(host)))

    def _address(self, host: str) -> str | PkiToolsError:
        try:
            addresses = [item.address for item in resolve(host, IKE_PORT.number, Deadline(self._seconds))]
        except PkiToolsError as error:
            return error
        return next((address for address in addresses if _has_route(address)), addresses[0])


def _has_route(address: str) -> bool:
    session = Session(address)
    try:
        session.open(IKE_PORT)
    except ConnectError:
        return False
    finally:
        session.close()
    return True
