"""A tensor that moved and then stood still, while its optimizer went on stepping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(slots=True)
class Standstill:
    """Since which step nothing of a trainable tensor moved, as full readings show.

    ``moved`` is the last step at which it was seen to have moved, ``since`` the step after which it had the bits that
    it still had after step ``until``. Steps are those of all optimizers. ``gradient`` is what the last check since then
    found. ``finite`` is False where it holds values that are NaN or infinite.
    """

    moved: int
    since: int
    until: int
    gradient: Literal["none", "zero", "nonzero", "unknown"] = "unknown"
    finite: bool = True
