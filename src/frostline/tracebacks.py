"""Tracebacks as plain python would show them: the frames of frostline and of its import hooks are taken out."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType


def strip_own_frames(error: BaseException) -> None:
    """Take frostline's frames out of the traceback of ``error`` and of every exception chained to it.

    Args:
        error: the exception that ended the script; its tracebacks are relinked in place.
    """
    for chained in _chain(error):
        chained.__traceback__ = _relinked(chained.__traceback__)


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
        elif _is_import_hook(entry):
            # Python trims the import system's frames from tracebacks, but not across a foreign loader.
            while kept and kept[-1].tb_frame.f_code.co_filename.startswith("<frozen importlib"):
                kept.pop()
        entry = entry.tb_next
    following = None
    for one in reversed(kept):
        one.tb_next = following
        following = one
    return following


def _is_ours(entry: TracebackType) -> bool:
    """Judged by the module's name: a script of ours that runs as ``__main__`` is a script."""
    module = str(entry.tb_frame.f_globals.get("__name__", ""))
    return module.partition(".")[0] == "frostline" or _is_import_hook(entry)


def _is_import_hook(entry: TracebackType) -> bool:
    return entry.tb_frame.f_globals.get("__name__") == "wrapt.importer"
