"""What the run has fetched: every address once, parsed once, in memory only; and each judgement's list of it.

The addresses stand in certificates that a hostile peer may have made, so they are checked, counted and capped here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from pkitools.errors import DeadlineExceededError, FormatError, InputError, NoAnswerError, PkiToolsError, ProtocolError
from pkitools.models.trust import FetchedUrl
from pkitools.trust.fetcher import Fetcher, TimeLimit

T = TypeVar("T")
MAX_URL = 2048
MAX_URLS_PER_JUDGEMENT = 24
MAX_URLS_PER_RUN = 8192
MAX_BYTES_PER_RUN = 256 << 20
LIMITS = {"Aia": 1 << 20, "Crl": 64 << 20, "DeltaCrl": 64 << 20, "Ocsp": 256 << 10}
_TOO_MANY = "not fetched: the certificates name too many addresses"


@dataclass(frozen=True, slots=True)
class Ask:
    """One address to ask, for what (``Aia``, ``Crl``, ``DeltaCrl``, ``Ocsp``), and the body of a POST; ``question`` is
    the body without what differs from one asking to the next."""

    url: str
    use: str
    body: bytes | None = field(default=None, repr=False)
    question: bytes | None = field(default=None, repr=False)

    @property
    def key(self) -> tuple[str, str, bytes | None]:
        """What makes two asks the same. A CRL may serve as base here and as delta there."""
        return self.url, self.use.removeprefix("Delta"), self.question


class _Entry:
    """One address of the run: who comes second waits for the first."""

    __slots__ = ("allowed", "done", "error", "parsed", "seconds", "size")

    def __init__(self, allowed: float) -> None:
        self.done = threading.Event()
        self.allowed = allowed
        self.parsed: Any = None
        self.error: PkiToolsError | None = None
        self.size = 0
        self.seconds = 0.0

    def worth_another_try(self, allowed: float) -> bool:
        """A fetch that ran out of time is tried again by one who can wait twice as long."""
        return isinstance(self.error, DeadlineExceededError) and allowed > 2 * self.allowed


class _Share:
    """A part of what is left of somebody's time."""

    def __init__(self, whole: TimeLimit, seconds: float) -> None:
        self._whole = whole
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, min(self._whole.remaining(), self._end - time.monotonic()))


class Sources:
    """The fetched answers of one run, shared by all its judgements and threads."""

    def __init__(self, fetcher: Fetcher | None) -> None:
        """Without a fetcher every address gives a NoAnswerError: nothing is asked."""
        self._fetcher = fetcher
        self._lock = threading.Lock()
        self._entries: dict[tuple[str, str, bytes | None], _Entry] = {}
        self._bytes = 0

    def get(self, ask: Ask, parse: Callable[[bytes], T], deadline: TimeLimit) -> tuple[T | None, FetchedUrl]:
        """The parsed answer (None when there is none) and the record of the visit, whose ``error`` then says why."""
        try:
            check_url(ask.url)
        except InputError as refused:
            return None, FetchedUrl(ask.url, ask.use, error=refused.message)
        # Half of what is left for each address, as Windows does, so that the others get their turn.
        allowed = deadline.remaining() / 2
        entry, ours = self._claim(ask, allowed)
        if ours:
            self._fill(entry, ask, parse, _Share(deadline, allowed))
        elif not entry.done.wait(deadline.remaining()):
            return None, FetchedUrl(ask.url, ask.use, cached=True, error="timed out while another target fetched it")
        why = entry.error.message if entry.error else ""
        record = FetchedUrl(ask.url, ask.use, entry.size, round(entry.seconds, 3), not ours, why)
        return cast("T | None", entry.parsed), record

    def _claim(self, ask: Ask, allowed: float) -> tuple[_Entry, bool]:
        with self._lock:
            entry = self._entries.get(ask.key)
            if entry is not None and not (entry.done.is_set() and entry.worth_another_try(allowed)):
                return entry, False
            full = len(self._entries) >= MAX_URLS_PER_RUN or self._bytes >= MAX_BYTES_PER_RUN
            entry = _Entry(allowed)
            if full:
                entry.error = NoAnswerError("not fetched: this run has fetched enough")
                entry.done.set()
                return entry, False
            self._entries[ask.key] = entry
            return entry, True

    def _fill(self, entry: _Entry, ask: Ask, parse: Callable[[bytes], Any], deadline: TimeLimit) -> None:
        start = time.monotonic()
        try:
            data = self._fetch(ask, deadline)
            entry.size = len(data)
            with self._lock:
                self._bytes += len(data)
            entry.parsed = parse(data)
        except PkiToolsError as error:
            entry.error = error
        finally:
            # Also when a bug raised something else: nobody may wait for ever.
            entry.seconds = time.monotonic() - start
            if entry.parsed is None and entry.error is None:
                entry.error = FormatError("the answer could not be read")
            entry.done.set()

    def _fetch(self, ask: Ask, deadline: TimeLimit) -> bytes:
        if self._fetcher is None:
            raise NoAnswerError("not fetched: this judgement asks no network")
        if deadline.remaining() <= 0:
            raise DeadlineExceededError("not fetched: no time was left")
        limit = LIMITS[ask.use]
        kind = "application/ocsp-request" if ask.body is not None else ""
        data = self._fetcher.fetch(ask.url, limit=limit, deadline=deadline, body=ask.body, kind=kind)
        if len(data) > limit:
            raise ProtocolError(f"the answer has more than {limit} bytes")
        return data


class Visits:
    """The addresses of one judgement, in order; at most ``MAX_URLS_PER_JUDGEMENT`` of them are asked."""

    def __init__(self, sources: Sources, deadline: TimeLimit) -> None:
        self._sources = sources
        self._deadline = deadline
        self._seen: dict[tuple[str, str, bytes | None], Any] = {}
        self.records: list[FetchedUrl] = []

    def get(self, ask: Ask, parse: Callable[[bytes], T]) -> T | None:
        """The parsed answer or None; ``error_of`` then says why."""
        if ask.key in self._seen:
            return cast("T | None", self._seen[ask.key])
        if len(self._seen) >= MAX_URLS_PER_JUDGEMENT:
            if self.records[-1].error != _TOO_MANY:
                self.records.append(FetchedUrl(ask.url, ask.use, error=_TOO_MANY))
            return None
        value, record = self._sources.get(ask, parse, self._deadline)
        self._seen[ask.key] = value
        self.records.append(record)
        return value

    def error_of(self, url: str) -> str:
        """Why an address gave nothing."""
        return next((item.error for item in reversed(self.records) if item.url == url), _TOO_MANY)


def check_url(url: str) -> None:
    """InputError unless this is an http address without user information that may be asked."""
    if len(url) > MAX_URL:
        raise InputError(f"not fetched: an address of {len(url)} characters")
    if any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise InputError("not fetched: the address has blanks or control characters")
    scheme = url.partition(":")[0].lower()
    if scheme == "ldap":
        raise InputError("not fetched: ldap, which only domain members inside the network can reach")
    if scheme != "http":
        raise InputError("not fetched: only http addresses are asked")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InputError("not fetched: the address is malformed") from error
    if not host or "@" in parts.netloc:
        raise InputError("not fetched: the address has no host or has a user name in it")
