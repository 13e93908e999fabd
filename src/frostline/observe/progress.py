"""A line on the terminal while bits are read, where that takes long: the first check at a large model, its checks."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

PATIENCE = 1.0  # seconds of reading that need no word
_PAUSE = 0.2
_ERASE = "\r\x1b[K"


class Notice:
    """Tells how much has been read once a stretch of reading exceeds a second, and wipes it out at its end.

    Args:
        paper: a terminal that takes escape codes, or None for silence.
        clock: seconds.
    """

    def __init__(self, paper: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._paper = paper
        self._clock = clock
        self._depth = 0
        self._bytes = 0
        self._next = 0.0
        self._drawn = False
        self._began = 0.0
        self.seconds = 0.0  # that all stretches took

    @contextmanager
    def stretch(self) -> Iterator[None]:
        """Tensors are read in here, one after another; stretches inside another are part of it."""
        if self._depth == 0:
            self._bytes, self._began = 0, self._clock()
            self._next = self._began + PATIENCE
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self.seconds += self._clock() - self._began
                if self._drawn:
                    self._drawn = False
                    self._write(_ERASE)

    def read(self, count: int) -> None:
        """So many bytes more were read."""
        self._bytes += count
        if self._paper is None or not self._depth or (now := self._clock()) < self._next:
            return
        self._next, self._drawn = now + _PAUSE, True
        self._write(f"{_ERASE}frostline: {self._bytes / 1e9:.1f} GB of weights read")

    def _write(self, text: str) -> None:
        assert self._paper is not None
        self._paper.write(text)
        self._paper.flush()


def terminal() -> TextIO | None:
    """The terminal behind the process's own stderr, whatever the script put in its place; None without one."""
    paper = sys.__stderr__
    is_terminal = paper is not None and not paper.closed and paper.isatty()
    return paper if is_terminal and os.environ.get("TERM", "dumb") != "dumb" else None
