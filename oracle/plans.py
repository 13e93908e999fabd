"""Random small trainings, as plain data, and what may go wrong in them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

Norm = Literal["none", "batch", "layer"]
Kind = Literal["sgd", "momentum", "decay", "adam", "adamw"]
Schedule = Literal["constant", "warm-up", "to zero"]
Type = Literal["float32", "bfloat16", "float16"]
Saving = Literal["none", "at the end", "twice"]
Way = Literal["optax", "linen", "nnx", "equinox", "by hand"]  # of training with JAX
What = Literal[
    "write",
    "write by data",
    "write by numpy",
    "undone write",
    "leave out",
    "cut",
    "rate zero",
    "stale gradient",
    "zero gradient",
    "take gradient",
    "in training",
    "left in eval",
    "no loss",
    "replace",
    "held twice",
    "foreign optimizer",
    "no steps",
    "put back",
    "save older",
    "save a part",
    "drop result",
    "raw gradient",
]
KINDS: tuple[Kind, ...] = ("sgd", "momentum", "decay", "adam", "adamw")
SCHEDULES: tuple[Schedule, ...] = ("constant", "constant", "warm-up", "to zero")
TYPES: tuple[Type, ...] = ("float32", "float32", "float32", "bfloat16", "float16")
SAVINGS: tuple[Saving, ...] = ("none", "none", "none", "at the end", "twice")


@dataclass(frozen=True, slots=True)
class Block:
    """A linear layer with a normalisation behind it; a frozen one is in eval mode, so that its statistics stay."""

    norm: Norm
    frozen: bool


@dataclass(frozen=True, slots=True)
class Mutation:
    """One thing that goes wrong with a block (or with all) at a step."""

    what: What
    block: int
    step: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A training: its network, how it is trained, and what goes wrong.

    ``listed`` says that optimizers are given all parameters, frozen ones too; ``optimizers`` share the blocks out.
    ``average`` is the rate of a copy that follows the network. ``tied`` says that the first and the last block that are
    trained share one linear layer; ``accumulate`` is how many backward passes a step has.
    ``way`` counts with JAX.
    """

    seed: int
    blocks: tuple[Block, ...]
    steps: int
    kind: Kind
    schedule: Schedule
    optimizers: int
    listed: bool
    average: float | None
    mutations: tuple[Mutation, ...] = ()
    dtype: Type = "float32"
    tied: bool = False
    accumulate: int = 1
    saving: Saving = "none"
    way: Way = "optax"

    def has(self, what: What, block: int | None = None) -> Mutation | None:
        """The mutation of this kind, of this block where one is named."""
        return next((each for each in self.mutations if each.what == what and block in (None, each.block)), None)

    @property
    def trained(self) -> list[int]:
        """The blocks that are to be trained."""
        return [index for index, block in enumerate(self.blocks) if not block.frozen]


def plan(seed: int) -> Plan:
    """The plan of a seed: a healthy training, or one with one or two mutations that make sense in it."""
    chance = random.Random(seed)
    blocks = healthy_blocks(chance)
    steps = chance.choice((6, 9, 12, 20, 30, 45))
    healthy = Plan(
        seed,
        blocks,
        steps,
        chance.choice(KINDS),
        chance.choice(SCHEDULES),
        chance.choice((1, 1, 2)),
        chance.random() < 0.4,
        chance.choice((None, None, 0.1, 1.0)),
        dtype=chance.choice(TYPES),
        tied=chance.random() < 0.15,
        accumulate=chance.choice((1, 1, 1, 2)),
        saving=chance.choice(SAVINGS),
    )
    count = chance.choice((0, 1, 1, 2))
    return replace(healthy, mutations=tuple(_mutation(healthy, chance) for _ in range(count)))


def healthy_blocks(chance: random.Random) -> tuple[Block, ...]:
    """Two to four blocks, of which at least one is to be trained."""
    blocks = tuple(
        Block(chance.choice(("none", "none", "batch", "layer")), chance.random() < 0.4)
        for _ in range(chance.randint(2, 4))
    )
    if all(block.frozen for block in blocks):
        blocks = (*blocks[:-1], replace(blocks[-1], frozen=False))
    return blocks


def _mutation(healthy: Plan, chance: random.Random) -> Mutation:
    """One thing that this training allows to go wrong."""
    trained = healthy.trained
    frozen = [index for index in range(len(healthy.blocks)) if index not in trained]
    statistics = [index for index in frozen if healthy.blocks[index].norm == "batch"]
    early, any_time = chance.randint(1, max(1, healthy.steps // 3)), chance.randint(1, healthy.steps - 1)
    possible = [
        Mutation("leave out", chance.choice(trained), 0),
        Mutation("rate zero", 0, early),
        Mutation("stale gradient", chance.choice(trained), early),
        Mutation("zero gradient", chance.choice(trained), early),
        Mutation("take gradient", chance.choice(trained), 0),
        Mutation("no loss", 0, 0),
        Mutation("left in eval", 0, 0),
        Mutation("replace", chance.choice(trained), 0),
        Mutation("foreign optimizer", 0, 0),
        Mutation("no steps", 0, 0),
        Mutation("put back", 0, chance.choice((0, 0, 1, 2, any_time))),
    ]
    if trained[0] < len(healthy.blocks) - 1:
        possible.append(Mutation("cut", trained[0], 0))
    if healthy.optimizers > 1:
        possible.append(Mutation("held twice", chance.choice(trained), 0))
    if healthy.saving != "none":
        possible += [Mutation("save older", 0, 0), Mutation("save a part", chance.choice(trained), 0)]
    if frozen:
        how: tuple[What, ...] = ("write", "write by data", "write by numpy", "undone write")
        possible += [Mutation(chance.choice(how), chance.choice(frozen), any_time)] * 2
    if statistics:
        possible.append(Mutation("in training", chance.choice(statistics), 0))
    return chance.choice(possible)
