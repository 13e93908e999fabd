"""optax: the updates that its optimizers make, and those that are applied."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.updates import MADE_AT
from frostline.observe.script_lines import script_line


class OptaxUpdates:
    """Hears of every transformation of gradients, and of updates that are applied.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context, self._calls, self._updates = context, context.calls, context.updates

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.when_imported("optax", self._hook)
        return []

    def _hook(self, optax: Any) -> None:
        kind = optax.GradientTransformation
        new = kind.__new__

        def make(cls: Any, init: Any, update: Any) -> Any:
            return new(cls, init, self._around_update(update))

        self._context.put(kind, "__new__", make)
        steps = optax.MultiSteps  # no transformation, but with a state that is shaped like weights
        self._context.put(steps, "update", self._around_steps(steps.update))
        applied = self._around_apply(optax.apply_updates)
        self._context.put(optax, "apply_updates", applied)
        self._context.put(optax._src.update, "apply_updates", applied)

    def _around_update(self, original: Any) -> Any:
        if hasattr(original, "_observed_by_frostline"):
            return original
        factory = getattr(original, "__qualname__", "optimizer").partition(".")[0]

        @functools.wraps(original)
        def update(*args: Any, **kwargs: Any) -> Any:
            if self._calls.elsewhere:
                return original(*args, **kwargs)
            gradients = args[0] if args else kwargs.get("updates")
            state = args[1] if len(args) > 1 else kwargs.get("state")
            self._context.quietly("an optimizer updates", self._updates.enter, factory, update, gradients, state)
            try:
                return original(*args, **kwargs)
            finally:
                self._updates.leave()

        update._observed_by_frostline = True  # type: ignore[attr-defined]
        setattr(update, MADE_AT, script_line())
        return update

    def _around_steps(self, original: Any) -> Any:
        @functools.wraps(original)
        def update(steps: Any, updates: Any, state: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._calls.elsewhere:
                self._context.quietly("gradients are gathered", self._updates.given_state, state)
            return original(steps, updates, state, *args, **kwargs)

        return update

    def _around_apply(self, original: Any) -> Any:
        @functools.wraps(original)
        def apply_updates(params: Any, updates: Any) -> Any:
            result = original(params, updates)
            if not self._calls.elsewhere:
                self._context.quietly("updates were applied", self._updates.applied, params, updates, result)
            return result

        return apply_updates
