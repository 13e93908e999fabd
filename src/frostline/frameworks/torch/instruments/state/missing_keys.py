"""Parameters that a load of their model had nothing for: they keep what they were made with.

A classifier on a published encoder begins so, and is meant to be trained. Where it is frozen, it stays as it was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Set
from typing import Any, ClassVar

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from frostline.core.facts import Fact, LoadLeftOut
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.init_distribution import looks_drawn

# What a library calls with the names that the files of a published model do not have: module, class, method. Before it
# such a parameter is loaded with memory that nothing was written to.
DRAWS = ("transformers.modeling_utils", "PreTrainedModel", "_initialize_missing_keys")


class MissingKeys:
    """Remembers what loads gave to each parameter.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LoadLeftOut,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._given: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.loaded.append(self._loaded)
        self._context.signals.finished.append(self._finish)
        self._context.wrap_when_imported(*DRAWS, self._initialize)
        return []

    def _initialize(self, wrapped: Any, module: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        names = args[0] if args else kwargs.get("missing_keys")
        if isinstance(names, list):
            self._context.quietly("a published model drew weights", self._drawn, module, names)
        return result

    def _loaded(self, module: nn.Module, _: list[Hashable], missing: Set[str], __: Any) -> None:
        """State was loaded that had nothing for the names ``missing``.

        A load that gives the smaller part, such as one of adapters, says nothing of where the rest came from.
        """
        own = dict(module.named_parameters(remove_duplicate=False))
        given = {name: parameter for name, parameter in own.items() if name not in missing}
        for parameter in given.values():
            self._given[parameter] = True
        if 2 * _numbers(given.values()) >= _numbers(own.values()):
            for name in own.keys() & missing:
                self._given.setdefault(own[name], False)  # type: ignore[no-untyped-call]

    def _drawn(self, module: nn.Module, names: Iterable[str]) -> None:
        """A published model drew these itself, since its files have nothing for them."""
        own = dict(module.named_parameters(remove_duplicate=False))
        for name in names:
            if name in own:
                self._given[own[name]] = False

    def _finish(self) -> None:
        """Tell what was left out and still looks drawn, in one fact for each model."""
        names: dict[str, list[str]] = {}
        for entry in self._models.tensors:
            still = entry.row.changed.verdict == "no" and entry.row.owner.called is not False
            if still and entry.tensor is not None and self._was_given(entry.tensor) is False and looks_drawn(entry):
                names.setdefault(entry.row.model, []).append(entry.row.name)
        for model, tensors in names.items():
            self._context.tell(LoadLeftOut(model=model, tensors=tuple(tensors)))

    def _was_given(self, parameter: torch.Tensor) -> bool | None:
        given: bool | None = self._given.get(parameter)  # type: ignore[no-untyped-call]
        return given


def _numbers(parameters: Iterable[torch.Tensor]) -> int:
    return sum(parameter.numel() for parameter in parameters)
