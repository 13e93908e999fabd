"""How far a run is between two checks: a file of two numbers, written at most once a second and removed at its end.

It lies in the folder for temporary files, by the number of the process; else nothing is written between checks.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from frostline.core.run import Run, is_alive

_PAUSE = 1.0  # seconds


class Pulse:
    """Writes how many steps were executed and how many a second, from inside the run.

    Args:
        steps: counts the executed steps.
        clock: seconds.
    """

    def __init__(self, steps: Callable[[], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._clock, self._pid = steps, clock, os.getpid()
        self._next, self._last, self._exists = 0.0, (0.0, 0), False

    def beat(self) -> None:
        """A step was executed."""
        if (now := self._clock()) < self._next:
            return
        self._next = now + _PAUSE
        if os.getpid() != self._pid:  # forked: the file is the parent's
            self._next = float("inf")
            return
        before, steps = self._last, self._steps()
        self._last = now, steps
        rate = (steps - before[1]) / (now - before[0]) if before[1] else 0.0
        try:
            _write(self._pid, f"{steps:<20}{rate:<20.6g}\n", anew=not self._exists)
            self._exists = True
        except OSError:  # a full disk, say: then nobody is told
            self._next = float("inf")

    def close(self) -> None:
        """The run is over."""
        self._next = float("inf")
        if self._exists and os.getpid() == self._pid:
            with contextlib.suppress(OSError):
                _place(self._pid).unlink()


def read(run: Run) -> tuple[int, float] | None:
    """The executed steps of a run under way on this machine, and how many a second (0 where that is not known yet)."""
    if run.complete or run.pid is None or not is_alive(run):
        return None
    try:
        steps, rate = _place(run.pid).read_text("ascii").split()
        return int(steps), float(rate)
    except (OSError, ValueError):
        return None


def _write(pid: int, text: str, anew: bool) -> None:
    """Write the whole file, whose length never changes; ``anew`` in the place of what a killed process may have left.

    It is opened each time: a script may close what it did not open, and be given the number for a file of its own.
    """
    if anew:
        with contextlib.suppress(FileNotFoundError):
            _place(pid).unlink()
    file = os.open(_place(pid), os.O_WRONLY | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if anew else 0), 0o600)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def _place(pid: int) -> Path:
    return Path(tempfile.gettempdir()) / f"frostline-{pid}.step"
