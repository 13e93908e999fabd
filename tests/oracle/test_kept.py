"""Each disagreement that was met, made as small as it goes: what was wrong is said, and both sides see the same now."""

from __future__ import annotations

from dataclasses import replace

import pytest
from oracle.plans import Block, Kind, Mutation, Plan

from oracle import compare, trainings

PLAIN, NORMED, FROZEN = Block("none", frozen=False), Block("batch", frozen=False), Block("batch", frozen=True)


def small(
    blocks: tuple[Block, ...], steps: int, kind: Kind, *mutations: Mutation, average: float | None = None
) -> Plan:
    """A training without what is seldom needed."""
    return Plan(1, blocks, steps, kind, "constant", 1, False, average, mutations)


FROZEN_PLAIN, LAYER_NORMED = Block("none", frozen=True), Block("layer", frozen=False)
NO_LOSS = Mutation("no loss", 0, 0)
SAVE_OLDER = Mutation("save older", 0, 0)
LEFT_IN_EVAL = Mutation("left in eval", 0, 0)
KEPT = {
    # The flags went off before weights had been trained for long: statistics that stay beside them are no fault.
    "frozen after two steps in eval": small((PLAIN, NORMED), 6, "sgd", LEFT_IN_EVAL, Mutation("zero gradient", 1, 2)),
    "frozen after four steps in eval": small((PLAIN, NORMED), 6, "sgd", LEFT_IN_EVAL, Mutation("zero gradient", 1, 4)),
    # Weights that merely decay are not trained.
    "decay alone in eval": small((PLAIN, NORMED), 6, "decay", LEFT_IN_EVAL, Mutation("no loss", 0, 0)),
    # A tensor and its average have the same bits after every step: who follows whom is shown by what steps moved.
    "momentum beside a hard copy": small((PLAIN, NORMED), 9, "momentum", Mutation("zero gradient", 1, 2), average=1.0),
    "Adam beside a hard copy": small((NORMED, PLAIN), 30, "adam", Mutation("zero gradient", 0, 1), average=1.0),
    "AdamW beside a hard copy": small((NORMED, PLAIN), 9, "adamw", Mutation("zero gradient", 0, 2), average=1.0),
    # One bit of a frozen weight flips beside its copy: what steps moved leads, and rounding alone shows no following.
    "one bit beside a hard copy": small((FROZEN, NORMED), 6, "adam", Mutation("write by numpy", 0, 3), average=1.0),
    "one bit beside a slow copy": small((FROZEN, PLAIN), 12, "adam", Mutation("write by numpy", 0, 2), average=0.1),
    "a copy in a narrow type": replace(small((PLAIN, PLAIN), 6, "sgd", average=0.1), dtype="bfloat16"),
    "a copy of what decays": replace(small((PLAIN, NORMED), 20, "decay", NO_LOSS, average=0.1), dtype="float16"),
    # A state that is loaded into a model and the copy in it ends no following.
    "an earlier state with its copy": small((PLAIN, PLAIN), 30, "adam", Mutation("put back", 0, 2), average=0.1),
    # An earlier state is known from the first step on, and after a standstill.
    "the state after the first step": small((PLAIN, PLAIN), 9, "sgd", Mutation("put back", 0, 1)),
    "an earlier state after a standstill": small(
        (PLAIN, PLAIN), 9, "adamw", Mutation("put back", 0, 2), Mutation("rate zero", 0, 3)
    ),
    # So is that of what stood still since then, and of what moved for the first time after that step.
    "an earlier state with noise in front of a norm": small(
        (PLAIN, PLAIN, NORMED, PLAIN), 6, "sgd", Mutation("put back", 0, 2)
    ),
    "an earlier state and a first move after it": replace(
        small((PLAIN, PLAIN, NORMED, PLAIN), 6, "sgd", Mutation("put back", 0, 2)), seed=2447, schedule="warm-up"
    ),
    # An earlier state that is put back after the last step hides from the last look what stood still until then.
    "an earlier state in a narrow type": replace(
        small((PLAIN, PLAIN, PLAIN), 30, "decay", Mutation("put back", 0, 1)), seed=2040, dtype="bfloat16"
    ),
    # Two optimizers that decay the same tensors move them twice, whether or not a loss reaches them.
    "no loss for what two decay": replace(
        small((PLAIN, PLAIN), 6, "adamw", Mutation("held twice", 0, 0), NO_LOSS), optimizers=2
    ),
    # No loss: causes that share the optimizer's tensors among them weigh as much as the whole, and what is frozen was
    # not trained.
    "no loss beside a written weight": small((FROZEN_PLAIN, NORMED), 6, "sgd", Mutation("write", 0, 1), NO_LOSS),
    "no loss in a narrow type": replace(small((NORMED, PLAIN), 9, "adam", NO_LOSS, average=1.0), dtype="bfloat16"),
    "decay that rounding stops": replace(small((PLAIN,), 30, "adamw", NO_LOSS), dtype="float16"),
    # An optimizer that never stepped trained nothing of what it holds, be it cut off or held by another one too.
    "no steps, and a part is cut off": small(
        (PLAIN, PLAIN), 9, "sgd", Mutation("cut", 0, 0), Mutation("no steps", 0, 0)
    ),
    "no steps of two that hold the same": replace(
        small((PLAIN, PLAIN), 9, "sgd", Mutation("held twice", 0, 0), Mutation("no steps", 0, 0)), optimizers=2
    ),
    # A bias that began with zeros is in an old file as it was before training, like the rest.
    "zeros in an old file": replace(
        small((NORMED, PLAIN), 6, "sgd", Mutation("save older", 0, 0)), saving="at the end"
    ),
    # All that was trained went back: the copy in the model, which nobody trained, is no part of that.
    "first state put back and written": replace(
        small((PLAIN, PLAIN), 9, "sgd", Mutation("put back", 0, 0), average=0.1), saving="at the end"
    ),
    # Where nothing is trained the written one of two with the same bits is the copy: a numpy alias goes uncounted.
    "a frozen weight beside a hard copy": replace(
        small((FROZEN_PLAIN, PLAIN), 30, "adam", NO_LOSS, Mutation("write by numpy", 0, 14), average=1.0), seed=5111
    ),
    # Of a frozen tensor that momentum moves, one value in a narrow type fits any source by rounding: that is no proof.
    "Adam moves one value in a narrow type": replace(
        small((FROZEN_PLAIN, FROZEN_PLAIN, LAYER_NORMED), 12, "adamw", Mutation("zero gradient", 2, 2)),
        seed=5214,
        dtype="bfloat16",
    ),
    "momentum moves one value in a narrow type": replace(
        small((PLAIN, LAYER_NORMED, LAYER_NORMED, PLAIN), 20, "momentum", Mutation("zero gradient", 1, 5)),
        seed=5304,
        schedule="to zero",
        dtype="float16",
    ),
    # A state that the run itself made and puts back is no load that statistics are kept from.
    "a state put back in eval": replace(
        small((NORMED, PLAIN, PLAIN, PLAIN), 6, "sgd", LEFT_IN_EVAL, Mutation("put back", 0, 2)), seed=5329
    ),
    # Rounding alone shows no following: a bit that a numpy array flips in a frozen weight comes from no copy of it.
    "one bit of a frozen weight beside a hard copy": replace(
        small(
            (FROZEN_PLAIN, PLAIN, FROZEN_PLAIN),
            30,
            "decay",
            Mutation("write by numpy", 0, 15),
            Mutation("cut", 1, 0),
            average=1.0,
        ),
        seed=10508,
    ),
    "a bit and no loss beside a hard copy": replace(
        small((PLAIN, FROZEN_PLAIN), 9, "sgd", Mutation("write by numpy", 1, 1), NO_LOSS, average=1.0), seed=11609
    ),
    # Where no weight moves, statistics alone show that a copy follows: they are those of the check before.
    "statistics of a copy where no weight moves": replace(
        small((NORMED, NORMED, PLAIN), 45, "sgd", Mutation("rate zero", 0, 1), average=1.0),
        seed=10716,
        schedule="warm-up",
    ),
    # What is written into a copy after the last step is counted by nobody, which does not make it the one that leads.
    "a frozen weight replaced in the last step beside a copy": replace(
        small(
            (PLAIN, FROZEN_PLAIN),
            30,
            "decay",
            Mutation("leave out", 0, 0),
            Mutation("write by data", 1, 29),
            average=1.0,
        ),
        seed=11001,
        listed=True,
        tied=True,
        accumulate=2,
    ),
    # What was put back with the rest before anybody looked was seen by nobody.
    "a write that is undone at the end": small(
        (FROZEN_PLAIN, PLAIN, PLAIN, FROZEN_PLAIN),
        30,
        "adamw",
        Mutation("put back", 0, 0),
        Mutation("write by numpy", 3, 29),
    ),
    # The other name of a tied layer is in the file.
    "a part is saved, and the rest is tied to it": replace(
        small((PLAIN, PLAIN), 6, "momentum", Mutation("save a part", 0, 0)), tied=True, saving="at the end"
    ),
    # An old file says nothing of whether a tensor went on moving in memory.
    "an old file of what rounding stopped": replace(
        small((LAYER_NORMED, FROZEN_PLAIN, PLAIN), 30, "sgd", SAVE_OLDER),
        seed=11886,
        dtype="float16",
        tied=True,
        saving="at the end",
    ),
    # Where no parameter moved, an old file is known by its statistics.
    "an old file of statistics alone": replace(
        small((PLAIN, NORMED), 6, "momentum", NO_LOSS, SAVE_OLDER), seed=6189, saving="at the end"
    ),
    # Statistics gather themselves, and are not taken for those of the copy that is given their bits.
    "statistics beside a hard copy": small(
        (PLAIN, NORMED), 6, "adam", Mutation("stale gradient", 1, 1), Mutation("leave out", 1, 0), average=1.0
    ),
}

