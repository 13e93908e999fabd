"""The laws, evaluated naively on copies of every tensor; nothing here knows frostline or a framework."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from oracle.copies import Copies, Moment, Step, Tensor

Violation = tuple[str, str]  # a law, and the tensor, the optimizer or the model that it is broken for
PATIENCE = 3  # steps in which something should have moved
ENOUGH = 8  # steps in which what moved before should have gone on moving
LAST = 3  # a third of the run that something stood still is worth a word
STATISTICS = ("running_mean", "running_var", "num_batches_tracked", "moving_mean", "moving_variance", "mean", "var")
ROUNDING = {"float32": 1e-5, "bfloat16": 2**-6, "float16": 2**-9}  # relative, of a factor that steps multiply by
MODEL = "the model"


def violations(copies: Copies) -> set[Violation]:
    """Each law that is broken, with what it is broken for."""
    return {
        *_stillness(copies),
        *_motion(copies),
        *_holding(copies),
        *_stepping(copies),
        *_statistics(copies),
        *_keeping(copies),
        *_saving(copies),
    }


def doubtful(copies: Copies) -> set[Violation]:
    """What may be said to be broken or not, as that depends on more than bits."""
    return {
        *_stopped(copies),
        *_briefly_trained(copies),
        *_idle_of_late(copies),
        *_perhaps_back(copies),
        *_unsaved(copies),
    }


def optimizer(index: int) -> str:
    """How an optimizer is called here."""
    return f"optimizer {index}"


# L1


def _stillness(copies: Copies) -> Iterator[Violation]:
    """A frozen parameter moved, once training had begun, between two moments at both of which it was frozen.

    What moved and went back between two looks is seen by none.
    """
    looks = [0, *(copies.rounds[at - 1] for at in _looks(copies)), -1]
    for name, seen in _histories(copies):
        shown = any(seen[one].content != seen[other].content for one, other in itertools.pairwise(looks))
        for before, after in itertools.pairwise(seen[copies.steps[0].before :] if copies.steps and shown else []):
            if before.trainable is False and after.trainable is False and before.content != after.content:
                yield "L1", name


def _looks(copies: Copies) -> list[int]:
    """The rounds that end with a look: 1, 2, 4, 8, …"""
    return [2**power for power in range(len(copies.rounds).bit_length())]


# L2


def _motion(copies: Copies) -> Iterator[Violation]:
    """A parameter that was trainable all along never moved, or stood still in the later half, as far as looks tell."""
    still = set()
    for name, seen in _histories(copies):
        if _is_trainable(seen) and len(copies.rounds) >= PATIENCE and not _moved(seen):
            still.add(name)
        elif _is_trainable(seen) and _stopped_at(copies, name) is not None:
            yield "L2", name
    yield from (("L2", name) for name in still)
    if still and still == {name for name, seen in _histories(copies) if _is_trainable(seen)} and copies.steps:
        yield "L2", MODEL


def _stopped_at(copies: Copies, name: str) -> int | None:
    """The last look at a step, which moved nothing, as nothing did since; looks are at steps 1, 2, 4, 8, …

    What was still at the look before that and moved in between has begun anew: it is seen to stand at the next look.
    What the script wrote after the last step hides from the last look whether it stood until then.
    """
    steps = max(len(copies.of(index)) for index in range(len(copies.held)))
    look = 2 ** (steps.bit_length() - 1) if steps else 0
    late = steps - look
    written = copies.moments[copies.rounds[-1]][name].content != copies.moments[-1][name].content
    if late < ENOUGH or late * LAST < steps or written:
        return None
    before, since = copies.rounds[look // 2 - 2], copies.rounds[look - 2]
    resumed = copies.moments[before][name].content == copies.moments[copies.rounds[look // 2 - 1]][name].content
    return look if _is_still(copies, name, since) and (not resumed or _is_still(copies, name, before)) else None


def _stopped(copies: Copies) -> Iterator[Violation]:
    """Trainable parameters that moved, and then stood still for the last third of the run, or merely shrank by decay.

    A bias in front of a normalisation only decays in healthy runs; that bits went and came back is seen by no look.
    """
    late, end = copies.rounds[len(copies.rounds) * 2 // 3], copies.rounds[-1]
    look = copies.rounds[2 ** (len(copies.rounds).bit_length() - 1) - 1]
    for name, seen in _histories(copies):
        returned = seen[look].content == seen[end].content
        if (
            _is_trainable(seen)
            and _moved(seen)
            and (_shrank(seen[: end + 1]) or returned or _is_still(copies, name, late))
        ):
            yield "L2", name


def _is_still(copies: Copies, name: str, since: int) -> bool:
    """Whether no bit moved until the last step; what the script did after that is no matter of it."""
    seen = [moment[name].content for moment in copies.moments[since : copies.rounds[-1] + 1]]
    return all(content == seen[0] for content in seen)


# L3


def _holding(copies: Copies) -> Iterator[Violation]:
    """A trainable parameter is held by none or moved by two; an optimizer that steps holds nothing of the model."""
    stepping = {step.optimizer for step in copies.steps}
    held = {name for index in stepping for name in copies.held[index]}
    for name, seen in _histories(copies):
        movers = {step.optimizer for step in copies.steps if _moves(copies, step, name)}
        if stepping and ((_is_trainable(seen) and name not in held) or len(movers) > 1):
            yield "L3", name
    for index in stepping:
        if not any(copies.held[index]):
            yield "L3", optimizer(index)


# L4


def _stepping(copies: Copies) -> Iterator[Violation]:
    """No step of an optimizer moved anything trainable that it holds."""
    for index in range(len(copies.held)):
        names = _held_trainable(copies, index)
        if names and not any(_moves(copies, step, name) for step in copies.of(index) for name in names):
            yield "L4", optimizer(index)


def _idle_of_late(copies: Copies) -> Iterator[Violation]:
    """Optimizers of which the last third of the steps moved nothing: what was looked at in them decides."""
    for index in range(len(copies.held)):
        steps, names = copies.of(index), _held_trainable(copies, index)
        if not any(_moves(copies, step, name) for step in steps[len(steps) * 2 // 3 :] for name in names):
            yield "L4", optimizer(index)


def _held_trainable(copies: Copies, index: int) -> list[str]:
    return [name for name in copies.held[index] if name and all(m[name].trainable for m in copies.moments)]


def _moves(copies: Copies, step: Step, name: str) -> bool:
    return copies.moments[step.before][name].content != copies.moments[step.after][name].content


# L5


def _statistics(copies: Copies) -> Iterator[Violation]:
    """Statistics moved while the weights beside them were frozen, or never moved beside trained weights."""
    begin = copies.steps[0].before if copies.steps else -1
    histories = {name: seen[begin:] for name, seen in _histories(copies)}
    for name, seen in histories.items():
        weights = _beside(histories, name)
        if not weights:
            continue
        frozen = [not any(history[moment].trainable for history in weights) for moment in range(len(seen))]
        moves = [before.content != after.content for before, after in itertools.pairwise(seen)]
        under_frozen = any(move and frozen[at] and frozen[at + 1] for at, move in enumerate(moves))
        trained = any(_trained_steps(history) >= PATIENCE for history in weights)
        if under_frozen or (trained and not any(moves) and not name.endswith("num_batches_tracked")):
            yield "L5", name


def _briefly_trained(copies: Copies) -> Iterator[Violation]:
    """Statistics that stood still beside weights that were trainable in steps enough, and moved in fewer of them.

    Where no optimizer stepped, training never began.
    """
    if not copies.steps:
        yield from (("L5", name) for name in copies.moments[0])
    histories = dict(_histories(copies))
    for name in histories:
        weights = _beside(histories, name)
        trainable = max((sum(history[at].trainable is True for at in copies.rounds) for history in weights), default=0)
        if trainable >= PATIENCE and any(0 < _trained_steps(history) < PATIENCE for history in weights):
            yield "L5", name


def _beside(histories: dict[str, list[Tensor]], name: str) -> list[list[Tensor]]:
    """The weights beside statistics; nothing of any other tensor."""
    module, _, what = name.rpartition(".")
    module = module.replace("batch_stats", "params")  # of JAX
    names = [f"{module}.{part}" for part in ("weight", "scale", "bias", "gamma", "beta")] if what in STATISTICS else []
    return [histories[each] for each in names if each in histories]


def _trained_steps(seen: Sequence[Tensor]) -> int:
    """In how many steps a weight moved while its flag was on; merely to shrink is no training."""
    if _shrank(seen):
        return 0
    return sum(
        bool(before.trainable and after.trainable and before.content != after.content)
        for before, after in itertools.pairwise(seen)
    )


# L7


def _keeping(copies: Copies) -> Iterator[Violation]:
    """What was trained ends with the bits it had before the first step, or at a look but the last one.

    Of several optimizers each looks at steps of its own.
    """
    looks, steps = [copies.moments[0]], len(copies.rounds)
    if len(copies.held) == 1:
        looks += [copies.moments[copies.rounds[2**power - 1]] for power in range(steps.bit_length() - 1)]
    yield from _back_at(copies, looks)


def _perhaps_back(copies: Copies) -> Iterator[Violation]:
    yield from _back_at(copies, [copies.moments[at] for at in copies.rounds])


def _back_at(copies: Copies, earlier: list[Moment]) -> Iterator[Violation]:
    """Whether all that steps trained ends as it was at one of these moments, though it moved since."""
    if not copies.steps:
        return
    end, last = copies.moments[-1], copies.moments[copies.rounds[-1]]
    trained = [
        name for name, seen in _histories(copies) if _is_trainable(seen) and _moved(seen) and _is_held(copies, name)
    ]
    if any(
        all(moment[name].content == end[name].content != last[name].content for name in trained) for moment in earlier
    ):
        yield from (("L7", name) for name in trained)


def _is_held(copies: Copies, name: str) -> bool:
    return any(name in names for names in copies.held)


# L9


def _saving(copies: Copies) -> Iterator[Violation]:
    """What moved is in no file with the bits that memory had; or was trained, and is there only as it was before."""
    last = copies.rounds[-1]
    for name in copies.moments[0] if copies.written and copies.steps else ():
        seen = [moment[name] for moment in copies.moments]
        stale = seen[0].content if _is_trainable(seen) else None
        good = any(state.get(name) == seen[at].content != stale for at, state in copies.written)
        written = any(name in state for _, state in copies.written)
        if seen[last].content != seen[0].content and not good and (written or seen[0].trainable is not None):
            yield "L9", name


def _unsaved(copies: Copies) -> Iterator[Violation]:
    """Statistics in no file, and what one file holds as it was, and another one does not."""
    files = [state for _, state in copies.written]
    several = len(files) > 1
    return (("L9", name) for name in copies.moments[0] if several or not any(name in state for state in files))


# What moved


def _histories(copies: Copies) -> Iterator[tuple[str, list[Tensor]]]:
    """Every tensor but those of the average, at each moment."""
    for name in copies.moments[0]:
        if not name.startswith("target."):
            yield name, [moment[name] for moment in copies.moments]


def _is_trainable(seen: Sequence[Tensor]) -> bool:
    return all(each.trainable for each in seen)


def _moved(seen: Sequence[Tensor]) -> bool:
    return any(each.content != seen[0].content for each in seen)


def _shrank(seen: Sequence[Tensor]) -> bool:
    """Whether every change multiplied all values by one factor below 1."""
    values = [each.values for each in seen]
    changes = [(one, other) for one, other in itertools.pairwise(values) if not np.array_equal(one, other)]
    for one, other in changes:
        large = np.abs(one) > 1e-3
        factors = other[large] / one[large]
        if not len(factors) or np.ptp(factors) > ROUNDING[seen[0].dtype] or not 0 < factors.mean() < 1:
            return False
    return bool(changes)
