"""After an error inside frostline: what it may have missed is unknown and says so; it must not read as fine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from frostline.observe.observer import Observer
    from frostline.observe.watched import Watched


def doubt(observer: Observer, reason: str, unclosed: bool) -> None:
    """Take back what stands on having seen nothing.

    Args:
        observer: one in whose run there was an error.
        reason: what to tell of the columns taken back.
        unclosed: the last check failed, so that nothing is known of the time since the one before.
    """
    blind = any(program.steps_executed and not program.checks for program in observer.programs.values())
    for watched in observer.leaves.values():
        row = watched.row
        if row.changed.verdict == "yes":
            row.unknown.pop("changed", None)
        elif row.changed.verdict == "no" and (unclosed or _differs(watched)):
            row.changed.verdict, row.changed.reason, row.unknown["changed"] = "unknown", reason, reason
        if row.wired or not blind:
            row.unknown.pop("wired", None)
        elif row.kind == "parameter":
            row.unknown["wired"] = reason


def _differs(watched: Watched) -> bool:
    """Whether the last look saw other bits than the first: something moved them in between."""
    return watched.digest != watched.first
