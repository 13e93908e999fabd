"""The exit status of an observed script: its own, unless findings were asked to fail the run."""

from __future__ import annotations

from frostline.core.verdict import exit_status
from frostline.errors import FrostlineError
from frostline.run.process_observer import Outcome
from frostline.settings import Settings

CANNOT = 2
_NAMED = 8


def status_of(outcome: Outcome, settings: Settings) -> tuple[int, FrostlineError | None]:
    """The status to leave with, and why there is no judgement although one was asked for.

    A launcher ends all processes of a job when one of them fails. So none but the first judges, when all have ended.
    """
    asked = settings.fail_on
    if outcome.status or asked is None or asked == "never" or outcome.rank:
        return outcome.status, None
    if outcome.problem is not None or outcome.record is None:
        return CANNOT, outcome.problem
    status = exit_status(outcome.record.verdict, asked)
    if status != CANNOT:
        return status, None
    return status, FrostlineError(
        f"--fail-on judges all processes of the run, but {'; '.join(outcome.record.run.missing[:_NAMED])}",
        "let all processes write to one folder; see what these printed",
    )
