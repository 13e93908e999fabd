"""Methods that a script has put in the place of an optimizer's ``step``, in which torch calls no hooks."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import torch
import wrapt

from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context

Hook = Callable[[torch.optim.Optimizer, Any, Any], None]


class ReplacedSteps:
    """Calls the hooks of a step around such methods; where torch's own method is called inside, that is one step.

    Args:
        context: knows the optimizers.
        before: the hook before a step.
        after: the hook after it.
    """

    def __init__(self, context: Context, before: Hook, after: Hook) -> None:
        self._context, self._before, self._after = context, before, after
        self._seen: weakref.WeakKeyDictionary[torch.optim.Optimizer, Any] = weakref.WeakKeyDictionary()
        self._classes: set[type] = set()

    def look(self) -> None:
        """Find those that are new since the last time."""
        for optimizer in self._context.optimizers.known():
            own, kind = vars(optimizer).get("step"), type(optimizer)
            if own is not None and own is not self._seen.get(optimizer) and not getattr(own, "hooked", False):
                self._put_around(optimizer, own)
            elif own is None and kind not in self._classes and not getattr(kind.step, "hooked", False):
                self._classes.add(kind)
                self._context.removers.append(put(kind, "step", wrapt.FunctionWrapper(kind.step, self._step)))

    def _put_around(self, optimizer: torch.optim.Optimizer, own: Any) -> None:
        reference = weakref.ref(optimizer)

        def step(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
            return self._step(wrapped, reference(), args, kwargs)

        observed = self._seen[optimizer] = wrapt.FunctionWrapper(own, step)
        optimizer.step = observed  # type: ignore[method-assign]

        def restore() -> None:
            held = reference()
            if held is not None and vars(held).get("step") is observed:
                held.step = own  # type: ignore[method-assign]

        self._context.removers.append(restore)

    def _step(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        self._before(optimizer, (optimizer, *args), kwargs)
        result = wrapped(*args, **kwargs)
        self._after(optimizer, (optimizer, *args), kwargs)
        return result
