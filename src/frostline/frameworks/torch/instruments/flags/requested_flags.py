"""Calls of ``requires_grad_`` on modules: under which of its names a flag of a tied tensor was meant, and vain calls.

A module whose parameters were taken into a flat one has none left that a call could reach.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from torch import nn

from frostline.core.facts import Fact, FlagRequested, FlagSeen
from frostline.core.names.name_matching import without_wrappers
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.models.frozen_subtrees import upwards
from frostline.frameworks.torch.models.model import Model
from frostline.frameworks.torch.tensors.shards import is_flat


class RequestedFlags:
    """Notes each call on a module; the models hold their modules to it, and at the end what it missed is told.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FlagRequested, FlagSeen)

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
        last: dict[int, tuple[nn.Module, bool]] = {}
        for reference, flag in self._models.intents:
            if (module := reference()) is not None:
                last.pop(id(module), None)
                last[id(module)] = module, flag
        for model in self._models.models if last else ():
            paths = {id(each): path for path, each in model.root.named_modules()} if model.root is not None else {}
            asked = [(without_wrappers(paths[key]), *call) for key, call in last.items() if key in paths]
            for path, module, flag in asked:
                self._tell([model.name, path], module, flag)
            self._tell_vain(model, [(path, flag) for path, _, flag in asked])

    def _tell(self, path: list[str], module: nn.Module, flag: bool) -> None:
        """Tell of the tied tensors below the module, under the name that the call used."""
        for inner, parameter in module.named_parameters():
            entry = self._models.of(parameter)
            if entry is not None and entry.row.aliases:
                name = ".".join(filter(None, [*path, inner]))
                self._context.tell(FlagRequested(tensor=entry.row.id, name=name, flag=flag))

    def _tell_vain(self, model: Model, asked: Sequence[tuple[str, bool]]) -> None:
        """Tell of tensors that were to be frozen last, and are trainable since the flat one that holds them is."""
        missed: dict[str, list[int]] = {}
        calls = {path: (number, flag) for number, (path, flag) in enumerate(asked)}
        for entry in model.tensors:
            if not (entry.row.declared.trainable and is_flat(entry.tensor)):
                continue
            around = [path for path in upwards(entry.row.owner.path) if path in calls]
            last = max(around, key=calls.__getitem__, default="")
            if around and not calls[last][1]:
                missed.setdefault(last, []).append(entry.row.id)
        for path, tensors in missed.items():
            container = f"{model.name}.{path}" if path else model.name
            self._context.tell(FlagSeen(tensors=tuple(tensors), container=container, container_flag=False))
