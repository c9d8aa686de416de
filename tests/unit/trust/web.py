"""A web in memory: a Fetcher that answers from a table and remembers what it was asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pkitools.errors import ConnectError, DeadlineExceededError
from pkitools.trust.fetcher import TimeLimit


class Web:
    """Bodies by address; a function makes a body from a POST; a missing address refuses the connection."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Callable[[bytes | None], bytes]] = {}
        self.asked: list[str] = []
        self.silent: set[str] = set()
        self.slow = 0.0
        self._lock = threading.Lock()

    def fetch(self, url: str, *, limit: int, deadline: TimeLimit, body: bytes | None = None, kind: str = "") -> bytes:
        with self._lock:
            self.asked.append(url)
        time.sleep(self.slow)
        if url in self.silent:
            time.sleep(min(deadline.remaining(), 5))
            raise DeadlineExceededError("timed out")
        page = self.pages.get(url)
        if page is None:
            raise ConnectError("connection refused")
        return page if isinstance(page, bytes) else page(body)


class Clock:
    """A TimeLimit of so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        return max(0.0, self._end - time.monotonic())
