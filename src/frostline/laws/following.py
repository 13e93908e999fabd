"""L6: what follows another tensor goes on following it."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core import facts
from frostline.core.amounts import tensors
from frostline.laws.causes.cause import Evidence
from frostline.laws.causes.saved.copies import half_following
from frostline.laws.law import Law, Violation
from frostline.laws.observed_run import ObservedRun

NARROW = ("bfloat16", "float16", "float8_e4m3fn", "float8_e5m2")
WIDER = "keep the average in float32: what (1 - decay) adds in one step is less than half of the last place here"
ONE_BY_ONE = "look at what updates the copy: a part of its tensors is left out"


def violations(run: ObservedRun) -> Iterator[Violation]:
    """Copies in files of which some tensors went their own way and the others have the first bits of their sources."""
    for model, rows in run.models.items():
        for copy, still, moved in half_following(rows):
            narrow = copy.dtype in NARROW
            fact = (
                f"{copy.file} holds {copy.origin}, a copy of {model} that was updated in {tensors(moved)} and not in "
                f"{tensors(still)}, which have the bits from before training"
            )
            why = f": {copy.dtype} rounds small changes away" if narrow else ""
            evidence: Evidence = {
                "file": copy.file,
                "written_at_step": copy.step,
                "copy": copy.origin,
                "type": copy.dtype,
            }
            yield Violation(tuple(still), fact + why, evidence, hint=WIDER if narrow else ONE_BY_ONE, apart=True)


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
        facts.SavedSettled,
    ),
    cannot_see="Averages that no model in the table contains and no file holds; those held still as a whole.",
    violations=violations,
)
