"""Whose training is looked at, and which of its steps are under way: steps inside steps, steps that broke off."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import FrameType
from weakref import WeakSet

import torch

# A thread that runs in one of these only waits for others.
_WAITING = ("threading", "queue", "selectors", "concurrent.futures._base", "concurrent.futures.thread")


class TrainingThread:
    """The one Python thread whose training is looked at; reading what another thread trains might crash both.

    Another one takes over when that thread has ended or waits. Threads that Python did not start (torch runs backward
    passes for accelerators in such) work for whoever waits for them.
    """

    def __init__(self) -> None:
        self._thread = 0

    def is_here(self) -> bool:
        """Whether the present thread is the one looked at, or becomes it."""
        present = threading.get_ident()
        if present == self._thread:
            return True
        if present not in _python_threads():
            return True
        if self._thread and not _waits(self._thread):
            return False
        self._thread = present
        return True


def _python_threads() -> set[int | None]:
    return {thread.ident for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)}


def _waits(thread: int) -> bool:
    """Whether a thread has ended, or waits for another."""
    frame = sys._current_frames().get(thread)
    return frame is None or frame.f_globals.get("__name__") in _WAITING


class StepsUnderWay:
    """The steps of the thread that is looked at: what begins inside a step is part of it.

    Args:
        forgot: called when the step looked at turns out to have ended in an exception.
    """

    def __init__(self, forgot: Callable[[], None]) -> None:
        self._forgot = forgot
        self._running: list[tuple[torch.optim.Optimizer, FrameType]] = []
        self._inner: WeakSet[torch.optim.Optimizer] = WeakSet()

    def __bool__(self) -> bool:
        return bool(self._running)

    def begin(self, optimizer: torch.optim.Optimizer, frame: FrameType) -> bool:
        """A step begins in ``frame``; True where it is inside no other."""
        self._drop_broken_off(frame)
        if self._running and self._running[0][0] is not optimizer:
            self._inner.add(optimizer)
        self._running.append((optimizer, frame))
        return len(self._running) == 1

    def is_inner(self, optimizer: torch.optim.Optimizer) -> bool:
        """Whether the optimizer was seen to step inside of another's step, as the one that a wrapper shards does."""
        return optimizer in self._inner

    def end(self, optimizer: torch.optim.Optimizer) -> bool:
        """A step has ended; True where it was announced and inside no other."""
        if not self._running:
            return False
        outermost = self._running[0][0]
        while self._running and self._running.pop()[0] is not optimizer:
            pass
        return not self._running and outermost is optimizer

    def _drop_broken_off(self, frame: FrameType) -> None:
        """Forget steps that ended in an exception: their frames are no longer on the stack."""
        if not self._running:
            return
        stack = set()
        walk: FrameType | None = frame
        while walk is not None:
            stack.add(id(walk))
            walk = walk.f_back
        while self._running and id(self._running[-1][1]) not in stack:
            self._running.pop()
            if not self._running:
                self._forgot()
