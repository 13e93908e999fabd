"""Zeros that pruning made, by torch's own library or by hand, and that further steps may fill."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, ZerosFilled
from frostline.frameworks.torch.context import Context
from frostline.observe.checks.written_zeros import WrittenZeros


class PrunedZeros:
    """Has weights looked at where an optimizer makes its first step, and where ``prune.remove`` ends a pruning.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (ZerosFilled,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._zeros = WrittenZeros(context.recorder.tracked)
        self._masked: weakref.WeakKeyDictionary[torch.nn.Module, dict[str, int]] = weakref.WeakKeyDictionary()
        self._removed: list[tuple[weakref.ref[torch.Tensor], int, int, int]] = []  # zeros, after which step, held

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.optimizer_found.append(lambda _: self._zeros.phase_begins())
        signals.finished.append(self._finish)
        for method, wrapper in (("apply", self._apply), ("remove", self._remove)):
            self._context.wrap_when_imported("torch.nn.utils.prune", "BasePruningMethod", method, wrapper)
        return []

    def _apply(self, wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._context.quietly("weights are pruned", self._mask, *args, *kwargs.values())
        return result

    def _mask(self, module: torch.nn.Module, name: str, *_: Any) -> None:
        self._masked.setdefault(module, {})[name] = self._context.recorder.steps

    def _remove(self, wrapped: Any, method: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._context.quietly("a pruning was removed", self._note, method, *args)
        return result

    def _note(self, method: Any, module: torch.nn.Module) -> None:
        weight = getattr(module, method._tensor_name)
        steps = self._context.recorder.steps
        held = steps - self._masked.get(module, {}).get(method._tensor_name, steps)
        self._removed.append((weakref.ref(weight), int((weight == 0).sum()), steps, held))

    def _finish(self) -> None:
        for reference, *seen in self._removed:
            weight = reference()
            entry = self._context.models.of(weight) if weight is not None else None
            if entry is not None:
                self._zeros.pruned(entry.key, *seen)
        self._zeros.close()
