"""L8: what was read from a file and given to a model is in it at the first step."""

from __future__ import annotations

from frostline.core import facts
from frostline.laws.law import Law

LAW = Law(
    "L8",
    "loading",
    "error",
    statement="What was read from a file and given to a model is in the model at the first step, by its bits.",
    matters="The run starts from random weights and calls them pretrained.",
    remedy="check the names that the load reports as missing, and print a weight before and after",
    needs=(
        facts.TensorSeen,
        facts.ModuleSeen,
        facts.LoadLeftOut,
        facts.LoadMatched,
    ),
    cannot_see="A load that was overwritten before the first check; files read by code of the script's own.",
)
