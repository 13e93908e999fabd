"""Counts of trainable parameters that libraries print, taken down with what the flags said at that moment."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from msgspec import structs
from torch import nn

from frostline.core.facts import Fact, SummaryPrinted
from frostline.frameworks.torch.context import Context
from frostline.observe.script_lines import script_line

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


class ParameterCounts:
    """The counts that were printed, whose tensors are named once the model is known.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (SummaryPrinted,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._open: list[tuple[SummaryPrinted, weakref.ref[nn.Module]]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.refreshed.append(self._name_tensors)
        for module, owner, method, reader in PRINTERS:
            self._context.wrap_when_imported(module, owner, method, functools.partial(self._printed, reader))
        return []

    def _printed(self, reader: Reader, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._context.quietly("a count was printed", lambda: self._note(*reader(instance, args)))
        return result

    def _note(self, model: nn.Module, trainable: int, total: int) -> None:
        """A count was printed for ``model``: ``trainable`` numbers of ``total``."""
        flags, _ = _numbers(model)
        printed = SummaryPrinted(
            origin=script_line(),
            step=self._context.recorder.steps,
            summary=next(self._context.recorder.journal.summaries),
            model=type(model).__name__,
            total=total,
            trainable=trainable,
            non_trainable=total - trainable,
            flags_trainable=flags,
        )
        self._context.tell(printed)
        self._open.append((printed, weakref.ref(model)))

    def _name_tensors(self) -> None:
        """Name the tensors of the models that are known by now."""
        for index, (printed, reference) in enumerate(self._open):
            model = reference()
            if model is not None:
                tensors = dict.fromkeys(
                    entry.row.name for tensor in model.parameters() if (entry := self._models.of(tensor)) is not None
                )
                if printed.tensors != tuple(tensors):
                    named = structs.replace(printed, tensors=tuple(tensors))
                    self._context.tell(named)
                    self._open[index] = named, reference


def _numbers(model: nn.Module) -> tuple[int, int]:
    counts = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(count for count, flag in counts if flag), sum(count for count, _ in counts)
