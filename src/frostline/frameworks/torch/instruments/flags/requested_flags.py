"""Calls of ``requires_grad_`` on modules, which say of tied tensors under which of their names a flag was meant."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, FlagRequested
from frostline.frameworks.torch.context import Context


class RequestedFlags:
    """Notes each call on a module; the models hold their modules to it, and tied tensors are told of at the end.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagRequested,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._finish)
        return [self._context.wrap(nn.Module, "requires_grad_", self._requires_grad)]

    def _requires_grad(self, wrapped: Any, module: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        flag = bool(args[0] if args else kwargs.get("requires_grad", True))
        self._models.intents.append((weakref.ref(module), flag))
        return result

    def _finish(self) -> None:
        """A module may have been called so at every step; the last call counts."""
        intents = self._models.intents
        last = {id(module): (module, flag) for reference, flag in intents if (module := reference()) is not None}
        for model in self._models.models if last else ():
            paths = {id(each): path for path, each in model.root.named_modules()} if model.root is not None else {}
            for module, flag in last.values():
                if id(module) in paths:
                    self._tell([model.name, paths[id(module)]], module, flag)

    def _tell(self, path: list[str], module: nn.Module, flag: bool) -> None:
        """Tell of the tied tensors below the module, under the name that the call used."""
        for inner, parameter in module.named_parameters():
            entry = self._models.of(parameter)
            if entry is not None and entry.row.aliases:
                name = ".".join(filter(None, [*path, inner]))
                self._context.tell(FlagRequested(tensor=entry.row.id, name=name, flag=flag))
