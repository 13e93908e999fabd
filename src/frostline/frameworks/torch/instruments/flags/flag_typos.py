"""Attributes that look like a flag and that nothing reads: ``param.require_grad``, ``module.requires_grad``."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, FlagMisspelt
from frostline.frameworks.torch.context import Context
from frostline.observe.script_lines import setter_of

FLAG = "requires_grad"
ALIKE = 0.85


class FlagTypos:
    """Looks at the attributes of modules and tensors when the run is over.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagMisspelt,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._finish)
        return []

    def _finish(self) -> None:
        for model in self._models.models:
            root = model.root
            for path, module in root.named_modules() if root is not None else ():
                self._look_at_module(".".join(part for part in (model.name, path) if part), module)
        for entry in self._models.tensors:
            tensor = entry.tensor
            for attribute in _named_like_the_flag(getattr(tensor, "__dict__", {}), exact=False):
                if tensor is not None and tensor.requires_grad and vars(tensor)[attribute] is False:
                    self._tell(f"{entry.row.name}.{attribute}", attribute, "tensor", [entry.row.name])

    def _look_at_module(self, where: str, module: nn.Module) -> None:
        named = [*_named_like_the_flag(vars(module), exact=True), *_of_keras(module)]
        vain = [attribute for attribute in named if vars(module)[attribute] is False]
        if not vain:
            return
        below = [entry for parameter in module.parameters() if (entry := self._models.of(parameter)) is not None]
        contradicted = [entry.row.name for entry in below if entry.row.declared.trainable]
        for attribute in vain if contradicted else ():
            self._tell(f"{where}.{attribute}", attribute, "module", contradicted)

    def _tell(self, subject: str, attribute: str, on: str, names: list[str]) -> None:
        line = setter_of(attribute)
        self._context.tell(FlagMisspelt(subject=subject, attribute=attribute, on=on, tensors=tuple(names), origin=line))


def _of_keras(module: nn.Module) -> list[str]:
    """Keras's flag on a module of torch itself, none of which reads it; a class of the user's may."""
    ours = type(module).__module__.startswith("torch.nn.")
    return ["trainable"] if ours and vars(module).get("trainable") is False else []


def _named_like_the_flag(attributes: dict[str, Any], *, exact: bool) -> list[str]:
    """Attributes named like the flag (or exactly like it, where it means nothing) that hold a truth value."""
    return [
        name
        for name, value in attributes.items()
        if isinstance(value, bool) and ((exact and name == FLAG) or (name != FLAG and _is_alike(name)))
    ]


@functools.cache
def _is_alike(name: str) -> bool:
    return difflib.SequenceMatcher(None, name, FLAG).ratio() >= ALIKE
