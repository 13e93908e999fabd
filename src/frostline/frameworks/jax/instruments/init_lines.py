"""Which lines make weights: ``init`` of linen modules, constructors of nnx variables and of equinox modules."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import jax
import wrapt

from frostline.core.events.fact import Origin
from frostline.core.facts import Fact, LineSeen
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.tensors.paths import is_array, is_inexact
from frostline.frameworks.jax.traces.outside import is_outside
from frostline.observe.script_lines import makers, script_line

_Noted = tuple[weakref.ref[Any], Origin, int]  # with the step


class InitLines:
    """Notes the arrays that these make, and tells the line of each that turns out to be a tensor.

    Weights that are made inside a compiled function have no line.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LineSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lines: dict[int, _Noted] = {}  # by id of the array
        self._told: set[int] = set()  # numbers of tensors

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.when_imported("flax.linen", self._hook_linen)
        self._context.when_imported("flax.nnx", self._hook_nnx)
        self._context.when_imported("equinox", self._hook_equinox)
        self._context.signals.step_learned.append(self._tell)
        return []

    def _hook_linen(self, linen: Any) -> None:
        for name in ("init", "init_with_output"):
            self._context.put(linen.Module, name, wrapt.FunctionWrapper(vars(linen.Module)[name], self._initialise))

    def _hook_nnx(self, nnx: Any) -> None:
        made = wrapt.FunctionWrapper(vars(nnx.Variable)["__init__"], self._make_variable)
        self._context.put(nnx.Variable, "__init__", made)

    def _hook_equinox(self, equinox: Any) -> None:
        meta = next(kind for kind in type(equinox.Module).__mro__ if "__call__" in vars(kind))
        original = vars(meta)["__call__"]

        @functools.wraps(original)
        def construct(kind: type, *args: Any, **kwargs: Any) -> Any:
            module = original(kind, *args, **kwargs)
            self._note(module, lambda: module)
            return module

        self._context.put(meta, "__call__", construct)

    def _initialise(self, wrapped: Any, module: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        self._note(None, lambda: result)
        return result

    def _make_variable(self, wrapped: Any, variable: Any, args: Any, kwargs: Any) -> Any:
        wrapped(*args, **kwargs)
        self._note(variable, variable.get_raw_value)

    def _note(self, made: Any, tree: Callable[[], Any]) -> None:
        """The script makes what is in this tree, unless an inner module was seen to make it."""
        if is_outside():
            self._context.quietly("weights were made", self._note_arrays, made, tree)

    def _note_arrays(self, made: Any, tree: Callable[[], Any]) -> None:
        arrays = [each for each in jax.tree_util.tree_leaves(tree()) if is_array(each) and is_inexact(each)]
        new = [each for each in arrays if self._of(each) is None]
        if not new or (line := script_line(but=makers(made))) is None:
            return
        for array in new:
            forget = functools.partial(self._forget, id(array))
            self._lines[id(array)] = weakref.ref(array, forget), line, self._context.recorder.steps

    def _of(self, array: Any) -> _Noted | None:
        noted = self._lines.get(id(array))
        return noted if noted is not None and noted[0]() is array else None

    def _forget(self, number: int, _: weakref.ref[Any]) -> None:
        self._lines.pop(number, None)

    def _tell(self, function: Function, call: Call) -> None:
        groups: dict[tuple[Origin, int], list[int]] = {}
        for path, tensor in function.tensors.items():
            noted = self._of(call.arrays.get(path))
            if noted is not None and tensor.row.id not in self._told:
                self._told.add(tensor.row.id)
                groups.setdefault(noted[1:], []).append(tensor.row.id)
        for (line, step), numbers in groups.items():
            self._context.tell(LineSeen(step=step, act="made", tensors=tuple(numbers), origin=line))
