"""What one framework's probe leaves to another: a torch optimizer over the variables of a Keras model is Keras's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_claims: list[Callable[[Any], bool]] = []


def claim(is_mine: Callable[[Any], bool]) -> Callable[[], None]:
    """Ask other probes to leave alone the objects of which ``is_mine`` says so; returns what ends the claim."""
    _claims.append(is_mine)
    return lambda: _claims.remove(is_mine)


def claimed(value: Any) -> bool:
    """Whether another probe looks after ``value``.

    Example:
        >>> done = claim(lambda value: value == 7)
        >>> claimed(7), claimed(8)
        (True, False)
        >>> done()
        >>> claimed(7)
        False
    """
    return bool(_claims) and any(is_mine(value) for is_mine in _claims)
