"""The data flow of a traced function: one graph over all values of its jaxpr and of the jaxprs inside it.

Every call of an inner jaxpr gets nodes of its own: jax traces a function once and calls the result from many places.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from jax.extend.core import Literal

# One result for each operand, with the operand's bits.
KEEPS_BITS = frozenset(
    [
        "copy",
        "copy_p",
        "optimization_barrier",
        "sharding_constraint",
        "pbroadcast",
        "pvary",
        "device_put",
        "reshard",
        "layout_constraint",
    ]
)
RESHAPES = frozenset(
    {"squeeze", "reshape", "expand_dims", "broadcast_in_dim"}
)  # keep the bits where they keep the size
LARGEST = 200_000  # equations; of larger functions nothing is proven


class Unclear(Exception):
    """Nothing can be read from the trace of a function, for this reason: then nothing is known of its steps."""


class Graph:
    """The values of one traced function, as numbered nodes.

    Args:
        closed: the closed jaxpr of the function.

    Raises:
        Unclear: it has more than ``LARGEST`` equations.
    """

    def __init__(self, closed: Any) -> None:
        self.sources: list[list[int]] = []  # by node: the nodes it is computed from
        self.same: dict[int, int] = {}  # nodes that have the very bits of another one
        self.enters: dict[int, int] = {}  # the carry of a loop, and the value with which the loop begins
        self.made: dict[int, tuple[str, list[int]]] = {}  # primitive and operands
        self.constants: dict[int, Any] = {}
        self.nodes: dict[Any, list[int]] = {}  # of a variable, one for each call of the jaxpr that has it
        self._equations = 0
        top = closed.jaxpr
        scope: dict[Any, int] = {}
        for variable, value in zip(top.constvars, closed.consts, strict=True):
            self._constant(scope, variable, value)
        self.inputs = [self._define(scope, variable) for variable in top.invars]
        self._walk(top, scope)
        self.outputs = [self._read(scope, each) for each in top.outvars]

    # Questions

    def root(self, node: int) -> int:
        """The node whose bits this one has, followed to where these come from."""
        while node in self.same:
            node = self.same[node]
        return node

    def origin(self, node: int) -> int:
        """Where a value enters from outside: like ``root``, and out of the loops that carry it."""
        while True:
            node = self.root(node)
            if node not in self.enters:
                return node
            node = self.enters[node]

    def ancestors(self, nodes: Iterable[int], without: int | None = None) -> set[int]:
        """These nodes and all that they are computed from; not what comes in by way of ``without`` alone."""
        seen: set[int] = set()
        todo = list(nodes)
        while todo:
            node = todo.pop()
            if node not in seen and node != without:
                seen.add(node)
                todo.extend(self.sources[node])
        return seen

    def dependence(self, targets: Sequence[int]) -> list[int]:
        """By node, which of ``targets`` it is computed from, as a mask with one bit for each."""
        masks = [0] * len(self.sources)
        for bit, target in enumerate(targets):
            masks[target] |= 1 << bit
        changed = True
        while changed:  # loops lead back; without them one pass does
            changed = False
            for node, sources in enumerate(self.sources):
                mask = masks[node]
                for source in sources:
                    mask |= masks[source]
                if mask != masks[node]:
                    masks[node], changed = mask, True
        return masks

    # Building

    def _node(self, sources: Iterable[int] = ()) -> int:
        self.sources.append(list(sources))
        return len(self.sources) - 1

    def _define(self, scope: dict[Any, int], variable: Any, sources: Iterable[int] = ()) -> int:
        node = scope[variable] = self._node(sources)
        self.nodes.setdefault(variable, []).append(node)
        return node

    def _constant(self, scope: dict[Any, int], variable: Any, value: Any) -> None:
        self.constants[self._define(scope, variable)] = value

    def _equal(self, scope: dict[Any, int], variable: Any, other: int) -> int:
        node = self._define(scope, variable, (other,))
        self.same[node] = other
        return node

    def _read(self, scope: dict[Any, int], atom: Any) -> int:
        if isinstance(atom, Literal):
            node = self._node()
            self.constants[node] = atom.val
            return node
        return scope[atom]

    def _walk(self, jaxpr: Any, scope: dict[Any, int]) -> None:
        for equation in jaxpr.eqns:
            self._equations += 1
            if self._equations > LARGEST:
                raise Unclear(f"a compiled function of more than {LARGEST:,} equations is not looked through")
            operands = [self._read(scope, each) for each in equation.invars]
            build = {"scan": self._scan, "while": self._while, "cond": self._cond}.get(equation.primitive.name)
            if build is not None:
                build(equation, operands, scope)
            elif (inner := _called(equation)) is not None:
                results = self._call(inner, operands)
                for variable, result in zip(equation.outvars, results, strict=True):
                    self._equal(scope, variable, result)
            else:
                self._primitive(equation, operands, scope)

    def _primitive(self, equation: Any, operands: list[int], scope: dict[Any, int]) -> None:
        name, results = equation.primitive.name, equation.outvars
        paired = name in KEEPS_BITS and len(operands) == len(results)
        paired = paired or (name in RESHAPES and equation.invars[0].aval.size == results[0].aval.size)
        for index, variable in enumerate(results):
            if paired:
                self._equal(scope, variable, operands[index])
            else:
                node = self._define(scope, variable, operands)
                self.made[node] = name, operands

    def _enter(self, jaxpr: Any) -> tuple[Any, dict[Any, int]]:
        """The open jaxpr, and a scope with its constants."""
        scope: dict[Any, int] = {}
        if hasattr(jaxpr, "consts"):
            for variable, value in zip(jaxpr.jaxpr.constvars, jaxpr.consts, strict=True):
                self._constant(scope, variable, value)
            jaxpr = jaxpr.jaxpr
        return jaxpr, scope

    def _call(self, called: Any, operands: Sequence[int]) -> list[int]:
        jaxpr, scope = self._enter(called)
        for variable, operand in zip(jaxpr.invars, operands, strict=True):
            self._equal(scope, variable, operand)
        self._walk(jaxpr, scope)
        return [self._read(scope, each) for each in jaxpr.outvars]

    def _scan(self, equation: Any, operands: list[int], scope: dict[Any, int]) -> None:
        settings = equation.params
        constants, carries = settings["num_consts"], settings["num_carry"]
        jaxpr, inner = self._enter(settings["jaxpr"])
        for variable, operand in zip(jaxpr.invars[:constants], operands, strict=False):
            self._equal(inner, variable, operand)
        begin = operands[constants : constants + carries]
        carried = self._carry(inner, jaxpr.invars[constants : constants + carries], begin)
        for variable, operand in zip(jaxpr.invars[constants + carries :], operands[constants + carries :], strict=True):
            self._define(inner, variable, (operand,))
        self._walk(jaxpr, inner)
        self._close_loop(equation.outvars[:carries], jaxpr.outvars[:carries], carried, begin, inner, scope)
        for variable, result in zip(equation.outvars[carries:], jaxpr.outvars[carries:], strict=True):
            self._define(scope, variable, (self._read(inner, result),))

    def _while(self, equation: Any, operands: list[int], scope: dict[Any, int]) -> None:
        settings = equation.params
        tested, constants = settings["cond_nconsts"], settings["body_nconsts"]
        begin = operands[tested + constants :]
        jaxpr, inner = self._enter(settings["body_jaxpr"])
        for variable, operand in zip(jaxpr.invars[:constants], operands[tested:], strict=False):
            self._equal(inner, variable, operand)
        carried = self._carry(inner, jaxpr.invars[constants:], begin)
        self._walk(jaxpr, inner)
        self._close_loop(equation.outvars, jaxpr.outvars, carried, begin, inner, scope)

    def _carry(self, scope: dict[Any, int], variables: Sequence[Any], begin: Sequence[int]) -> list[int]:
        carried = [self._define(scope, variable, (start,)) for variable, start in zip(variables, begin, strict=True)]
        self.enters.update(zip(carried, begin, strict=True))
        return carried

    def _close_loop(
        self,
        results: Sequence[Any],
        ends: Sequence[Any],
        carried: Sequence[int],
        begin: Sequence[int],
        inner: dict[Any, int],
        scope: dict[Any, int],
    ) -> None:
        """A carry that ends each turn as it began it keeps its bits; any other depends on itself."""
        for variable, end, carry, start in zip(results, ends, carried, begin, strict=True):
            last = self._read(inner, end)
            if self.root(last) == carry:
                self.same[carry] = start
                self._equal(scope, variable, start)
            else:
                self.sources[carry].append(last)
                self._define(scope, variable, (last, start))

    def _cond(self, equation: Any, operands: list[int], scope: dict[Any, int]) -> None:
        branches = [self._call(branch, operands[1:]) for branch in equation.params["branches"]]
        for index, variable in enumerate(equation.outvars):
            ends = [branch[index] for branch in branches]
            if len({self.root(end) for end in ends}) == 1:
                self._equal(scope, variable, ends[0])
            else:
                node = self._define(scope, variable, (*ends, operands[0]))
                self.made[node] = "select_n", [operands[0], *ends]


def _called(equation: Any) -> Any:
    """The jaxpr that an equation calls with its own operands and results, or None."""
    for value in equation.params.values():
        jaxpr: Any = value if hasattr(value, "eqns") else getattr(value, "jaxpr", None)
        if hasattr(jaxpr, "eqns"):
            fits = len(jaxpr.invars) == len(equation.invars) and len(jaxpr.outvars) == len(equation.outvars)
            return value if fits else None
    return None
