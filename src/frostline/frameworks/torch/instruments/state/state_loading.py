"""Loads of state into a model: who wrote, and whether the source was another model of the process."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import CopyCompared, Fact, Followed, Moved, TensorSeen
from frostline.core.ledger import LOADED
from frostline.frameworks.torch.context import Context
from frostline.observe.moves.copy_checks import compare_copies
from frostline.observe.protocols import LiveTensor
from frostline.observe.schedule import due


class StateLoading:
    """Brackets ``load_state_dict``: what moved in it was loaded, at the 1st, 2nd, 4th, … load of each module.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (CopyCompared, TensorSeen, Followed, Moved)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._counts: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [self._context.wrap(nn.Module, "load_state_dict", self._load_state_dict)]

    def _load_state_dict(self, wrapped: Any, module: Any, args: Any, kwargs: Any) -> Any:
        context = self._context
        if not context.thread.is_here():
            return wrapped(*args, **kwargs)
        context.quietly("before a load", self._before, module)
        result = wrapped(*args, **kwargs)
        source = args[0] if args else kwargs.get("state_dict")
        keys: list[Hashable] = []
        context.quietly("after a load", lambda: keys.extend(self._after(module, source)))
        missing = set(result.missing_keys)
        loaded = context.signals.loaded
        context.quietly("after a load", context.publish, "after a load", loaded, module, keys, missing, source)
        return result

    def _before(self, module: nn.Module) -> None:
        """State is about to be loaded: what moved until now was not the load."""
        self._counts[module] = self._counts.get(module, 0) + 1
        if due(self._counts[module]):
            recorder, keys = self._context.recorder, self._keys_below(module)
            recorder.look_now(keys)
            recorder.keep_written(keys, True)

    def _after(self, module: nn.Module, source: Any) -> list[Hashable]:
        """State was loaded: what moved came from ``source``, which may be another model's own tensors."""
        self._models.loaded(_named_in(source, module))
        if not due(self._counts.get(module, 0)):
            return []
        recorder, keys = self._context.recorder, self._keys_below(module)
        for watched in recorder.look_now(keys, "outside", LOADED):
            moves = watched.row.changed.movements
            named = moves[-1].follows if moves else None
            followed = self._tensor_sharing(watched.entry, source) or named
            if followed is not None and followed != watched.row.changed.followed:
                recorder.tell(Followed(tensor=watched.row.id, source=followed))
        recorder.keep_written(keys, False)
        if recorder.steps:
            compare_copies(recorder.tracked, keys)
        moves = [move for key in keys for move in recorder.tensors[key].row.changed.movements]
        back = any(move.place == "step" for move in moves)  # to what the run itself had made
        for key in keys:
            if not recorder.tensors[key].row.loaded and not back:
                recorder.tell(TensorSeen(tensor=recorder.tensors[key].row.id, loaded=True))
        return keys

    def _keys_below(self, module: nn.Module) -> list[Hashable]:
        return [entry.key for entry in self._models.below(module)]

    def _tensor_sharing(self, entry: LiveTensor, source: Any) -> str | None:
        """The tensor of another model whose live tensor the loaded dictionary handed over for ``tensor``."""
        values = source.values() if hasattr(source, "values") else ()
        places = {place for value in values if (place := _place(value)) is not None}
        for other in self._models.tensors:
            if other is not entry and other.row.shape == entry.row.shape and _place(other.tensor) in places:
                return other.row.name
        return None


def _named_in(source: Any, module: nn.Module) -> list[torch.Tensor]:
    """The module's tensors that the loaded dictionary has."""
    named = (*module.named_parameters(), *module.named_buffers())
    return [tensor for name, tensor in named if not hasattr(source, "keys") or name in source]


def _place(tensor: Any) -> int | None:
    """The address of a dense tensor's data, or None."""
    if not isinstance(tensor, torch.Tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return None
    return tensor.data_ptr()
