"""The end of a process that frostline did not start itself: the interpreter's end, ``os._exit``.

Frameworks tear themselves down in ``atexit`` callbacks; the interpreter waits for threads just before those, and that
is when weights can be read for the last time.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from frostline.run.script import INTERRUPTED

Close = Callable[[int | None, str | None], None]


def at_exit(close: Close) -> None:
    """Call ``close`` with the exit status (None where it cannot be known) and what ended the process, at its end."""
    leave, wait_for_threads = os._exit, threading._shutdown  # type: ignore[attr-defined]

    def closes_and_leaves(status: int) -> NoReturn:
        close(status, None)
        leave(status)

    def waits_and_closes() -> None:
        wait_for_threads()
        if _is_called_by_interpreter():
            close(*_uncaught())

    os._exit = closes_and_leaves
    threading._shutdown = waits_and_closes  # type: ignore[attr-defined]


def _is_called_by_interpreter() -> bool:
    """Whether whoever asked to wait for threads was no Python code: multiprocessing does so as well, and goes on."""
    try:
        sys._getframe(2)
    except ValueError:
        return True
    return False


def _uncaught() -> tuple[int | None, str | None]:
    """The exit status as far as an uncaught exception tells it, and that exception's name."""
    error = getattr(sys, "last_value", None)
    if error is None:
        return None, None
    if type(error) is KeyboardInterrupt:
        return INTERRUPTED, "SIGINT"
    return 1, type(error).__qualname__
