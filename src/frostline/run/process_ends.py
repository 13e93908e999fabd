"""The end of a process that frostline did not start itself: the interpreter's end, ``os._exit``, a signal.

Frameworks tear themselves down in ``atexit`` callbacks; the interpreter waits for threads just before those, and that
is when weights can be read for the last time.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from frostline.run.script import INTERRUPTED

Close = Callable[[int | None, str | None], None]
_STUCK = 3  # seconds without one instruction of Python's
_WAITING = ("threading", "queue", "selectors", "multiprocessing", "concurrent")


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


def at_sigterm(tell: Callable[[bool], bool]) -> None:
    """Call ``tell`` before SIGTERM ends this process, unless the script or its libraries handle that signal.

    ``tell`` is given whether the process only waited for others, so that what it trained is whole; it answers whether
    the process is to end at once.
    """

    def terminated(number: int, frame: FrameType | None) -> Any:
        if signal.getsignal(number) is not terminated:
            return  # another handler was set, and calls us as the one before it
        signal.signal(number, signal.SIG_DFL)
        if tell(_waits(frame)):
            os.kill(os.getpid(), number)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminated)


def though_stuck(die: Callable[[], object]) -> None:
    """Call ``die``, and kill this process, where SIGTERM came and its main thread stays in foreign code.

    Python calls handlers between two of its own instructions. A rank that waits in a collective for one that has died
    gets to none, and without a handler of ours it would have ended at once.
    """
    seen, tells = os.pipe()
    os.set_blocking(tells, False)
    before = signal.set_wakeup_fd(tells, warn_on_full_buffer=False)
    if before != -1:  # an event loop's
        signal.set_wakeup_fd(before)
        return
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
    main = threading.get_ident()

    def watch() -> None:
        while os.read(seen, 1) != bytes([signal.SIGTERM]):
            pass
        frames = [_place(main)]
        for _ in range(_STUCK):
            time.sleep(1.0)
            frames.append(_place(main))
        if len(set(frames)) == 1:
            die()
            os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, name="frostline-sigterm", daemon=True).start()


def _place(thread: int) -> tuple[int, int] | None:
    frame = sys._current_frames().get(thread)
    return None if frame is None else (id(frame), frame.f_lasti)


def _waits(frame: FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _WAITING
