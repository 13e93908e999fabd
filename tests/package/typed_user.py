"""What a user writes against the installed package: type checkers accept it."""

from __future__ import annotations

import frostline
from frostline.core.record import Finding, Record


def train(model: object, optimizer: object) -> list[Finding]:
    """Watch a training, and fail where something weighs as much as a warning."""
    with frostline.watch(model, optimizer, frozen=["backbone.**"], trained=["head.**"]) as watching:
        pass
    record: Record = watching.report.record
    watching.report.check(fail_on="warning")
    return record.findings


def look(model: object) -> str:
    """Look at a model between two trainings."""
    frostline.assert_frozen(model, during=lambda: None)
    return f"{frostline.__version__.upper()}\n{frostline.summary(model)}"
