"""L7: what the steps made is there when the next steps begin."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L7",
    "keeping",
    "warning",
    statement="What the steps made is there when the next steps begin, and what replaced it is said.",
    matters="The next steps start from other weights or other moments than the last ones left.",
    remedy="hand the new weights and the new state of each step to the next",
    needs=(
        facts.Moved,
        facts.MoveExplained,
        facts.SwapBegan,
        facts.SwapUndone,
    ),
    cannot_see="Weights that are replaced after one check and again before the next.",
)
