"""After an error inside frostline: what it may have missed is unknown and says so; it must not read as fine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from frostline.core.facts import Doubted

if TYPE_CHECKING:
    from frostline.observe.observer import Observer
    from frostline.observe.tensor_state import TensorState


def doubt(observer: Observer, reason: str, unclosed: bool) -> None:
    """Take back what stands on having seen nothing.

    Args:
        observer: one in whose run there was an error.
        reason: what to tell of the columns taken back.
        unclosed: the last check failed, so that nothing is known of the time since the one before.
    """
    blind = any(optimizer.steps_executed and not optimizer.checks for optimizer in observer.optimizers.values())
    for watched in observer.tensors.values():
        row = watched.row
        doubts: dict[str, str | None] = {}
        if row.changed.verdict == "yes":
            doubts["changed"] = None
        elif row.changed.verdict == "no" and (unclosed or _differs(watched)):
            doubts["changed"] = reason
        if row.optimizers or not blind:
            doubts["optimizer"] = None
        elif row.kind == "parameter":
            doubts["optimizer"] = reason
        for column, now in doubts.items():
            if row.unknown.get(column) != now:
                observer.tell(Doubted(tensors=(row.id,), column=column, reason=now))


def _differs(watched: TensorState) -> bool:
    """Whether the last check saw other bits than the first: something moved them in between."""
    return watched.digest != watched.first
