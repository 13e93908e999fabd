"""A training with JAX as the oracle drives it, whatever holds the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from oracle.copies import Copies, Moment, Tensor
from oracle.jax_optimizers import frozen_modules, modules
from oracle.plans import Plan

WIDTH = 4
BATCH = 8
STATISTICS = ("running_mean", "running_var", "mean", "var")
Arrays = dict[str, Any]  # by the name that frostline has for each, without the first piece


class Training(ABC):
    """The state of a training, and what makes a step of it.

    Args:
        plan: of the training.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self._key, self._frozen = plan, jax.random.key(plan.seed), frozen_modules(plan)
        self.made = 0  # steps
        self.state: Any

    @abstractmethod
    def arrays(self, state: Any) -> Arrays:
        """All weights and statistics."""

    @abstractmethod
    def step(self) -> None:
        """One step; of a block whose result is dropped the former weights stay in place."""

    @abstractmethod
    def put(self, block: int, change: Any) -> None:
        """Put what ``change`` makes of the weight of a block's linear layer in its place, as the script does."""

    @abstractmethod
    def write_file(self, state: Any, left_out: Sequence[str]) -> Arrays:
        """Write weights and statistics, but for those of modules that are left out; returns what was written."""

    def copied(self) -> Any:
        """The state as it is now, in arrays of its own."""
        return jax.tree.map(lambda each: jnp.copy(each) if isinstance(each, jax.Array) else each, self.state)

    def flag(self, module: str) -> bool | None:
        """Whether the weights of a module are to be trained, as far as the script declares it."""
        return module not in self._frozen

    def batch(self) -> Any:
        """Another batch."""
        self._key, key = jax.random.split(self._key)
        return jax.random.normal(key, (BATCH, WIDTH), self.plan.dtype)

    def write(self, step: int) -> None:
        """What the script does to frozen weights before a step."""
        for mutation in (each for each in self.plan.mutations if each.step == step):
            match mutation.what:
                case "write":
                    self.put(mutation.block, lambda weight: weight + jnp.asarray(0.01, weight.dtype))
                case "undone write":
                    self.put(mutation.block, jnp.copy)

    def moment(self) -> Moment:
        """All weights and statistics as they are now."""
        return {name: self._tensor(name, array) for name, array in self.arrays(self.state).items()}

    def save(self, state: Any, copies: Copies, left_out: Sequence[str] = ()) -> None:
        """Write a file."""
        written = self.write_file(state, left_out)
        now = copies.take(self.moment())
        copies.written.append((now, {name: np.asarray(array).tobytes() for name, array in written.items()}))

    @property
    def dropped(self) -> Sequence[str]:
        """The modules whose new weights the script drops."""
        mutation = self.plan.has("drop result")
        return () if mutation is None else modules(mutation.block)

    def _tensor(self, name: str, array: Any) -> Tensor:
        *_, module, what = name.split(".")
        flag = None if what in STATISTICS else self.flag(module)
        return Tensor(np.asarray(array).tobytes(), flag, str(array.dtype))


def loss_of(plan: Plan, answers: Any) -> Any:
    """The loss of what a network answers."""
    return (answers * 0).sum() if plan.has("no loss") else jnp.square(answers - 1).mean()


def activated(plan: Plan, index: int, values: Any) -> Any:
    """What a block makes of the values after its normalisation."""
    values = jnp.tanh(values)
    return values if plan.has("cut", index) is None else jax.lax.stop_gradient(values)
