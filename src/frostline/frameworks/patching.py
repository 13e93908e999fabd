"""Putting something of ours in place of what a module or class has, putting that back, and calls inside one another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_INHERITED = object()


def put(owner: Any, name: str, ours: Any) -> Callable[[], None]:
    """Put ``ours`` in place of what ``owner`` has under ``name``; returns what puts that back.

    What the owner only inherits is inherited again. Where something else of ours was put over it, and is still there,
    that stays, and both go when it is put back: watches may end in any order.

    Example:
        >>> class Model:
        ...     fit = 1
        >>> back = put(Model, "fit", 2)
        >>> Model.fit, back(), Model.fit
        (2, None, 1)
    """
    layer = _Layer(ours, vars(owner).get(name, _INHERITED))
    setattr(owner, name, ours)
    place = (id(owner), name)
    _LAYERS[*place, id(ours)] = layer

    def back() -> None:
        layer.is_over = True
        present: _Layer | None = _LAYERS.get((*place, id(vars(owner).get(name))), layer)
        while present is not None and present.is_over:
            _LAYERS.pop((*place, id(present.ours)), None)
            _restore(owner, name, present.original)
            present = _LAYERS.get((*place, id(present.original)))

    return back


@dataclass(slots=True)
class _Layer:
    """What of ours was put somewhere in place of what; it goes when all that was put over it has gone."""

    ours: Any
    original: Any
    is_over: bool = False


_LAYERS: dict[tuple[int, str, int], _Layer] = {}  # by where they are, and what of ours they put there


def _restore(owner: Any, name: str, original: Any) -> None:
    if original is not _INHERITED:
        setattr(owner, name, original)
    elif name in vars(owner):
        delattr(owner, name)


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
