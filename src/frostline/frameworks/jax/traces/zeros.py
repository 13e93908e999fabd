"""Which values of a traced function are zero whatever it is given, as long as everything in it is finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from frostline.frameworks.jax.traces.graph import Graph

LARGEST = 1 << 20  # numbers of a constant that is looked through
DEPTH = 200

# By primitive, the operands that must be zero for the result to be: all of them, one of them, or the first.
ALL = frozenset(["add", "sub", "add_any", "concatenate", "pad", "max", "min"])
ANY = frozenset({"mul", "dot_general", "conv_general_dilated"})
FIRST = frozenset(
    [
        "broadcast_in_dim",
        "convert_element_type",
        "reshape",
        "neg",
        "transpose",
        "squeeze",
        "copy",
        "reduce_sum",
        "expand_dims",
        "slice",
        "psum",
        "psum_invariant",
        "pvary",
        "real",
        "imag",
        "sqrt",
        "abs",
        "sign",
        "reduce_max",
        "dynamic_slice",
        "cumsum",
        "div",
        "gather",
        "rev",
    ]
)


class Zeros:
    """Finds zeros in one graph.

    Args:
        graph: of the traced function.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._known: dict[int, bool] = {}

    def has(self, node: int, depth: int = 0) -> bool:
        """Whether the value is provably zero."""
        node = self._graph.root(node)
        if node not in self._known:
            if depth > DEPTH:
                return False
            self._known[node] = False  # until it is proven
            self._known[node] = self._find(node, depth + 1)
        return self._known[node]

    def _find(self, node: int, depth: int) -> bool:
        if node in self._graph.constants:
            return _is_zero(self._graph.constants[node])
        primitive, operands = self._graph.made.get(node, ("", []))
        if primitive in FIRST:
            return self.has(operands[0], depth)
        if primitive in ANY:
            return any(self.has(each, depth) for each in operands)
        if primitive in ALL:
            return all(self.has(each, depth) for each in operands)
        return primitive == "select_n" and all(self.has(each, depth) for each in operands[1:])


def _is_zero(value: Any) -> bool:
    try:
        return np.size(value) <= LARGEST and not np.any(np.asarray(value))
    except Exception:  # a type that numpy does not know, such as a random key
        return False
