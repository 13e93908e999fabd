"""Counts of trainable parameters that libraries print, taken down with what the flags said at that moment."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from msgspec import structs
from torch import nn

from frostline.core.facts import SummaryPrinted
from frostline.frameworks.torch_probe.models import Models

# Where a count is printed: module, class, method, and how to get the model and the two numbers from the call.
Reader = Callable[[Any, tuple[Any, ...]], tuple[Any, int, int]]


def _peft(model: Any, arguments: tuple[Any, ...]) -> tuple[Any, int, int]:
    return (model, *model.get_nb_trainable_parameters())


def _lightning(callback: Any, arguments: tuple[Any, ...]) -> tuple[Any, int, int]:
    return (arguments[1], *_numbers(arguments[1]))


PRINTERS: tuple[tuple[str, str, str, Reader], ...] = (
    ("peft.peft_model", "PeftModel", "print_trainable_parameters", _peft),
    ("peft.mixed_model", "PeftMixedModel", "print_trainable_parameters", _peft),
    ("lightning.pytorch.callbacks.model_summary", "ModelSummary", "on_fit_start", _lightning),
    ("pytorch_lightning.callbacks.model_summary", "ModelSummary", "on_fit_start", _lightning),
)


class PrintedCounts:
    """The counts that were printed, whose leaves are named once the model is known.

    Args:
        models: the models under observation.
    """

    def __init__(self, models: Models) -> None:
        self.models = models
        self._open: list[tuple[SummaryPrinted, weakref.ref[nn.Module]]] = []

    def note(self, model: nn.Module, trainable: int, total: int) -> None:
        """A count was printed for ``model``: ``trainable`` numbers of ``total``."""
        flags, _ = _numbers(model)
        printed = SummaryPrinted(
            step=self.models.observer.steps,
            summary=next(self.models.observer.journal.summaries),
            model=type(model).__name__,
            total=total,
            trainable=trainable,
            non_trainable=total - trainable,
            flags_trainable=flags,
        )
        self.models.tell(printed)
        self._open.append((printed, weakref.ref(model)))

    def settle(self) -> None:
        """Name the leaves of the models that are known by now."""
        for index, (printed, reference) in enumerate(self._open):
            model = reference()
            if model is not None:
                leaves = dict.fromkeys(
                    leaf.row.name for tensor in model.parameters() if (leaf := self.models.of(tensor)) is not None
                )
                if printed.tensors != tuple(leaves):
                    named = structs.replace(printed, tensors=tuple(leaves))
                    self.models.tell(named)
                    self._open[index] = named, reference


def _numbers(model: nn.Module) -> tuple[int, int]:
    counts = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(count for count, flag in counts if flag), sum(count for count, _ in counts)
