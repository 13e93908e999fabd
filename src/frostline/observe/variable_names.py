"""The names a user knows: which variable of the script, or of a function now running, holds an object."""

from __future__ import annotations

import dis
import functools
import itertools
import os
import sys
from collections.abc import Callable, Container, Iterator
from types import CodeType, FrameType
from typing import Any

_CO_OPTIMIZED = 0x1
_CONTAINER_ITEMS = 64
_RECEIVERS = ("self", "cls")
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def variable_names(
    wanted: set[int], unwrap: Callable[[Any], Any] = lambda value: value, skip: tuple[str, ...] = ()
) -> dict[int, str]:
    """Names for the objects whose ids are in ``wanted``: a variable, an attribute of one, or an item of a list.

    The script's own globals come first, then the frames now running from the outermost in; a name that starts with
    an underscore is taken only when there is no other, and the ``self`` of a method names nothing.

    Args:
        wanted: ids of the objects to name.
        unwrap: sees through wrappers, so that a variable that holds a wrapper names what is wrapped.
        skip: packages whose functions' variables are nobody's names, such as the ``self`` of a framework.
    """
    found: dict[int, str] = {}
    spare: dict[int, str] = {}

    def offer(name: str, value: Any) -> None:
        if name.startswith("@"):  # made by a tool that rewrites code, as pytest does with assertions
            return
        if name in _RECEIVERS:
            return
        for candidate in (id(value), id(unwrap(value))):
            if candidate in wanted and candidate not in found:
                (spare if name.startswith("_") else found).setdefault(candidate, name)

    places = list(namespaces(skip))
    for namespace in places:
        for name, value in namespace:
            offer(name, value)
    for namespace in places:
        if len(found) == len(wanted):
            break
        for name, value in namespace:
            for inner, item in _inside(value):
                offer(inner if inner.isidentifier() else f"{name}.{inner}", item)
    return spare | found


def unique(name: str, taken: Container[str]) -> str:
    """``name``, or where that is taken the name with the first number that makes it another.

    >>> unique("model", {"model", "model#2"})
    'model#3'
    """
    free, count = name, 1
    while free in taken:
        count += 1
        free = f"{name}#{count}"
    return free


def namespaces(skip: tuple[str, ...] = ()) -> Iterator[list[tuple[str, Any]]]:
    main = sys.modules.get("__main__")
    if main is not None:
        yield list(vars(main).items())
    frames: list[FrameType] = []
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if not frame.f_code.co_filename.startswith(_HERE) and package not in skip:
            frames.append(frame)
        frame = frame.f_back
    for frame in reversed(frames):
        yield _locals_of(frame)


def _locals_of(frame: FrameType) -> list[tuple[str, Any]]:
    """The local variables of a running function, without leaving behind references to them.

    Before Python 3.13 reading ``f_locals`` of a function fills a snapshot that lives as long as the frame and would
    keep the user's tensors alive; clearing that snapshot does not touch the variables themselves. But ``locals()``
    hands out that very dict, so a function that may have asked for it is left alone.
    """
    has_snapshot = frame.f_code.co_flags & _CO_OPTIMIZED and sys.version_info < (3, 13)
    if has_snapshot and _uses_snapshot(frame.f_code):
        return []
    snapshot = frame.f_locals
    items = list(snapshot.items())
    if has_snapshot and sys.gettrace() is None:
        snapshot.clear()
    return items


@functools.lru_cache(maxsize=256)
def _uses_snapshot(code: CodeType) -> bool:
    """Whether a function calls ``locals()``, ``vars()`` or ``exec``; ``vars(args)`` is of no concern."""
    if {"locals", "vars", "exec"}.isdisjoint(code.co_names):
        return False
    return any(
        step.opname == "LOAD_GLOBAL"
        and (step.argval in ("locals", "exec") or (step.argval == "vars" and following.opname in ("PRECALL", "CALL")))
        for step, following in itertools.pairwise(dis.get_instructions(code))
    )


def _inside(value: Any) -> Iterator[tuple[str, Any]]:
    kind = type(value)
    if kind in (list, tuple):
        for index, item in enumerate(value[:_CONTAINER_ITEMS]):
            yield str(index), item
    elif kind is dict:
        for index, (key, item) in enumerate(list(value.items())[:_CONTAINER_ITEMS]):
            yield (str(key) if isinstance(key, (str, int)) else str(index)), item  # others may print at length
    elif kind.__module__ != "builtins" and not issubclass(kind, type):
        try:
            attributes = object.__getattribute__(value, "__dict__")
        except AttributeError:
            return
        if type(attributes) is dict:
            yield from list(attributes.items())
