"""What ``trust`` asks of whoever fetches for it: one method. ``transport.http`` has the real one, tests one in memory.

The addresses come from certificates, so from a peer that may be hostile. Counting the addresses, keeping the answers
for the run and recording what was fetched is done on this side (``trust.sources``).
"""

from __future__ import annotations

from typing import Protocol


class TimeLimit(Protocol):
    """What is left of somebody's time; ``transport.deadline.Deadline`` is one."""

    def remaining(self) -> float:
        """Seconds left, never negative."""
        ...


class Fetcher(Protocol):
    """Gets a body over plain http. One object may be called from several threads at once."""

    def fetch(self, url: str, *, limit: int, deadline: TimeLimit, body: bytes | None = None, kind: str = "") -> bytes:
        """The body of a ``200`` answer to GET ``url``, or to POST of ``body`` (``kind`` is its Content-Type).

        The rules, which the implementation keeps:

        - ``http://`` only, also after a redirect; at most two redirects; user information in an address is an error
          (``InputError``), and nothing that identifies us is sent: no credentials, no cookies, no Referer;
        - more than ``limit`` bytes of body (before or after any encoding) is a ``ProtocolError``, and so is an answer
          that is no HTTP, has endless headers, or a status other than 200;
        - everything from the name's resolution to the last byte ends when ``deadline`` has nothing left
          (``DeadlineExceededError``); an unreachable host is a ``ConnectError`` or a ``NameResolutionError``;
        - nothing but an error of ``pkitools.errors`` leaves it. No retry, no cache, no record: the caller does that.
        """
        ...
