"""Models that are converted to a type of fewer digits and back, for an evaluation, say: that rounds every weight."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable, Hashable, Iterable
from typing import Any, ClassVar

import torch
from torch import nn

from frostline.core.facts import Fact, Moved
from frostline.core.ledger import CONVERTED
from frostline.digest.floats import FLOATS
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.tensors import NamedTensor
from frostline.observe.schedule import due

CONVERTERS = {
    "half": torch.float16,
    "bfloat16": torch.bfloat16,
    "float": torch.float32,
    "double": torch.float64,
    "to": None,
}


def _target(method: str, args: Any, kwargs: Any) -> torch.dtype | None:
    """The type that a call of one of the converters asks for; None where it asks for none."""
    dtype = torch._C._nn._parse_to(*args, **kwargs)[1] if method == "to" else CONVERTERS[method]
    return dtype if _name(dtype) in FLOATS else None


class DtypeCasts:
    """Brackets the way there and back: what moved in it was rounded, at the 1st, 2nd, 4th, … time of each module.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Moved,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._counts: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self._away: weakref.WeakKeyDictionary[nn.Module, list[Hashable]] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        return [self._context.wrap(nn.Module, name, functools.partial(self._convert, name)) for name in CONVERTERS]

    def _convert(self, method: str, wrapped: Any, module: Any, args: Any, kwargs: Any) -> Any:
        dtype = None
        if self._context.recorder.steps and self._context.thread.is_here():
            with contextlib.suppress(TypeError, RuntimeError):  # what cannot be read, the call complains about
                dtype = _target(method, args, kwargs)
        if dtype is None:
            return wrapped(*args, **kwargs)
        self._context.quietly("before a conversion", self._before, module, dtype)
        result = wrapped(*args, **kwargs)
        self._context.quietly("after a conversion", self._after, module, dtype)
        return result

    def _before(self, module: nn.Module, dtype: torch.dtype) -> None:
        """A conversion is about to begin: what moved until now is none of its doing."""
        tensors = [entry for entry in self._models.below(module) if _digits(dtype) < _digits_of(entry)]
        if module in self._away or not tensors:
            return
        self._counts[module] = self._counts.get(module, 0) + 1
        if due(self._counts[module]):
            keys = [entry.key for entry in tensors if self._context.recorder.tensors[entry.key].frozen]
            self._context.recorder.look_now(keys)
            self._away[module] = keys

    def _after(self, module: nn.Module, dtype: torch.dtype) -> None:
        """A conversion is over; where it led back, what moved since it was begun was rounded."""
        known = {entry.key: entry for entry in self._models.tensors} if module in self._away else {}
        if not all(_digits(dtype) >= _digits_of(known[key]) for key in self._away.get(module, ())):
            return
        keys = self._away.pop(module, [])
        if keys:
            self._models.refresh()  # a buffer is another tensor now
            self._context.recorder.look_now(keys, "outside", CONVERTED)


def _name(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")


def _digits(dtype: torch.dtype) -> int:
    return FLOATS[_name(dtype)].fraction


def _digits_of(entry: NamedTensor) -> int:
    """Binary digits of the tensor's own type; none for whole numbers, which such conversions leave alone."""
    return FLOATS[entry.row.dtype].fraction if entry.row.dtype in FLOATS else 0
