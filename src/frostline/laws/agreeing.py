"""L11: replicas agree, and a printed count agrees with the bits."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L11",
    "agreeing",
    "error",
    statement="Replicas agree, and a printed count agrees with the bits.",
    matters="One of two numbers is wrong, and people act on either.",
    remedy="trust the columns of this report",
    needs=(
        facts.SummaryPrinted,
        facts.DigestsTaken,
        facts.ReplicaSampled,
    ),
    cannot_see="Processes whose records are not put together.",
)
