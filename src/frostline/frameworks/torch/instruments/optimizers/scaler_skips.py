"""Steps that a gradient scaler skips: not called at all, or called and told to do nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, OptimizerSeen
from frostline.core.ledger import OptimizerRow
from frostline.frameworks.torch.context import Context


class ScalerSkips:
    """Counts skipped steps.

    A scaler hands some optimizers a tensor that tells them to skip. Reading that makes an accelerator wait, so the
    tensors are only collected at each step and read at checks.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._handed: list[tuple[OptimizerRow, torch.Tensor]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_ended.append(self._step_ended)
        signals.check_ended.append(lambda _: self._settle())
        signals.training_ended.append(self._settle)
        return [self._context.wrap(torch.amp.GradScaler, "step", self._scaler_step)]

    def _scaler_step(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        before = self._context.recorder.steps
        result = wrapped(*args, **kwargs)
        optimizer = args[0] if args else kwargs.get("optimizer")
        self._context.quietly("a scaler stepped", self._stepped, optimizer, before)
        return result

    def _stepped(self, optimizer: Any, before: int) -> None:
        """The scaler was asked to step; it did so only when the number of steps grew."""
        inner = getattr(optimizer, "optimizer", optimizer)
        if self._context.recorder.steps == before and isinstance(inner, torch.optim.Optimizer):
            self._context.recorder.skipped(self._context.id_of(inner))

    def _step_ended(self, optimizer: torch.optim.Optimizer, key: Hashable) -> None:
        handed = optimizer.__dict__.get("found_inf")
        if isinstance(handed, torch.Tensor):
            self._handed.append((self._context.recorder.optimizers[key], handed))

    def _settle(self) -> None:
        """Count the steps collected so far as skipped where they were."""
        for row, found_inf in self._handed:
            if float(found_inf) > 0:
                executed, skipped = row.steps_executed - 1, row.steps_skipped + 1
                self._context.tell(OptimizerSeen(optimizer=row.id, steps_executed=executed, steps_skipped=skipped))
        self._handed.clear()
