"""SIGTERM, by which launchers and pools end processes: what was trained is stored before this one dies of it.

Python calls a handler between two of its own instructions, so a handler can keep a process alive that would have ended
at once without one: a signal that comes just before a blocking call is noticed only when that call returns, and a
worker that waits for its next task waits for ever. Therefore the handler is set only where there is something to store,
processes that are forked go without, and a thread sees to it that the process ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

_LOOKS = 30  # at a main thread that does not move, one each tenth of a second
_WAITING = ("threading", "queue", "selectors", "multiprocessing", "concurrent")


def at_sigterm(tell: Callable[[bool], bool], when_stuck: Callable[[], object]) -> None:
    """Call ``tell`` before SIGTERM ends this process, unless the script or its libraries handle that signal.

    Args:
        tell: is given whether the process only waited for others, so that what it trained is whole; answers whether
            the process is to end at once.
        when_stuck: called in its place where the main thread stays in foreign code, as in a collective of which
            another rank has died.
    """
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        _Termination(tell, when_stuck).expect()


class _Termination:
    def __init__(self, tell: Callable[[bool], bool], when_stuck: Callable[[], object]) -> None:
        self._tell, self._when_stuck = tell, when_stuck
        self._main = threading.get_ident()
        self._guard, self._has_begun = threading.Lock(), False
        self._seen, self._told = os.pipe()
        self._mask: set[signal.Signals | int] = set()

    def expect(self) -> None:
        """Set the handler, and start the thread that helps it."""
        signal.signal(signal.SIGTERM, self._terminated)
        os.register_at_fork(before=self._before_fork, after_in_parent=self._in_parent, after_in_child=self._in_child)
        os.set_blocking(self._told, False)
        before = signal.set_wakeup_fd(self._told, warn_on_full_buffer=False)
        if before != -1:  # an event loop's, which wakes up by itself
            signal.set_wakeup_fd(before)
            return
        threading.Thread(target=self._watch, name="frostline-sigterm", daemon=True).start()

    def _is_expected(self) -> bool:
        return signal.getsignal(signal.SIGTERM) == self._terminated

    def _terminated(self, number: int, frame: FrameType | None) -> None:
        if not self._is_expected():
            return  # another handler was set, and calls us as the one before it
        with self._guard:
            if self._has_begun:
                return
            self._has_begun = True
        signal.signal(number, signal.SIG_DFL)
        if self._tell(_waits(frame)):
            os.kill(os.getpid(), number)

    def _watch(self) -> None:
        while os.read(self._seen, 1) != bytes([signal.SIGTERM]):
            pass
        place = _place(self._main)
        for _ in range(_LOOKS):
            time.sleep(0.1)
            if _place(self._main) != place or not self._interrupt():
                return
        self._when_stuck()
        os.kill(os.getpid(), signal.SIGKILL)

    def _interrupt(self) -> bool:
        """Send the signal again, so that a blocking call returns; false where it is being handled."""
        with self._guard:
            if self._has_begun or not self._is_expected():
                return False
            signal.pthread_kill(self._main, signal.SIGTERM)
        return True

    # A process that is forked is to end by SIGTERM at once, be it sent as early as the first of its instructions

    def _before_fork(self) -> None:
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _in_parent(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)

    def _in_child(self) -> None:
        if self._is_expected():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if (present := signal.set_wakeup_fd(-1)) != self._told:
            signal.set_wakeup_fd(present)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)


def _place(thread: int) -> tuple[int, int] | None:
    frame = sys._current_frames().get(thread)
    return None if frame is None else (id(frame), frame.f_lasti)


def _waits(frame: FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] in _WAITING
