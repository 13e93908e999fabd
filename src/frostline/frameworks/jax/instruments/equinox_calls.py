"""``equinox.filter_jit``: its arguments are modules, whose arrays are weights, and all else."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, TypeAlias

import jax

from frostline.core.facts import Fact, TensorFound
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function, Kind
from frostline.frameworks.jax.tensors.paths import Path, arrays_in, arrays_of_call, handed_back, is_inexact, tensors_of
from frostline.frameworks.jax.traces.records import Chosen, variable_of
from frostline.observe.script_lines import line_of

Known: TypeAlias = tuple[Callable[[], Any], Function, list[str]]  # what was compiled, its function, its parameters


class EquinoxCalls:
    """Has calls of what ``filter_jit`` made observed, and notes the filters that choose what is trained.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorFound,)

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._functions: dict[int, Known] = {}
        self._chosen: dict[int, tuple[Callable[[], Any], bool]] = {}

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.when_imported("equinox", self._hook)
        return []

    def _hook(self, equinox: Any) -> None:
        from importlib import import_module

        self._module, self._state = equinox.Module, equinox.nn.State
        # These tell arrays from functions: they choose nothing to be trained.
        self._by_type = [getattr(equinox, name) for name in dir(equinox) if name.startswith("is_")]
        compiling = import_module("equinox._jit")
        self._context.put(compiling, "_call", self._around_call(compiling._call))
        applied = self._around_apply(equinox.apply_updates)
        self._context.put(equinox, "apply_updates", applied)
        self._context.put(import_module("equinox._update"), "apply_updates", applied)
        self._context.put(equinox, "partition", self._around_partition(equinox.partition))

    def _around_call(self, original: Any) -> Any:
        @functools.wraps(original)
        def call(compiled: Any, is_lower: bool, args: Any, kwargs: Any) -> Any:
            calls = self._calls
            if is_lower or not calls.is_outermost():
                return original(compiled, is_lower, args, kwargs)
            known = self._functions.get(id(compiled))
            if known is None or known[0]() is not compiled:
                known = self._context.attempt("before a call", self._met, compiled)
                if known is None:
                    return original(compiled, is_lower, args, kwargs)
            prepared = Call(arrays_of_call, handed_back, self._kinds, (known[2], args, kwargs))
            return calls.run(known[1], prepared, original, (compiled, is_lower, args, kwargs), {})

        return call

    def _met(self, compiled: Any) -> Known:
        """A compiled function is called for the first time."""
        function = Function(str(compiled.fn).rpartition(".")[2], line=line_of(compiled))
        known = weakref.ref(compiled), function, list(compiled._signature.parameters)
        self._functions[id(compiled)] = known
        return known

    def _kinds(self, names: list[str], args: Any, kwargs: Any) -> dict[Path, Kind | None]:
        """The arrays of modules are weights, those of a ``State`` buffers."""
        found: dict[Path, Kind | None] = {}
        named = {names[i] if i < len(names) else f"arg{i}": value for i, value in enumerate(args)} | kwargs
        for root, value in named.items():
            if not isinstance(value, (self._module, self._state)):
                continue
            for path, array in arrays_in(root, value).items():
                if is_inexact(array):
                    buffer = isinstance(value, self._state)
                    found[path] = Kind("buffer") if buffer else Kind("parameter", self._flag(array))
        return found

    def _flag(self, array: Any) -> bool | None:
        reference, flag = self._chosen.get(id(array), (lambda: None, None))
        return flag if reference() is array else None

    # apply_updates(model, updates)

    def _around_apply(self, original: Any) -> Any:
        @functools.wraps(original)
        def apply_updates(model: Any, updates: Any) -> Any:
            result = original(model, updates)
            if not self._calls.elsewhere:
                self._context.quietly("updates were applied", self._context.updates.applied, model, updates, result)
            return result

        return apply_updates

    # partition(model, filter)

    def _around_partition(self, original: Any) -> Any:
        @functools.wraps(original)
        def partition(pytree: Any, filter_spec: Any, *args: Any, **kwargs: Any) -> Any:
            result = original(pytree, filter_spec, *args, **kwargs)
            by_type = any(filter_spec is each for each in self._by_type)
            if not by_type and not self._calls.elsewhere and isinstance(pytree, self._module):
                self._context.quietly("a filter was applied", self._note, result)
            return result

        return partition

    def _note(self, parts: Any) -> None:
        chosen = [
            (entry, flag)
            for flag, part in zip((True, False), parts, strict=True)
            for entry in tensors_of(part).values()
        ]
        if self._calls.current is not None:
            self._calls.note(Chosen([(variable_of(entry), flag) for entry, flag in chosen]))
            return
        for entry, flag in chosen:
            if isinstance(entry, jax.Array) and is_inexact(entry):
                self._chosen[id(entry)] = weakref.ref(entry), flag
