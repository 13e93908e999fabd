"""L12: what was written names something."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L12",
    "naming",
    "error",
    statement="A pattern, a label, a flag or an attribute that was written names something.",
    matters="A typing error reads like a passed check.",
    remedy="compare the name with those in the table",
    needs=(
        facts.FlagMisspelt,
        facts.Expected,
    ),
    cannot_see="Attributes of objects that no framework reads.",
)
