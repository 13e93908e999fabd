"""A run of its own in Weights & Biases, beside that of the script, in the same project and group.

The script's run is left alone: whatever is logged into it would move its step. What ``wandb.init`` puts in the place of
``sys.exit`` and ``sys.excepthook`` is taken out again.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from frostline.core.record import Record
from frostline.integrations.trackers.told import COLUMNS, page, scalars, table


class WandbRun:
    """A run in Weights & Biases, which is made at the first check; ``WANDB_MODE=offline`` keeps it on this machine."""

    purpose = "telling Weights & Biases"

    def __init__(self) -> None:
        self._run: Any = None
        self._last: int | None = None

    def write(self, record: Record) -> None:
        """Log the scalars of a check at the number of executed steps, and at the end of the run what was found."""
        import wandb

        if self._run is None:
            self._run = _opened(record)
        if record.run.steps != self._last:  # the end of the run adds no scalars to a check at its last step
            self._last = record.run.steps
            self._run.log(scalars(record), step=record.run.steps)
        if record.run.complete:
            self._run.summary.update({"errors": record.verdict.errors, "warnings": record.verdict.warnings})
            self._run.log({"frostline/findings": wandb.Table(columns=list(COLUMNS), data=table(record))})
            report = wandb.Artifact(f"frostline-{self._run.id}", type="report")
            with report.new_file("frostline.html", encoding="utf-8") as file:
                file.write(page(record))
            self._run.log_artifact(report)

    def close(self) -> None:
        """No more checks."""
        if self._run is not None:
            self._run.finish()


def _opened(record: Record) -> Any:
    import wandb

    theirs = wandb.run
    hooks = sys.exit, sys.excepthook
    try:
        return wandb.init(
            project=theirs.project if theirs is not None else os.environ.get("WANDB_PROJECT", "frostline"),
            entity=theirs.entity if theirs is not None else None,
            group=(theirs.group or theirs.id) if theirs is not None else None,
            name=f"frostline {' '.join(record.run.command)}"[:128].strip(),
            job_type="frostline",
            reinit="create_new",
            settings=wandb.Settings(
                console="off", silent=True, save_code=False, disable_git=True, x_disable_stats=True, x_disable_meta=True
            ),
        )
    finally:
        sys.exit, sys.excepthook = hooks
