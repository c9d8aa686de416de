"""The same work on many hosts at the same time, none of which can delay the answers of the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from pkitools.transport.deadline import Deadline

K = TypeVar("K")
R = TypeVar("R")

MAX_AT_ONCE = 256
GRACE = 0.3
"""Seconds beyond the deadline for threads of a busy machine to say that time is up."""


def at_once(items: Sequence[K], work: Callable[[K], R], deadline: Deadline) -> dict[K, R]:
    """``work(item)`` for each item. Items without an answer a moment after the deadline are missing.

    ``work`` keeps the deadline by itself and turns what it expects into results; any other exception is raised here.
    The threads are daemons: one that hangs in the system's resolver ends with the program.
    """
    found: dict[K, R] = {}
    bugs: list[BaseException] = []
    queue = iter(items)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                item = next(queue, None)
            if item is None:
                return
            try:
                answer = work(item)
            except BaseException as bug:  # noqa: BLE001 - raised again in the caller's thread
                bugs.append(bug)
                return
            with lock:
                found[item] = answer

    threads = [threading.Thread(target=run, daemon=True) for _ in range(min(len(items), MAX_AT_ONCE))]
    for thread in threads:
        thread.start()
    last_moment = Deadline(deadline.remaining() + GRACE)
    for thread in threads:
        thread.join(last_moment.remaining())
    if bugs:
        raise bugs[0]
    with lock:
        return dict(found)


class Side(Generic[R]):
    """A call that runs beside its caller, which must end by itself."""

    def __init__(self, call: Callable[[], R]) -> None:
        self._call = call
        self._results: list[R] = []
        self._bug: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._call())
        except BaseException as bug:  # noqa: BLE001 - raised again where the result is asked for
            self._bug = bug

    def result(self) -> R:
        """Waits for the call's end; raises what it raised."""
        self._thread.join()
        if self._bug is not None:
            raise self._bug
        return self._results[0]
