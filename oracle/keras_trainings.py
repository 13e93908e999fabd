"""Runs a plan with Keras, on the backend that the environment names, and copies every variable around every step."""

from __future__ import annotations

import random
from typing import Any

import keras
import numpy as np

from oracle.copies import Copies, Moment, Step, Tensor
from oracle.plans import Kind, Mutation, Plan, What, healthy_blocks

WIDTH = 4
BATCH = 8
KINDS: tuple[Kind, ...] = ("sgd", "momentum", "adam", "adamw")
STEPS = (6, 9, 12, 20)


def plan(seed: int) -> Plan:
    """The plan of a seed, with what Keras lets go wrong: one optimizer, which holds what was trainable at compile."""
    chance = random.Random(seed)
    blocks, steps = healthy_blocks(chance), chance.choice(STEPS)
    healthy = Plan(seed, blocks, steps, chance.choice(KINDS), "constant", 1, False, None)
    count = chance.choice((0, 1, 1, 2))
    return Plan(
        seed,
        blocks,
        steps,
        healthy.kind,
        "constant",
        1,
        False,
        None,
        tuple(_mutation(healthy, chance) for _ in range(count)),
    )


def _mutation(healthy: Plan, chance: random.Random) -> Mutation:
    trained = healthy.trained
    frozen = [index for index in range(len(healthy.blocks)) if index not in trained]
    statistics = [index for index in frozen if healthy.blocks[index].norm == "batch"]
    any_time = chance.randint(1, healthy.steps - 1)
    possible = [
        Mutation("rate zero", 0, chance.randint(1, max(1, healthy.steps // 3))),
        Mutation("no loss", 0, 0),
        Mutation("left in eval", 0, 0),
        Mutation("put back", 0, chance.choice((0, 0, any_time))),
    ]
    if trained[0] < len(healthy.blocks) - 1:
        possible.append(Mutation("cut", trained[0], 0))
    if frozen:
        how: tuple[What, ...] = ("write", "undone write")
        possible.append(Mutation(chance.choice(how), chance.choice(frozen), any_time))
    if statistics:
        possible.append(Mutation("in training", chance.choice(statistics), 0))
    return chance.choice(possible)


def run(plan: Plan, copies: Copies) -> None:
    """Train as the plan says, by calls of ``fit`` or of ``train_on_batch``, mutations and all."""
    keras.utils.set_random_seed(plan.seed)
    model = _model(plan)
    _freeze(model, plan)
    model.compile(_optimizer(plan.kind), _no_loss if plan.has("no loss") else "mse")
    copies.held = [[_name(variable) for variable in model.trainable_variables]]
    put_back = plan.has("put back")
    kept = model.get_weights()
    copies.take(_moment(model))
    for step in range(plan.steps):
        _before(model, plan, step)
        batch = np.random.standard_normal((BATCH, WIDTH)).astype("float32"), np.ones((BATCH, 2), "float32")
        before = copies.take(_moment(model))
        if plan.seed % 2:
            model.fit(*batch, batch_size=BATCH, verbose=0)
        else:
            model.train_on_batch(*batch)
        copies.steps.append(Step(0, before, copies.take(_moment(model))))
        copies.rounds.append(len(copies.moments) - 1)
        if put_back is not None and step + 1 == put_back.step:
            kept = model.get_weights()
    if put_back is not None:
        model.set_weights(kept)
    copies.take(_moment(model))


def _model(plan: Plan) -> Any:
    batch = values = keras.Input((WIDTH,))
    for index, block in enumerate(plan.blocks):
        values = keras.layers.Dense(WIDTH, name=f"linear{index}")(values)
        if block.norm == "batch":
            mode = {"training": False} if plan.has("left in eval") else {}
            values = keras.layers.BatchNormalization(name=f"norm{index}")(values, **mode)
        elif block.norm == "layer":
            values = keras.layers.LayerNormalization(name=f"norm{index}")(values)
        values = keras.layers.Activation("tanh", name=f"tanh{index}")(values)
        if plan.has("cut", index) is not None:
            values = keras.layers.Lambda(keras.ops.stop_gradient, name=f"cut{index}")(values)
    return keras.Model(batch, keras.layers.Dense(2, name="head")(values))


def _freeze(model: Any, plan: Plan) -> None:
    """Frozen layers are frozen as layers, which puts normalisations into inference mode; or weight by weight."""
    for index, block in enumerate(plan.blocks):
        for layer in (
            each for each in model.layers if block.frozen and each.name in (f"linear{index}", f"norm{index}")
        ):
            if plan.has("in training", index) is None:
                layer.trainable = False
            else:
                for variable in layer.trainable_variables:
                    variable.trainable = False


def _optimizer(kind: Kind) -> Any:
    match kind:
        case "momentum":
            return keras.optimizers.SGD(0.05, momentum=0.9)
        case "adam":
            return keras.optimizers.Adam(0.01)
        case "adamw":
            return keras.optimizers.AdamW(0.01, weight_decay=0.1)
    return keras.optimizers.SGD(0.1)


def _no_loss(wanted: Any, answers: Any) -> Any:
    return keras.ops.mean(answers * 0)


def _before(model: Any, plan: Plan, step: int) -> None:
    for mutation in (each for each in plan.mutations if each.step == step):
        kernel = model.get_layer(f"linear{mutation.block}").kernel
        former = keras.ops.convert_to_numpy(kernel)
        match mutation.what:
            case "write":
                kernel.assign(former + 0.01)
            case "undone write":
                kernel.assign(former * 0)
                kernel.assign(former)
            case "rate zero":
                model.optimizer.learning_rate = 0.0


def _moment(model: Any) -> Moment:
    trainable = {id(variable) for variable in model.trainable_variables}
    parameters = {id(v) for layer in model.layers for v in layer.variables if v.path.split("/")[-1] not in STATE}
    return {
        _name(variable): Tensor(
            keras.ops.convert_to_numpy(variable).tobytes(),
            id(variable) in trainable if id(variable) in parameters else None,
        )
        for variable in model.variables
    }


def _name(variable: Any) -> str:
    return str(variable.path).replace("/", ".")


STATE = ("moving_mean", "moving_variance")
