"""Gradients of several steps that are gathered before they are applied, which may never happen."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from frostline.core.facts import OptimizerSeen, TensorSeen
from frostline.core.ledger import OptimizerRow
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.captured_step import Capture, Source
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable
from frostline.observe.protocols import Unreadable


def has_applied(optimizer: Any, dialect: Dialect) -> bool:
    """Whether the optimizer has applied gradients at all."""
    return dialect.optimizers.iterations(optimizer) >= dialect.optimizers.window(optimizer)


def count_steps(source: Source, optimizer_row: OptimizerRow, models: Models, dialect: Dialect) -> None:
    """Steps that a loss scale skipped, or that one call made several of, show in the optimizer's counter.

    What was still being gathered when the run was over, by the optimizers or by the script, never became a step.
    """
    if source.tally.counts:
        executed, skipped = source.tally.steps()
        models.tell(OptimizerSeen(optimizer=optimizer_row.id, steps_executed=executed, steps_skipped=skipped))
    window = max((dialect.optimizers.window(optimizer) for optimizer in source.optimizers()), default=1)
    gathering = window > 1 or _is_held_back(source, optimizer_row, models)
    if gathering and not any(has_applied(each, dialect) for each in source.optimizers()):
        groups = [group | {"accumulates": window if window > 1 else None} for group in optimizer_row.groups]
        waiting = optimizer_row.steps_executed
        models.tell(OptimizerSeen(optimizer=optimizer_row.id, backwards=waiting, steps_executed=0, groups=groups))


def _is_held_back(source: Source, optimizer: OptimizerRow, models: Models) -> bool:
    """Whether nothing moved of what a traced step hands to its optimizers: they may stand behind a condition in it."""
    if source.mode != "traced" or source.capture is None:
        return False
    held = [entry for entry in models.tensors if id(entry.variable) in source.capture.flags]
    return bool(held and optimizer.steps_executed) and all(entry.row.changed.verdict == "no" for entry in held)


def note_waiting(entry: NamedVariable, source: Source, models: Models) -> None:
    """Gradients that were gathered for the tensor, or meant for an optimizer, say that backward reached it."""
    capture, dialect = source.capture or Capture(), models.dialect
    for optimizer in source.optimizers():
        waiting = dialect.optimizers.waiting(optimizer, entry.variable) if entry.variable is not None else None
        if waiting is not None:
            with contextlib.suppress(Unreadable):
                reached = bool(np.frombuffer(dialect.read(waiting), np.uint8).any())
                models.tell(TensorSeen(tensor=entry.row.id, reached_by_backward=reached))
        elif source.mode == "traced" and id(entry.variable) in capture.flags.keys() - capture.missing:
            models.tell(TensorSeen(tensor=entry.row.id, reached_by_backward=True))
