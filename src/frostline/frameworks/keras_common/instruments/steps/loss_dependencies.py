"""Which variables a loss depends on, in steps that tensorflow traces: read off the graph when gradients are asked for.

A step of the script's own may ask for the gradients of some variables only; that the others would have had one too
shows nowhere else. The graph is followed from the loss backwards, along the ways that gradients can go.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from frostline.core.facts import Fact, TensorSeen
from frostline.frameworks.keras_common.context import Context
from frostline.frameworks.keras_common.models.models import Models
from frostline.frameworks.keras_common.optimizers.gradient_inference import lies_on_the_way
from frostline.frameworks.keras_common.tensors.init_distribution import looks_initial
from frostline.frameworks.keras_common.tensors.tensors import NamedVariable

READS = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd"}
# Functions and branches: a cut inside them is not looked for, so nothing is said of what lies behind.
FUNCTIONS = {"PartitionedCall", "StatefulPartitionedCall", "While", "StatelessWhile", "If", "StatelessIf", "Case"}


class LossDependencies:
    """Remembers, by their handles, the variables that the losses of traced steps depend on.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._handles: set[int] = set()
        self._loaded: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument; only tensorflow has tapes, and only there are models met when they are read from files."""
        context = self._context
        context.signals.weights_given.append(self._given)
        context.signals.finished.append(self._settle)
        if context.dialect.backend != "tensorflow":
            return []
        package = sys.modules[context.dialect.package]
        return [
            context.wrap(sys.modules["tensorflow"].GradientTape, "gradient", self._gradient),
            *(context.wrap_function(module, "load_model", self._load) for module in (package.models, package.saving)),
        ]

    def _gradient(self, original: Callable[..., Any], tape: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        self._context.quietly("gradients are asked for", lambda: self._follow(target))
        return original(tape, target, *args, **kwargs)

    def _load(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        model = original(*args, **kwargs)
        self._context.quietly("a model was loaded", lambda: self._given(model.weights))
        return model

    def _given(self, variables: Iterable[Any]) -> None:
        """These variables were given weights before the first step: a network trained before."""
        for variable in variables:
            self._loaded[id(variable)] = variable

    def _follow(self, target: Any) -> None:
        """Note what ``target`` depends on, where it belongs to a graph."""
        tensorflow = sys.modules["tensorflow"]
        if tensorflow.executing_eagerly():
            return
        stack = [each for each in tensorflow.nest.flatten(target) if _is_symbolic(each)]
        seen: set[int] = set()
        while stack:
            operation = stack.pop().op
            if id(operation) in seen:
                continue
            seen.add(id(operation))
            if operation.type in READS:
                self._handles.add(_origin(operation.inputs[0])._id)
            elif operation.type not in FUNCTIONS and _lets_through(operation):
                stack.extend(each for each in operation.inputs if each.dtype.is_floating)

    def _settle(self) -> None:
        """Say which tensors that no optimizer holds a loss depends on; fixed networks to measure by are none of them.

        Where no graph was seen, in a loop that runs eagerly or on jax, layers in front of it that a step moved tell; on
        torch gradients that nobody cleared do.
        """
        models = self._context.models
        left_out = [entry for entry in models.tensors if _is_left_out(entry)]
        reached = [
            entry
            for entry in left_out
            if self._was_followed(entry) or _has_gradient(entry, models) or lies_on_the_way(entry, models, "step")
        ]
        fixed = {
            entry.row.model for entry in reached if id(entry.variable) in self._loaded or looks_initial(entry) is False
        }
        for entry in reached:
            if entry.row.model not in fixed:
                self._context.tell(TensorSeen(tensor=entry.row.id, reached_by_backward=True))

    def _was_followed(self, entry: NamedVariable) -> bool:
        variable = entry.variable
        handle = getattr(getattr(variable, "_value", variable), "handle", None)
        return getattr(handle, "_id", None) in self._handles


def _is_left_out(entry: NamedVariable) -> bool:
    row = entry.row
    held = any(holding.listed for holding in row.optimizers)
    return bool(row.declared.trainable) and row.changed.verdict == "no" and not held


def _has_gradient(entry: NamedVariable, models: Models) -> bool:
    """Whether the backend left a gradient in it."""
    return entry.variable is not None and models.dialect.gradient(entry.variable)[0] == "nonzero"


def _lets_through(operation: Any) -> bool:
    """Whether the operation has a gradient, of tensorflow's or of the script's own."""
    if operation.type == "Placeholder":
        return False
    try:
        return sys.modules["tensorflow.python.framework.ops"].get_gradient_function(operation) is not None
    except LookupError:
        return False


def _origin(handle: Any) -> Any:
    """The handle outside all functions that the one inside them was captured from."""
    while _is_symbolic(handle) and handle.op.type == "Placeholder":
        outer = _captured(handle, handle.graph.captures)
        if outer is None:
            return handle
        handle = outer
    return handle


def _captured(inside: Any, captures: Iterable[tuple[Any, Any]]) -> Any:
    return next((outer for outer, inner in captures if inner is inside), None)


def _is_symbolic(tensor: Any) -> bool:
    return hasattr(tensor, "op") and not hasattr(tensor, "numpy")
