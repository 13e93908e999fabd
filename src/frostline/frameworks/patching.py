"""Putting something of ours in place of what a module or class has, and putting that back."""

from __future__ import annotations

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
