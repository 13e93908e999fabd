"""``jax.jit`` and ``jax.pmap``: a call of what they return, from outside any other, may be a step."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import Any, ClassVar

import jax
import wrapt

from frostline.core.facts import Fact, OptimizerFound, OptimizerSeen, TensorFound
from frostline.frameworks.jax.context import Context, is_library
from frostline.frameworks.jax.steps.functions import Call, Function, Lowered
from frostline.frameworks.jax.tensors.paths import Arrays, arrays_of_call, handed_back, parameter_names
from frostline.frameworks.jax.traces.records import Record
from frostline.observe.script_lines import line_of


class JitCalls:
    """Puts itself between the script and what it compiles.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (OptimizerFound, OptimizerSeen, TensorFound)

    def __init__(self, context: Context) -> None:
        self._calls = context.calls
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        from jax._src import api  # pmap takes its inner jit from here

        compiler = self._around(jax.jit)
        self._context.put(jax, "jit", compiler)
        self._context.put(api, "jit", compiler)
        self._context.put(jax, "pmap", self._around(jax.pmap))
        return []

    def _around(self, compiler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(compiler)
        def compile_observed(*args: Any, **kwargs: Any) -> Any:
            made = compiler(*args, **kwargs)
            function = args[0] if args else None
            observed = self._context.attempt("a function is compiled", self._observed, made, function, kwargs)
            return made if observed is None else observed

        return compile_observed

    def _observed(self, made: Any, function: Any, options: dict[str, Any]) -> Any:
        if function is None:  # called with options alone, they return a decorator
            return lambda later: self._observed(made(later), later, options)
        return _Observed(made, self._context, function, options)


class _Observed(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """What was compiled, as the script calls it; whatever else the script asks of it goes through."""

    def __init__(self, made: Any, context: Context, function: Any, options: dict[str, Any]) -> None:
        super().__init__(made, _Caller(made, context, function, options))

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        """As the function's own; what is compiled of this is called by itself."""
        caller: Any = self._self_wrapper
        return caller.lower(args, kwargs)


class _Caller:
    """Calls one compiled function, and has the call observed where it is made by the script itself."""

    def __init__(self, made: Any, context: Context, function: Any, options: dict[str, Any]) -> None:
        self._made, self._context, self._calls = made, context, context.calls
        self._names = parameter_names(function)
        self._traces = hasattr(made, "trace")
        self._library = is_library(function)
        self._static = _static(self._names, options)
        self._function = Function(_name_of(function), line=line_of(function))

    def __call__(self, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        calls = self._calls
        whole = args if instance is None else (instance, *args)
        if calls.current is not None:
            outer = calls.call
            if outer is None or outer.leads_to is not None or not (outer.compiled and self._traces):
                return wrapped(*args, **kwargs)
            if get_ident() != calls.thread:
                return wrapped(*args, **kwargs)
            # The first compiled function that an observed call leads to is that which holds the trace.
            outer.leads_to = self._made, whole, kwargs, self._static
            outer.out = wrapped(*args, **kwargs)
            return outer.out
        if self._library or not calls.is_outermost():
            return wrapped(*args, **kwargs)
        call = Call(self._handed, handed_back, given=(whole, kwargs))
        call.leads_to = (self._made, whole, kwargs, self._static) if self._traces else None
        return calls.run(self._function, call, wrapped, args, kwargs)

    def lower(self, args: Any, kwargs: Any) -> Any:
        """Have the function traced and lowered, and remember what was seen."""
        if self._calls.current is not None or self._library or self._calls.elsewhere:
            return self._made.lower(*args, **kwargs)
        lowered, records = self._calls.record(self._function, functools.partial(self._made.lower, *args, **kwargs))
        self._context.quietly("a function was lowered", self._keep, lowered, records, args, kwargs)
        return lowered

    def _keep(self, lowered: Any, records: list[Record], args: Any, kwargs: Any) -> None:
        names = [name for index, name in enumerate(self._names) if index not in self._static[0]]
        traced = self._made.trace(*args, **kwargs)
        self._context.lowered[lowered] = Lowered(self._function, names, traced, records)

    def _handed(self, args: Any, kwargs: Any) -> Arrays:
        positions, names = self._static
        dynamic = {name: value for name, value in kwargs.items() if name not in names}
        return arrays_of_call(self._names, (None if i in positions else each for i, each in enumerate(args)), dynamic)


def _name_of(function: Any) -> str:
    inner = getattr(function, "func", function)
    return str(getattr(function, "__name__", None) or getattr(inner, "__name__", type(inner).__name__))


def _static(names: list[str], options: dict[str, Any]) -> tuple[frozenset[int], frozenset[str]]:
    """The arguments that are no arrays, by number and by name; whichever was said, jax knows the other too."""
    numbers, named = options.get("static_argnums"), options.get("static_argnames") or ()
    positions = () if numbers is None else (numbers,) if isinstance(numbers, int) else tuple(numbers)
    named = (named,) if isinstance(named, str) else tuple(named)
    by_name = {names.index(name) for name in named if name in names}
    by_number = {names[number] for number in positions if number < len(names)}
    return frozenset({*positions, *by_name}), frozenset({*named, *by_number})
