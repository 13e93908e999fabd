"""Work on memory shared among threads that live only as long as it takes.

The threads are those of the system, unknown to ``threading``: what a script sees, names, traces or profiles of its own
threads stays as it was. None is left when a script forks its data loaders or ends, so there is nothing to inherit and
nothing to shut down.
"""

from __future__ import annotations

import _thread
import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 8  # more do not read memory any faster
_PATIENCE = 1.0  # seconds after which a thread that is waited for might have been left behind by a fork


def any_of(work: Callable[[T], bool], pieces: Sequence[T]) -> bool:
    """Whether ``work`` is true of any piece; once it is, no more pieces are begun.

    Args:
        work: called by several threads at once, each with another piece; it lets go of the interpreter's lock.
        pieces: of such a size that two are worth a thread.

    Raises:
        Exception: the first that ``work`` raised.

    >>> any_of(lambda piece: piece > 2, [1, 2, 3]), any_of(lambda piece: piece > 3, [1, 2, 3])
    (True, False)
    """
    count = min(MOST, len(pieces) // 2)
    count = min(count, processors()) if count > 1 else 1
    return _Shared(work, pieces).done_by(count) if count > 1 else any(map(work, pieces))


def processors() -> int:
    """How many processors this process may use now."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Shared(Generic[T]):
    """Pieces of work that several threads take from one list."""

    def __init__(self, work: Callable[[T], bool], pieces: Sequence[T]) -> None:
        self._work, self._pieces = work, pieces
        self._left = list(reversed(pieces))
        self._found = False
        self._errors: list[BaseException] = []

    def done_by(self, count: int) -> bool:
        """Whether the work is true of any piece; the present thread is one of ``count``."""
        process = os.getpid()
        helpers = self._helpers(count - 1)
        try:
            self._run()
        finally:
            self._left.clear()
            ended = [_ended(busy, process) for busy in helpers]
        if not all(ended):
            return any(map(self._work, self._pieces))
        if self._errors:
            raise self._errors[0]
        return self._found

    def _helpers(self, count: int) -> list[_thread.LockType]:
        """Threads that take their part, each as a lock that is held until it has ended."""
        helpers: list[_thread.LockType] = []
        with contextlib.suppress(RuntimeError):  # no thread is to be had, at the interpreter's end for one
            for _ in range(count):
                busy = _thread.allocate_lock()
                busy.acquire()
                _thread.start_new_thread(self._help, (busy,))
                helpers.append(busy)
        return helpers

    def _help(self, busy: _thread.LockType) -> None:
        try:
            self._run()
        except BaseException as error:
            self._errors.append(error)
        finally:
            busy.release()

    def _run(self) -> None:
        while True:
            try:
                piece = self._left.pop()
            except IndexError:
                return
            if self._work(piece):
                self._found = True
                self._left.clear()


def _ended(busy: _thread.LockType, process: int) -> bool:
    """Wait until a helper has ended; False where a signal handler forked and this is the child, without helpers."""
    while not busy.acquire(timeout=_PATIENCE):
        if os.getpid() != process:
            return False
    return True
