"""The trace of a compiled function that was just called: jax keeps it, so that asking for it traces nothing again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax

from frostline.frameworks.jax.tensors.paths import Arrays
from frostline.frameworks.jax.traces.graph import Graph, Unclear
from frostline.frameworks.jax.traces.proofs import Shape, Trace


@dataclass(slots=True)
class Jitted:
    """One call of what ``jax.jit`` made: with which arguments, which are static, by number and by name, and what
    came of it.

    ``traced`` is the trace itself, where it is known already.
    """

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    static: tuple[frozenset[int], frozenset[str]] = frozenset(), frozenset()
    traced: Any = None
    out: Any = None

    def read(self, inputs: Arrays, outputs: Arrays) -> Trace:
        """The graph with the given arrays found in it.

        Raises:
            Unclear: arguments and variables do not correspond, or the function is too large.
        """
        graph = Graph((self.traced or self.function.trace(*self.args, **self.kwargs)).jaxpr)
        numbers, names = self.static
        dynamic = (
            tuple(value for index, value in enumerate(self.args) if index not in numbers),
            {name: value for name, value in self.kwargs.items() if name not in names},
        )
        handed, handed_back = jax.tree_util.tree_leaves(dynamic), jax.tree_util.tree_leaves(self.out)
        if len(handed) != len(graph.inputs) or len(handed_back) != len(graph.outputs):
            raise Unclear("the arguments of a compiled function are not those of its trace")
        return Trace(
            graph,
            _located(inputs, handed, graph.inputs),
            _located(outputs, handed_back, graph.outputs),
            {path: _shape(array) for path, array in inputs.items()},
            {path: _shape(array) for path, array in outputs.items()},
        )


def _located(arrays: Arrays, tensors: list[Any], nodes: list[int]) -> dict[Any, int]:
    """The node of each array; one object that stands at several places has them in order."""
    by_object: dict[int, list[int]] = {}
    for entry, node in zip(tensors, nodes, strict=True):
        by_object.setdefault(id(entry), []).append(node)
    found = {}
    for path, array in arrays.items():
        places = by_object.get(id(array))
        if places:
            found[path] = places.pop(0) if len(places) > 1 else places[0]
    return found


def _shape(array: Any) -> Shape:
    return tuple(array.shape), str(array.dtype)
