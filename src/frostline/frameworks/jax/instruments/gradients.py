"""``jax.grad`` and ``jax.value_and_grad``: by what a loss is differentiated, and which value is the gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import jax

from frostline.core.facts import Fact
from frostline.frameworks.jax.context import Context, is_library
from frostline.frameworks.jax.tensors.paths import Arrays, arrays_in, parameter_names, tensors_of
from frostline.frameworks.jax.traces.records import Differentiated, Stopped, variable_of
from frostline.observe.script_lines import script_line


class Gradients:
    """Notes gradients while a function of the script is traced.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.put(jax, "grad", self._around(jax.grad, with_value=False))
        self._context.put(jax, "value_and_grad", self._around(jax.value_and_grad, with_value=True))
        self._context.put(jax.lax, "stop_gradient", self._around_stop(jax.lax.stop_gradient))
        return []

    def _around(self, original: Callable[..., Any], with_value: bool) -> Callable[..., Any]:
        @functools.wraps(original)
        def differentiate(fun: Any, argnums: Any = 0, has_aux: bool = False, *args: Any, **kwargs: Any) -> Any:
            made = original(fun, argnums, has_aux, *args, **kwargs)

            @functools.wraps(made)
            def call(*args: Any, **kwargs: Any) -> Any:
                if self._calls.current is None and not self._calls.elsewhere:
                    self._context.quietly("a gradient is asked for", self._given, fun, argnums, args)
                result = made(*args, **kwargs)
                if self._calls.current is not None:
                    gradients = result[1] if with_value else result[0] if has_aux else result
                    self._context.quietly("a gradient was traced", self._note, argnums, args, gradients)
                return result

            return call

        return differentiate

    def _given(self, fun: Any, argnums: Any, args: Any) -> None:
        """Outside every compiled function the script gets the gradient itself."""
        if is_library(fun):
            return
        names = parameter_names(fun)
        arrays: Arrays = {}
        for number in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
            arrays.update(arrays_in(names[number] if number < len(names) else f"arg{number}", args[number]))
        if arrays:
            for callback in self._context.signals.gradients_given:
                callback(fun, arrays, {})

    def _note(self, argnums: Any, args: Any, gradients: Any) -> None:
        several = isinstance(argnums, (tuple, list))
        found = []
        for number, gradient in zip(
            argnums if several else (argnums,), gradients if several else (gradients,), strict=True
        ):
            of = tensors_of(gradient)
            for path, value in tensors_of(args[number]).items():
                if path in of:
                    found.append((path, variable_of(value), variable_of(of[path])))
        self._calls.note(Differentiated(found, script_line()))

    def _around_stop(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def stop_gradient(x: Any) -> Any:
            if self._calls.current is not None:
                self._context.quietly("a gradient is stopped", self._note_stop, x)
            return original(x)

        return stop_gradient

    def _note_stop(self, tree: Any) -> None:
        self._calls.note(Stopped([variable_of(entry) for entry in jax.tree_util.tree_leaves(tree)]))
