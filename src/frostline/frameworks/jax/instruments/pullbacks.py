"""``jax.vjp``: a gradient that the script pulls back by hand; which of the arguments it trains, others tell."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import jax

from frostline.core.facts import Fact
from frostline.frameworks.jax.context import Context, is_library
from frostline.frameworks.jax.tensors.paths import arrays_in, parameter_names, tensors_of
from frostline.frameworks.jax.traces.records import Differentiated, variable_of
from frostline.observe.script_lines import script_line


class Pullbacks:
    """Notes what functions that ``jax.vjp`` returned are called for.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._primals: weakref.WeakKeyDictionary[Any, tuple[Any, tuple[Any, ...]]] = weakref.WeakKeyDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        from jax._src import api

        self._context.put(jax, "vjp", self._around_vjp(jax.vjp))
        self._context.put(api.VJP, "__call__", self._around_call(api.VJP.__call__))
        return []

    def _around_vjp(self, original: Any) -> Any:
        @functools.wraps(original)
        def vjp(fun: Any, *primals: Any, **options: Any) -> Any:
            result = original(fun, *primals, **options)
            if not self._calls.elsewhere and not is_library(fun):
                self._context.quietly("a function is pulled back", self._keep, result[1], fun, primals)
            return result

        return vjp

    def _keep(self, pullback: Any, fun: Any, primals: tuple[Any, ...]) -> None:
        self._primals[pullback] = fun, primals

    def _around_call(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(pullback: Any, *cotangents: Any) -> Any:
            gradients = original(pullback, *cotangents)
            if pullback in self._primals and not self._calls.elsewhere:
                self._context.quietly("a gradient was pulled back", self._pulled, *self._primals[pullback], gradients)
            return gradients

        return call

    def _pulled(self, fun: Any, primals: tuple[Any, ...], gradients: tuple[Any, ...]) -> None:
        if self._calls.current is not None:
            for index, (primal, gradient) in enumerate(zip(primals, gradients, strict=True)):
                of = tensors_of(gradient)
                found = [
                    (path, variable_of(value), variable_of(of[path]))
                    for path, value in tensors_of(primal).items()
                    if path in of
                ]
                self._calls.note(Differentiated(found, script_line(), by_all=True, first=index == 0))
            return
        names = parameter_names(fun)
        arrays = arrays_in(names[0] if names else "arg0", primals[0])  # as jax.grad has it; others are data, as a rule
        for callback in self._context.signals.gradients_given if arrays else ():
            callback(fun, arrays, {})
