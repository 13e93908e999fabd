"""What the state of an optimizer of optax tells besides moments: an injected learning rate, and skipped steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import ClassVar

from frostline.core.facts import Fact, Held, OptimizerSeen
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import Path

RATE = ("hyperparams", "learning_rate")  # of optax.inject_hyperparams
SKIPPED = "total_notfinite"  # of optax.apply_if_finite
OF_A_PART = frozenset(["inner_states", "inner_state"])  # of partition and masked: not every tensor's


class OptimizerStates:
    """Reads numbers that steps hand back with the optimizer's state.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held, OptimizerSeen)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_learned.append(self._learned)
        self._context.signals.finished.append(self._finish)
        return []

    def _learned(self, function: Function, _: Call) -> None:
        """One rate for all that the step updates is that of each tensor."""
        state = function.learned.state if function.learned is not None else set()
        rates = [path for path in state if path[-2:] == RATE]
        if len(rates) == 1 and OF_A_PART.isdisjoint(rates[0]):
            function.rate = rates[0]
            function.holds = {key: replace(hold, group=0) for key, hold in function.holds.items()}

    def _finish(self) -> None:
        for function in self._context.answers.functions.values():
            if function.rate is not None:
                self._tell_rate(function)
            state = function.learned.state if function.learned is not None else set()
            for path in state:
                if path[-1] == SKIPPED and OF_A_PART.isdisjoint(path):
                    self._skipped(function, path)

    def _tell_rate(self, function: Function) -> None:
        """Tell the largest rate that the tensors were held at."""
        rate = self._context.recorder.holdings.max_lr(function.key, 0)
        rows = [self._context.recorder.tensors[key].row for key in function.holds]
        tensors = tuple(row.id for row in rows)
        self._context.tell(Held(optimizer=function.key, tensors=tensors, max_lr=rate))

    def _skipped(self, function: Function, path: Path) -> None:
        """The optimizer put its updates aside as often as they were not finite."""
        skipped, row = function.number(path), self._context.recorder.optimizers[function.key]
        if skipped:
            executed = max(0, row.steps_executed - int(skipped))
            seen = OptimizerSeen(optimizer=row.id, steps_executed=executed, steps_skipped=int(skipped))
            self._context.tell(seen)
