"""``nnx.jit``: it writes to the variables of the objects that it is handed, whose types tell what each variable is."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import wrapt

from frostline.core.facts import Fact, TensorFound
from frostline.frameworks.jax.context import LIBRARIES, Context
from frostline.frameworks.jax.steps.functions import Call, Function, Kind
from frostline.frameworks.jax.tensors.paths import Arrays, Path, is_array, parameter_names
from frostline.observe.script_lines import line_of
from frostline.observe.variable_names import variable_names

COMPILED = ("JitWrapped", "SimpleJitWrapped", "SimpleJitPartialWrapped")


class NnxCalls:
    """Has calls of what ``nnx.jit`` made observed, with the variables of the objects in their arguments.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorFound,)

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._functions: dict[int, tuple[Callable[[], Any], Function, list[str]]] = {}
        self._optimizers: list[tuple[Callable[[], Any], Callable[[], Any]]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.when_imported("flax.nnx", self._hook)
        return []

    def _hook(self, nnx: Any) -> None:
        from importlib import import_module

        self._nnx = nnx
        self._optimizer_state = import_module("flax.nnx.training.optimizer").OptState
        compilation = import_module("flax.nnx.transforms.compilation")
        for name in COMPILED:
            kind = getattr(compilation, name, None)
            if kind is not None:
                self._context.put(kind, "__call__", wrapt.FunctionWrapper(vars(kind)["__call__"], self._called))
        updated = wrapt.FunctionWrapper(vars(nnx.Optimizer)["update"], self._updated)
        self._context.put(nnx.Optimizer, "update", updated)
        made = wrapt.FunctionWrapper(vars(nnx.Optimizer)["__init__"], self._optimizer_made)
        self._context.put(nnx.Optimizer, "__init__", made)

    def _optimizer_made(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        model = args[0] if args else kwargs.get("model")
        self._context.quietly("an optimizer was made", self._keep, optimizer, model)
        return result

    def _updated(self, wrapped: Any, optimizer: Any, args: Any, kwargs: Any) -> Any:
        """Outside every compiled function this is a step of the optimizer, which writes to the model."""
        if not self._calls.is_outermost():
            return wrapped(*args, **kwargs)
        prepared = self._context.attempt("before an update", self._prepared_update, optimizer, args)
        return wrapped(*args, **kwargs) if prepared is None else self._calls.run(*prepared, wrapped, args, kwargs)

    def _prepared_update(self, optimizer: Any, args: Any) -> tuple[Function, Call]:
        known = self._functions.get(id(optimizer))
        if known is None or known[0]() is not optimizer:
            function = Function("optimizer", label=type(optimizer).__name__, in_place=True)
            known = self._functions[id(optimizer)] = weakref.ref(optimizer), function, []
        model = args[0] if isinstance(args[0], self._nnx.Module) else optimizer.model
        name = (
            variable_names({id(model)}, skip=tuple(LIBRARIES)).get(id(model), "model") if not known[2] else known[2][0]
        )
        known[2][:] = [name]
        roots = {name: model, "optimizer": optimizer}
        return known[1], Call(self._arrays, self._now(roots), self._kinds, (roots,), compiled=False)

    def _keep(self, optimizer: Any, model: Any) -> None:
        self._optimizers.append((weakref.ref(optimizer), weakref.ref(model)))

    def _called(self, wrapped: Any, compiled: Any, args: Any, kwargs: Any) -> Any:
        calls = self._calls
        if not calls.is_outermost():
            return wrapped(*args, **kwargs)
        prepared = self._context.attempt("before a call", self._prepared, compiled, args, kwargs)
        return wrapped(*args, **kwargs) if prepared is None else calls.run(*prepared, wrapped, args, kwargs)

    def _prepared(self, compiled: Any, args: Any, kwargs: Any) -> tuple[Function, Call]:
        function, names = self._function(compiled)
        whole = (*(getattr(compiled, "partial_args", None) or ()), *args)
        roots = {names[i] if i < len(names) else f"arg{i}": value for i, value in enumerate(whole)} | kwargs
        return function, Call(self._arrays, self._now(roots), self._kinds, (roots,))

    def _function(self, compiled: Any) -> tuple[Function, list[str]]:
        known = self._functions.get(id(compiled))
        if known is None or known[0]() is not compiled:
            function = Function(str(getattr(compiled, "__name__", "nnx.jit")), in_place=True)
            function.line = line_of(getattr(compiled, "fun", compiled))
            known = weakref.ref(compiled), function, parameter_names(getattr(compiled, "fun", compiled))
            self._functions[id(compiled)] = known
        return known[1], known[2]

    # Variables

    def _variables(self, roots: dict[str, Any]) -> Iterator[tuple[Path, Any, Any, str]]:
        """Path, variable, array and the type of the module around, each variable once, under the first of its names."""
        seen: set[int] = set()
        for root, value in roots.items():
            for path, node in self._nodes(root, value):
                types = self._types
                types[path] = type(node).__name__
                array = node.get_raw_value() if isinstance(node, self._nnx.Variable) else node
                if is_array(array) and id(node) not in seen:
                    seen.add(id(node))
                    yield path, node, array, types.get(path[:-1], "")

    def _nodes(self, root: str, value: Any) -> Iterator[tuple[Path, Any]]:
        if isinstance(value, (self._nnx.Module, self._nnx.Optimizer)) or type(value).__module__.startswith("flax.nnx"):
            found = [((root, *map(str, path)), node) for path, node in self._nnx.iter_graph(value)]
            self._types = {path: type(node).__name__ for path, node in found}
            yield from found
        elif isinstance(value, (tuple, list)):
            for index, item in enumerate(value):
                yield from self._nodes(f"{root}.{index}", item)

    def _now(self, roots: dict[str, Any]) -> Callable[[Any], Arrays]:
        """What a call hands back is written to the objects that it was handed."""
        return lambda _: self._arrays(roots)

    def _arrays(self, roots: dict[str, Any]) -> Arrays:
        return {path: array for path, _, array, _ in self._variables(roots)}

    def _kinds(self, roots: dict[str, Any]) -> dict[Path, Kind | None]:
        """What each variable is, by its type; None for those that are no tensors of a model."""
        chosen = self._chosen(roots)
        found: dict[Path, Kind | None] = {}
        for path, node, _, module in self._variables(roots):
            kind: Kind | None = None
            if isinstance(node, self._nnx.Param):
                kind = Kind("parameter", chosen.get(id(node)), module)
            elif not isinstance(node, (self._optimizer_state, self._nnx.RngState)):
                kind = Kind("buffer", None, module)
            found[path] = kind
        return found

    def _chosen(self, roots: dict[str, Any]) -> dict[int, bool]:
        """By variable, whether the ``wrt`` of an optimizer takes it; of models that have an optimizer."""
        found: dict[int, bool] = {}
        for optimizer, model in ((each(), of()) for each, of in self._optimizers):
            if optimizer is None or model is None or not any(value is optimizer for value in roots.values()):
                continue
            takes = self._nnx.filterlib.to_predicate(optimizer.wrt)
            for path, node in self._nnx.iter_graph(model):
                if isinstance(node, self._nnx.Variable):
                    found[id(node)] = found.get(id(node), False) or bool(takes(path, node))
        return found
