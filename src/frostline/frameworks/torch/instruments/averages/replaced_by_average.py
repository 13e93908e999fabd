"""Trained weights that are replaced between steps by averages of them, again and again."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import torch

from frostline.core.facts import AveragePutIn, Fact
from frostline.frameworks.alive import alive
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES
from frostline.observe.schedule import due
from frostline.observe.variable_names import variable_names

HEAD = 64  # bytes of a tensor that stand for it
TIMES = 2  # as often the very same tensor was put in its place
_FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


@dataclass(slots=True)
class _Watched:
    """One weight of an optimizer, with what it began with when the last step ended.

    ``source`` is the tensor whose bits took its place, ``taken`` those then, ``goes_on`` counts the steps in which that
    moved, ``steps`` those after which it was put in.
    """

    weight: weakref.ref[torch.Tensor]
    head: bytes = b""
    writes: int = 0
    source: weakref.ref[torch.Tensor] | None = None
    taken: bytes = b""
    goes_on: int = 0
    steps: list[int] = field(default_factory=list)
    names: tuple[str, str] | None = None  # of the weight and of the source, once they were told


class ReplacedByAverage:
    """Compares the first bytes of one weight of each optimizer from one step to the next, in the CPU's memory.

    Where they differ, another tensor with the weight's new bits is looked for: the 1st, 2nd, 4th, … time.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (AveragePutIn,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._watched: dict[Hashable, _Watched] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.step_nears.append(self._step_nears)
        signals.step_ended.append(self._step_ended)
        signals.finishing.append(self._finishing)
        return []

    def _step_ended(self, optimizer: torch.optim.Optimizer, key: Hashable) -> None:
        if key not in self._watched:
            weight = next((each for each in held(optimizer) if _can_be_read(each)), None)
            if weight is None:
                return
            self._watched[key] = _Watched(weakref.ref(weight))
        for each in self._watched.values():
            weight = each.weight()
            each.head = _head(weight) if weight is not None else b""

    def _step_nears(self, key: Hashable, _: bool) -> None:
        watched = self._watched.get(key)
        weight = watched.weight() if watched is not None else None
        if watched is None or weight is None or not watched.head:
            return
        source = watched.source() if watched.source is not None else None
        if source is not None and _head(source) != watched.taken:
            watched.taken = _head(source)
            watched.goes_on += 1
        if (now := _head(weight)) != watched.head:
            self._written(watched, weight, source, now)

    def _written(self, watched: _Watched, weight: torch.Tensor, source: torch.Tensor | None, now: bytes) -> None:
        watched.writes += 1
        if (source is None or _head(source) != now) and due(watched.writes):
            with aside():
                source = next(iter(_alike(weight)), None)
            watched.source = weakref.ref(source) if source is not None else None
            watched.goes_on, watched.steps, watched.names = 0, [], None
        if source is not None and _head(source) == now:
            watched.taken = now
            watched.steps.append(self._context.recorder.steps)
            if len(watched.steps) == TIMES:
                self._name(watched, source)

    def _finishing(self) -> None:
        for watched in self._watched.values():
            if watched.names is not None and len(watched.steps) > TIMES:
                self._tell(watched)

    def _name(self, watched: _Watched, source: torch.Tensor) -> None:
        entry = self._context.models.of(watched.weight())
        if entry is not None and watched.goes_on >= len(watched.steps):
            name = variable_names({id(source)}).get(id(source), "a copy kept by the script")
            watched.names = entry.row.name, name
            self._tell(watched)

    def _tell(self, watched: _Watched) -> None:
        assert watched.names is not None
        tensor, source = watched.names
        steps = tuple(watched.steps)
        self._context.tell(
            AveragePutIn(step=steps[-1], tensor=tensor, source=source, steps=steps, moved=watched.goes_on)
        )


def _can_be_read(tensor: torch.Tensor) -> bool:
    dense = type(tensor) in PLAIN_TYPES and tensor.layout == torch.strided and tensor.device.type == "cpu"
    return dense and tensor.requires_grad and tensor.dtype in _FLOATS and tensor.is_contiguous() and tensor.numel() > 1


def _head(tensor: torch.Tensor) -> bytes:
    """The first bytes of its memory."""
    size = min(HEAD, tensor.numel() * tensor.element_size())
    return ctypes.string_at(tensor.data_ptr(), size)


def _alike(weight: torch.Tensor) -> Iterable[torch.Tensor]:
    """Other tensors of the process with the same bits, in memory of their own."""
    head = _head(weight)
    for each in alive(torch.Tensor):
        same_form = type(each) in PLAIN_TYPES and each.dtype == weight.dtype and each.shape == weight.shape
        if (
            not same_form
            or each.device.type != "cpu"
            or not each.is_contiguous()
            or each.data_ptr() == weight.data_ptr()
        ):
            continue
        if _head(each) == head and torch.equal(each.detach(), weight.detach()):
            yield each