KEPT_ON_JAX = {
    # An optimizer that nnx calls by itself is traced all the same where it gathers updates: its values are none.
    "nnx gathers updates where nothing is compiled": replace(small((PLAIN,), 6, "sgd"), accumulate=2, way="nnx"),
    # Sums of narrow weights are made in a wider type: the weight in it is the weight.
    "updates by hand in a narrow type": replace(small((PLAIN,), 6, "sgd", NO_LOSS), dtype="bfloat16", way="by hand"),
    # The arrays of which the last gradient was taken are read at the end, though the script has dropped them.
    "zeros that decay by hand": replace(small((PLAIN,), 12, "decay", NO_LOSS), seed=2, way="by hand"),
}


@pytest.mark.parametrize("name", KEPT)
def test_both_sides_see_the_same(name: str) -> None:
    found = compare.disagreement(KEPT[name], trainings.run)
    assert found is None, (found.missed, found.alarms)


@pytest.mark.needs("jax", "flax", "optax", "equinox")
@pytest.mark.parametrize("name", KEPT_ON_JAX)
def test_both_sides_see_the_same_on_jax(name: str) -> None:
    from oracle import jax_trainings

    found = compare.disagreement(KEPT_ON_JAX[name], jax_trainings.run)
    assert found is None, (found.missed, found.alarms)
