"""Functions that are lowered and compiled ahead of time: a call of what was compiled is a call of the function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import jax
import wrapt

from frostline.core.facts import Fact, OptimizerFound, TensorFound
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import arrays_of_call, handed_back


class AotCalls:
    """Follows what was lowered to what is compiled of it, and has calls of that observed.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerFound, TensorFound)

    def __init__(self, context: Context) -> None:
        self._context, self._calls, self._lowered = context, context.calls, context.lowered

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        for kind, name, ours in (
            (jax.stages.Lowered, "compile", self._compile),
            (jax.stages.Compiled, "__call__", self._called),
        ):
            self._context.put(kind, name, wrapt.FunctionWrapper(vars(kind)[name], ours))
        return []

    def _compile(self, wrapped: Any, lowered: Any, args: Any, kwargs: Any) -> Any:
        compiled = wrapped(*args, **kwargs)
        known = self._lowered.get(lowered)
        if known is not None:
            self._lowered[compiled] = known
        return compiled

    def _called(self, wrapped: Any, compiled: Any, args: Any, kwargs: Any) -> Any:
        if compiled not in self._lowered or self._calls.current is not None or self._calls.elsewhere:
            return wrapped(*args, **kwargs)
        function, call = self._prepared(compiled, args, kwargs)
        return self._calls.run(function, call, wrapped, args, kwargs)

    def _prepared(self, compiled: Any, args: Any, kwargs: Any) -> tuple[Function, Call]:
        known = self._lowered[compiled]
        function = known.function
        call = Call(arrays_of_call, handed_back, given=(known.names, args, kwargs))
        call.leads_to = (compiled, args, kwargs, (frozenset(), frozenset()), known.traced)
        if not function.called:
            function.records.extend(known.records)
        return function, call
