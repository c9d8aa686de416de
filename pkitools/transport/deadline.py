"""One wall-clock limit over everything that belongs to one target."""

from __future__ import annotations

import time

from pkitools.errors import DeadlineExceededError


class Deadline:
    """A moment on the monotonic clock; every wait asks it how long it may still take."""

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        """``seconds`` from now on."""
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def expired(self) -> bool:
        """Whether nothing is left."""
        return self.remaining() <= 0.0

    def require(self, doing: str) -> float:
        """Seconds left; raises DeadlineExceededError naming what was being done when nothing is."""
        left = self.remaining()
        if left <= 0.0:
            raise DeadlineExceededError(
                f"timed out after {self.seconds:.3g} s while {doing}",
                hint="check the path to the host, or raise --timeout",
            )
        return left
