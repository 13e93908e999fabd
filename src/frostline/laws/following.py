"""L6: what follows another tensor goes on following it."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L6",
    "following",
    "error",
    statement="A tensor that follows another (an average, a target, a copy) goes on following it, and is the same "
    "storage only on purpose.",
    matters="A target that stopped or an average that rounding holds still is used as if it were up to date.",
    remedy="update the copy after each step, in a type that is wide enough for its rate",
    needs=(
        facts.Followed,
        facts.Moved,
        facts.MoveExplained,
    ),
    cannot_see="Averages that no model in the table contains, and those that a narrow type rounds away.",
)
