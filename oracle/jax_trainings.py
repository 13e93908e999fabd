"""Runs a plan with JAX, in one of several ways, and copies every array around every step."""

from __future__ import annotations

import random
from dataclasses import replace

from oracle.copies import Copies, Step
from oracle.jax_modules import Equinox, Linen, Nnx
from oracle.jax_optimizers import modules
from oracle.jax_training import Training
from oracle.jax_trees import ByHand, Optax, style
from oracle.plans import KINDS, SAVINGS, SCHEDULES, TYPES, Kind, Mutation, Plan, Way, What, healthy_blocks

WAYS: dict[Way, type[Training]] = {"optax": Optax, "linen": Linen, "nnx": Nnx, "equinox": Equinox, "by hand": ByHand}
STEPS = (6, 9, 12, 20, 30)
BY_HAND: tuple[Kind, ...] = ("sgd", "momentum", "decay")


def plan(seed: int, way: Way = "optax") -> Plan:
    """The plan of a seed, with what JAX lets go wrong: one optimizer, which is given every weight."""
    chance = random.Random(seed)
    healthy = Plan(
        seed,
        healthy_blocks(chance),
        chance.choice(STEPS),
        chance.choice(KINDS),
        chance.choice(SCHEDULES),
        1,
        False,
        chance.choice((None, None, 0.1, 1.0)),
        dtype=chance.choice(TYPES),
        accumulate=chance.choice((1, 1, 1, 2)),
        saving=chance.choice(SAVINGS),
    )
    count = chance.choice((0, 1, 1, 2))
    drawn = replace(healthy, mutations=tuple(_mutation(healthy, chance) for _ in range(count)))
    return _possible(drawn, way)


def _possible(drawn: Plan, way: Way) -> Plan:
    """The plan as far as a way of training has what it asks for."""
    impossible: set[What] = set()
    if way == "by hand":
        drawn = replace(drawn, kind=BY_HAND[KINDS.index(drawn.kind) % len(BY_HAND)], accumulate=1)
        impossible = {"raw gradient", "in training", "left in eval"}
        if style(drawn.seed) == "eager":  # nobody sees what the last update made
            drawn = replace(drawn, saving="none")
    elif way == "nnx":
        impossible = {"raw gradient", "drop result"}
    elif way == "equinox":
        impossible = {"raw gradient", "in training", "left in eval"}
    if way not in ("optax", "linen"):
        drawn = replace(drawn, average=None)
    return replace(drawn, way=way, mutations=tuple(each for each in drawn.mutations if each.what not in impossible))


def _mutation(healthy: Plan, chance: random.Random) -> Mutation:
    trained = healthy.trained
    frozen = [index for index in range(len(healthy.blocks)) if index not in trained]
    statistics = [index for index in frozen if healthy.blocks[index].norm == "batch"]
    any_time = chance.randint(1, healthy.steps - 1)
    possible = [
        Mutation("rate zero", 0, chance.randint(1, max(1, healthy.steps // 3))),
        Mutation("no loss", 0, 0),
        Mutation("left in eval", 0, 0),
        Mutation("drop result", chance.choice(trained), 0),
    ]
    if trained[0] < len(healthy.blocks) - 1:
        possible.append(Mutation("cut", trained[0], 0))
    if healthy.saving != "none":
        possible += [Mutation("save older", 0, 0), Mutation("save a part", chance.choice(trained), 0)]
    if frozen:
        how: tuple[What, ...] = ("write", "undone write", "raw gradient")
        possible += [Mutation(chance.choice(how), chance.choice(frozen), any_time)] * 2
    if statistics:
        possible.append(Mutation("in training", chance.choice(statistics), 0))
    return chance.choice(possible)


def run(plan: Plan, copies: Copies) -> None:
    """Train as the plan says, mutations and all."""
    training = WAYS[plan.way](plan)
    copies.held = [[name for name, each in training.moment().items() if each.trainable is not None]]
    first = training.copied()
    copies.take(training.moment())
    for step in range(plan.steps):
        training.write(step)
        before = copies.take(training.moment())
        training.step()
        training.made += 1
        copies.steps.append(Step(0, before, copies.take(training.moment())))
        copies.rounds.append(len(copies.moments) - 1)
        if plan.saving == "twice" and step == plan.steps // 2:
            training.save(training.state, copies)
    if plan.saving != "none":
        part = plan.has("save a part")
        saved = first if plan.has("save older") else training.state
        training.save(saved, copies, modules(part.block) if part else ())
    copies.take(training.moment())
