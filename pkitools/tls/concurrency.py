"""Threads for waiting: many targets at once with their results in input order, and side tasks of one target.

Threads, since the work is OpenSSL's (which releases the interpreter's lock) and waiting; the threads are daemons, so
that an interrupted run ends at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from pkitools.transport.deadline import Deadline

A = TypeVar("A")
R = TypeVar("R")

AHEAD = 512
"""Results that may wait for an earlier, slower one before the workers pause."""


class Side(Generic[R]):
    """A call that runs beside its caller."""

    def __init__(self, call: Callable[[], R]) -> None:
        self._call = call
        self._done = threading.Event()
        self._result: R | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            self._result = self._call()
        except BaseException as error:  # noqa: BLE001 - raised again where the result is asked for
            self._error = error
        self._done.set()

    def wait(self, deadline: Deadline, otherwise: Callable[[], R], grace: float = 0.5) -> R:
        """The result, or ``otherwise()`` when it has not come ``grace`` seconds after the deadline's end.

        A call that keeps its deadline always returns in time; the grace is for a machine that is very busy.
        """
        if not self._done.wait(deadline.remaining() + grace):
            return otherwise()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value] # set when no error is


def in_input_order(items: Iterable[A], work: Callable[[A], R], concurrency: int) -> Iterator[R]:
    """``work(item)`` of every item, at most ``concurrency`` at once; results come in the order of the items.

    An exception of ``work`` is raised when its turn comes: expected failures must be results.
    """
    source = enumerate(items)
    pool = _Pool(source, work)
    for _ in range(concurrency):
        threading.Thread(target=pool.run, daemon=True).start()
    try:
        yield from pool.results(concurrency)
    finally:
        pool.stop()


class _Pool(Generic[A, R]):
    """What the workers share. One condition guards everything: the work itself happens outside it."""

    def __init__(self, source: Iterator[tuple[int, A]], work: Callable[[A], R]) -> None:
        self._source = source
        self._work = work
        self._changed = threading.Condition()
        self._finished: dict[int, tuple[R | None, BaseException | None]] = {}
        self._next = 0
        self._idle = 0
        self._stopped = False

    def run(self) -> None:
        while (taken := self._take()) is not None:
            index, item = taken
            outcome: tuple[R | None, BaseException | None]
            try:
                outcome = (self._work(item), None)
            except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
                outcome = (None, error)
            with self._changed:
                self._finished[index] = outcome
                if index == self._next:
                    self._changed.notify_all()
        with self._changed:
            self._idle += 1
            self._changed.notify_all()

    def _take(self) -> tuple[int, A] | None:
        with self._changed:
            while len(self._finished) >= AHEAD and not self._stopped:
                self._changed.wait()
            return None if self._stopped else next(self._source, None)

    def results(self, workers: int) -> Iterator[R]:
        while True:
            with self._changed:
                while self._next not in self._finished and self._idle < workers:
                    self._changed.wait()
                if self._next not in self._finished:
                    return
                result, error = self._finished.pop(self._next)
                self._next += 1
                self._changed.notify_all()
            if error is not None:
                raise error
            yield result  # type: ignore[misc] # set when no error is

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
