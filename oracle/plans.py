"""Random small trainings with PyTorch, as plain data, and what may go wrong in them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal

Norm = Literal["none", "batch", "layer"]
Kind = Literal["sgd", "momentum", "decay", "adam", "adamw"]
Schedule = Literal["constant", "warm-up", "to zero"]
What = Literal[
    "write",
    "leave out",
    "cut",
    "rate zero",
    "stale gradient",
    "zero gradient",
    "in training",
    "left in eval",
    "no loss",
]
KINDS: tuple[Kind, ...] = ("sgd", "momentum", "decay", "adam", "adamw")
SCHEDULES: tuple[Schedule, ...] = ("constant", "constant", "warm-up", "to zero")


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
    ``average`` is the rate of a copy that follows the network.
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

    def has(self, what: What, block: int | None = None) -> Mutation | None:
        """The mutation of this kind, of this block where one is named."""
        return next((each for each in self.mutations if each.what == what and block in (None, each.block)), None)


def plan(seed: int) -> Plan:
    """The plan of a seed: a healthy training, or one with one or two mutations that make sense in it."""
    chance = random.Random(seed)
    blocks = tuple(
        Block(chance.choice(("none", "none", "batch", "layer")), chance.random() < 0.4)
        for _ in range(chance.randint(2, 4))
    )
    if all(block.frozen for block in blocks):
        blocks = (*blocks[:-1], replace(blocks[-1], frozen=False))
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
    )
    count = chance.choice((0, 1, 1, 2))
    return replace(healthy, mutations=tuple(_mutation(healthy, chance) for _ in range(count)))


def _mutation(healthy: Plan, chance: random.Random) -> Mutation:
    """One thing that this training allows to go wrong."""
    frozen = [index for index, block in enumerate(healthy.blocks) if block.frozen]
    trained = [index for index, block in enumerate(healthy.blocks) if not block.frozen]
    statistics = [index for index in frozen if healthy.blocks[index].norm == "batch"]
    early = chance.randint(1, max(1, healthy.steps // 3))
    possible = [
        Mutation("leave out", chance.choice(trained), 0),
        Mutation("rate zero", 0, early),
        Mutation("stale gradient", chance.choice(trained), early),
        Mutation("zero gradient", chance.choice(trained), early),
        Mutation("no loss", 0, 0),
        Mutation("left in eval", 0, 0),
    ]
    if trained[0] < len(healthy.blocks) - 1:
        possible.append(Mutation("cut", trained[0], 0))
    if frozen:
        possible.append(Mutation("write", chance.choice(frozen), chance.randint(1, healthy.steps - 1)))
    if statistics:
        possible.append(Mutation("in training", chance.choice(statistics), 0))
    return chance.choice(possible)
