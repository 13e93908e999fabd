"""The laws, evaluated naively on copies of every tensor; nothing here knows frostline."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from oracle.plans import Plan
from oracle.trainings import Copies, Tensor

Violation = tuple[str, str]  # a law, and the tensor that it is broken for
MOMENTS = 2  # at which a step is looked at: before it and after it
PATIENCE = 3  # steps in which something should have moved
STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
ROUNDING = 1e-5  # relative, of a factor that several steps multiply by


def violations(plan: Plan, copies: Copies) -> set[Violation]:
    """Each law that is broken, with the tensor it is broken for."""
    return {*_stillness(copies), *_motion(plan, copies), *_statistics(copies)}


def doubtful(copies: Copies) -> set[Violation]:
    """What may be said to be broken or not, as that depends on more than bits."""
    return {*_stopped(copies), *_briefly_trained(copies)}


def _briefly_trained(copies: Copies) -> Iterator[Violation]:
    """Statistics that stood still beside weights that were trainable in steps enough, and moved in fewer of them."""
    histories = dict(_histories(copies))
    for name in histories:
        module, _, what = name.rpartition(".")
        weights = [histories[f"{module}.{part}"] for part in ("weight", "bias")] if what in STATISTICS else []
        trainable = max((sum(bool(each.trainable) for each in history) for history in weights), default=0)
        if trainable // MOMENTS >= PATIENCE and any(0 < _trained_steps(history) < PATIENCE for history in weights):
            yield "L5", name


def _stopped(copies: Copies) -> Iterator[Violation]:
    """Trainable parameters that moved, and then stood still for the last third of the run, or merely shrank by decay.

    A bias in front of a normalisation only decays in healthy runs.
    """
    late = len(copies.moments) * 2 // 3
    for name, seen in _histories(copies):
        if not all(each.trainable for each in seen) or not _moved(seen):
            continue
        if _shrank(seen) or all(each.content == seen[-1].content for each in seen[late:]):
            yield "L2", name


def _histories(copies: Copies) -> Iterator[tuple[str, list[Tensor]]]:
    """Every tensor but those of the average, at each moment."""
    for name in copies.moments[0]:
        if not name.startswith("target."):
            yield name, [moment[name] for moment in copies.moments]


def _stillness(copies: Copies) -> Iterator[Violation]:
    """L1: a frozen parameter moved between two moments at both of which it was frozen."""
    for name, seen in _histories(copies):
        for before, after in itertools.pairwise(seen):
            if before.trainable is False and after.trainable is False and before.content != after.content:
                yield "L1", name


def _motion(plan: Plan, copies: Copies) -> Iterator[Violation]:
    """L2: a parameter that was trainable all along never moved."""
    for name, seen in _histories(copies):
        if all(each.trainable for each in seen) and plan.steps >= PATIENCE and not _moved(seen):
            yield "L2", name


def _statistics(copies: Copies) -> Iterator[Violation]:
    """L5: statistics moved while the weights beside them were frozen, or never moved beside trained weights."""
    histories = dict(_histories(copies))
    for name, seen in histories.items():
        module, _, what = name.rpartition(".")
        if what not in STATISTICS:
            continue
        weights = [histories[f"{module}.{part}"] for part in ("weight", "bias")]
        frozen = [not any(history[moment].trainable for history in weights) for moment in range(len(seen))]
        moves = [before.content != after.content for before, after in itertools.pairwise(seen)]
        under_frozen = any(move and frozen[at] and frozen[at + 1] for at, move in enumerate(moves))
        trained = any(_trained_steps(history) >= PATIENCE for history in weights)
        if under_frozen or (trained and not any(moves) and what != "num_batches_tracked"):
            yield "L5", name


def _trained_steps(seen: Sequence[Tensor]) -> int:
    """In how many steps a weight moved while its flag was on; merely to shrink is no training."""
    if _shrank(seen):
        return 0
    return sum(
        bool(before.trainable and after.trainable and before.content != after.content)
        for before, after in itertools.pairwise(seen)
    )


def _moved(seen: Sequence[Tensor]) -> bool:
    return any(each.content != seen[0].content for each in seen)


def _shrank(seen: Sequence[Tensor]) -> bool:
    """Whether every change multiplied all values by one factor below 1."""
    values = [np.frombuffer(each.content, np.float32) for each in seen]
    changes = [(one, other) for one, other in itertools.pairwise(values) if not np.array_equal(one, other)]
    for one, other in changes:
        large = np.abs(one) > 1e-3
        factors = other[large] / one[large]
        if not len(factors) or np.ptp(factors) > ROUNDING or not 0 < factors.mean() < 1:
            return False
    return bool(changes)
