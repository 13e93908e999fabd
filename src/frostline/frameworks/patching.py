"""Putting something of ours in place of what a module or class has, and putting that back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def put(owner: Any, name: str, ours: Any) -> Callable[[], None]:
    """Put ``ours`` in place of what ``owner`` itself has under ``name``; returns what puts that back.

    Example:
        >>> class Model:
        ...     fit = 1
        >>> back = put(Model, "fit", 2)
        >>> Model.fit, back(), Model.fit
        (2, None, 1)
    """
    original = vars(owner)[name]
    setattr(owner, name, ours)
    return lambda: setattr(owner, name, original)
