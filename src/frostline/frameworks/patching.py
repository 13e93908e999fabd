"""Putting something of ours in place of what a module or class has, putting that back, and calls inside one another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

_INHERITED = object()


def put(owner: Any, name: str, ours: Any) -> Callable[[], None]:
    """Put ``ours`` in place of what ``owner`` has under ``name``; returns what puts that back.

    What the owner only inherits is inherited again.

    Example:
        >>> class Model:
        ...     fit = 1
        >>> back = put(Model, "fit", 2)
        >>> Model.fit, back(), Model.fit
        (2, None, 1)
    """
    original = vars(owner).get(name, _INHERITED)
    setattr(owner, name, ours)
    return lambda: delattr(owner, name) if original is _INHERITED else setattr(owner, name, original)


class Nesting(threading.local):
    """How deep calls of one kind stand inside one another, in each thread by itself; the outermost is at 0.

    Example:
        >>> calls = Nesting()
        >>> with calls, calls:
        ...     calls.depth
        2
        >>> calls.depth
        0
    """

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
