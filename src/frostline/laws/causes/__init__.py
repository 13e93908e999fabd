"""All causes, and the one pass that explains what was seen by them."""

from __future__ import annotations

from frostline.core.record import Finding
from frostline.core.verdict import by_severity
from frostline.laws.causes import (
    copies,
    donated,
    expectations,
    flags,
    frozen,
    labels,
    loads,
    optimizers,
    ranks,
    saved,
    summaries,
    trainable,
)
from frostline.laws.causes.cause import Cause, findings
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES", "explain"]

LETTERS = "FTDWMSPR"  # of the families, in the order of their pages
OF_ALL_FAMILIES: tuple[Cause, ...] = (
    *frozen.CAUSES,
    *trainable.CAUSES,
    *flags.CAUSES,
    *optimizers.CAUSES,
    *labels.CAUSES,
    *donated.CAUSES,
    *copies.CAUSES,
    *expectations.CAUSES,
    *saved.CAUSES,
    *loads.CAUSES,
    *summaries.CAUSES,
    *ranks.CAUSES,
)
CAUSES: tuple[Cause, ...] = tuple(
    sorted(OF_ALL_FAMILIES, key=lambda cause: (LETTERS.index(cause.code[0]), cause.code, cause.severity))
)
OF_THE_WHOLE_RUN = (*labels.CAUSES, *donated.CAUSES, *copies.CAUSES, *saved.CAUSES, *loads.CAUSES, *summaries.CAUSES)


def explain(run: ObservedRun) -> list[Finding]:
    """Every cause that is seen in a run, causes before symptoms, the grave ones first."""
    of_tensors = [*frozen.find(run), *trainable.find(run), *findings(optimizers.CAUSES + flags.CAUSES, run)]
    return by_severity(
        [
            *_without_symptoms(of_tensors),
            *expectations.find(run, of_tensors),
            *findings(OF_THE_WHOLE_RUN, run),
        ]
    )


def _without_symptoms(found: list[Finding]) -> list[Finding]:
    """Leave out findings that only repeat another cause for tensors that it names."""
    kept = found
    for cause in (cause for cause in CAUSES if cause.symptoms):
        explained = {name for each in found if each.rule == cause.slug for name in each.tensors}
        kept = [
            each
            for each in kept
            if not each.tensors
            or not explained.issuperset(each.tensors)
            or not {each.rule, each.code[0]} & set(cause.symptoms)
        ]
    return kept
