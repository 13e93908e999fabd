"""What a rival said, and what that is worth against what is true of a program."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from corpus.cases import Trial

from frostline.core.names.patterns import matches

Word = Literal["found", "elsewhere", "missed", "quiet", "alarm", "cannot look"]

FROZEN_RULES = ("frozen-", "expected-frozen", "flags-reset", "trained-by-another", "stale-compiled", "stray-flag")
ABSENT_RULES = ("unregistered-tensor", "never-tracked")


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that a rival said.

    Args:
        text: what it said, cut short.
        tensors: the tensors it named, with the name of their model in front.
        loud: it calls this a failure; what it only warns of counts for it in a program with a bug, and is not
            held against it in a healthy one.
        shown: a table's flag for these tensors, which no tool judges: a reader does.
    """

    text: str
    tensors: tuple[str, ...] = ()
    loud: bool = True
    shown: Literal["", "trainable", "frozen"] = ""

    def as_data(self) -> dict[str, object]:
        """For JSON, with the names cut to the first few."""
        return {**asdict(self), "tensors": list(self.tensors)}


def named_in(text: str, names: Iterable[str], model: str) -> tuple[str, ...]:
    """Those of the model's parameter names that occur in a message, the model's own name put before them."""
    found = [name for name in names if re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.]|\.\w)", text)]
    return tuple(f"{model}.{name}" for name in found)


def reading(trial: Trial, complaints: Iterable[Complaint]) -> Word:
    """The most favourable reading: one complaint about one right tensor is enough, whatever cause it gives.

    Args:
        trial: the program, and what is wrong with it.
        complaints: all that the rival said about it.
    """
    complaints = list(complaints)
    said = [complaint for complaint in complaints if not complaint.shown]
    if trial.role != "bug":
        return "alarm" if any(complaint.loud for complaint in said) else "quiet"
    contradicted = "trainable" if _meant(trial) == "frozen" else "frozen"
    said += [complaint for complaint in complaints if complaint.shown == contradicted and _right(trial, complaint)]
    if any(_right(trial, complaint) for complaint in said):
        return "found"
    return "elsewhere" if said else "missed"


def _right(trial: Trial, complaint: Complaint) -> bool:
    """It names one of the right tensors; where either side names none, the benefit of the doubt is the rival's."""
    patterns, rows = trial.case.tensors, complaint.tensors
    if not (patterns and rows):
        return not complaint.shown
    return any(_same(pattern, row) for pattern in patterns for row in rows)


def _meant(trial: Trial) -> Literal["frozen", "trained"]:
    """What the bug's tensors were meant to be, for tools that only show the flags and leave the judging to a reader."""
    rules = trial.case.rules
    return "frozen" if any(rule.startswith(FROZEN_RULES) for rule in rules) else "trained"


def absent(trial: Trial) -> bool:
    """The bug is that a part of the model is not in its own lists, which a reader of a table of layers can see."""
    return trial.role == "bug" and any(rule in ABSENT_RULES for rule in trial.case.rules)


def patterns(trial: Trial, option: str) -> list[str]:
    """What was meant, as ``frostline run`` is told it: the values of ``--frozen`` or ``--trained``."""
    options = trial.case.options
    return [value for flag, value in itertools.pairwise(options) if flag == option]


def _same(pattern: str, row: str) -> bool:
    """Whether a pattern of the case means this tensor; either may have been named from a module further in."""
    return matches(pattern, row) or matches(f"**{pattern}", row) or pattern.endswith("." + row.partition(".")[2])
