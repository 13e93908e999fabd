"""What tracebacks tell: frames of frostline, which plain python would not show, and whether a signal handler raised."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FrameType, TracebackType


def strip_own_frames(error: BaseException) -> None:
    """Take frostline's frames out of the traceback of ``error`` and of every exception chained to it.

    Args:
        error: the exception that ended the script; its tracebacks are relinked in place.
    """
    for chained in _chain(error):
        chained.__traceback__ = _relinked(chained.__traceback__)


def comes_from_handler(error: BaseException) -> bool:
    """Whether a signal handler raised ``error``: python calls one in the middle of any code, ours included.

    A handler is known by the frame that it is given, which is the one that it interrupts.
    """
    entry = error.__traceback__
    while entry is not None:
        frame = entry.tb_frame
        if frame.f_back is not None and any(value is frame.f_back for value in _arguments(frame)):
            return True
        entry = entry.tb_next
    return False


def _arguments(frame: FrameType) -> Iterator[object]:
    code, values = frame.f_code, frame.f_locals
    count = code.co_argcount + code.co_kwonlyargcount
    yield from (values.get(name) for name in code.co_varnames[:count])
    if code.co_flags & inspect.CO_VARARGS:
        yield from values.get(code.co_varnames[count], ())


def _chain(error: BaseException) -> Iterator[BaseException]:
    """``error``, its causes and contexts, and the members of groups, each once."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        pending += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions


def _relinked(entry: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while entry is not None:
        if not _is_ours(entry):
            kept.append(entry)
        entry = entry.tb_next
    following = None
    for one in reversed(kept):
        one.tb_next = following
        following = one
    return following


def _is_ours(entry: TracebackType) -> bool:
    """Judged by the module's name: a script of ours that runs as ``__main__`` is a script."""
    module = str(entry.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] == "frostline"
