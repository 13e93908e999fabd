"""Optimizers that gather the gradients of several steps before they apply them, and may never come to it."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from frostline.core.ledger import Program
from frostline.frameworks.layered.dialect import Dialect
from frostline.frameworks.layered.leaf import KerasLeaf
from frostline.frameworks.layered.sources import Source
from frostline.observe.live import Unreadable


def has_applied(optimizer: Any, dialect: Dialect) -> bool:
    """Whether the optimizer has applied gradients at all."""
    return dialect.iterations(optimizer) >= dialect.window(optimizer)


def count_steps(source: Source, program: Program, dialect: Dialect) -> None:
    """Steps that a loss scale skipped, or that one call made several of, show in the optimizer's counter.

    What the optimizers were still gathering when the run was over never became a step.
    """
    if source.tally.counts:
        program.steps_executed, program.steps_skipped = source.tally.steps()
    windows = [dialect.window(optimizer) for optimizer in source.optimizers()]
    if max(windows, default=1) > 1 and not any(has_applied(each, dialect) for each in source.optimizers()):
        program.backwards, program.steps_executed = program.steps_executed, 0
        program.groups = [group | {"accumulates": max(windows)} for group in program.groups]


def note_waiting(leaf: KerasLeaf, source: Source, dialect: Dialect) -> None:
    """Gradients that an optimizer has gathered for the leaf say that backward reached it."""
    for optimizer in source.optimizers():
        waiting = dialect.waiting(optimizer, leaf.variable) if leaf.variable is not None else None
        if waiting is not None:
            with contextlib.suppress(Unreadable):
                leaf.row.reached_by_backward = bool(np.frombuffer(dialect.read(waiting), np.uint8).any())
