"""What the trace of a train step proves of each tensor that it is handed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from frostline.core.events.fact import Origin
from frostline.frameworks.jax.tensors.paths import Path, common_end, is_array
from frostline.frameworks.jax.traces.graph import Graph
from frostline.frameworks.jax.traces.records import (
    Applied,
    Chosen,
    Differentiated,
    Record,
    StateGiven,
    Stopped,
    Update,
)
from frostline.frameworks.jax.traces.zeros import Zeros

NESTED = 6  # loops and selections around an update
MOSTLY = 0.5
WIDENING = "convert_element_type"
Shape: TypeAlias = tuple[tuple[int, ...], str]


@dataclass(slots=True)
class Trace:
    """One traced call: the graph, and the nodes of the arrays that went in and came out, by path.

    ``shapes`` are shape and type of each array that went in, ``result_shapes`` of each that came out.
    """

    graph: Graph
    inputs: dict[Path, int]
    outputs: dict[Path, int]
    shapes: dict[Path, Shape]
    result_shapes: dict[Path, Shape]


@dataclass(slots=True)
class Proof:
    """What is proven of one tensor in one step; None is not known.

    ``raw``: its update is the gradient itself. ``update_zero`` and ``gradient_zero``: zero as long as all is finite.
    ``decays``: its value goes into its update, the gradient left out. ``returned``: the new value reaches a result.
    ``gradient_used``: what comes back for it depends on its gradient. ``untouched``: it comes back as it went in.
    ``gradient_elsewhere``: another tensor is updated with its gradient. ``rate``: the factor that its update ends with.
    ``zeroed``: ``set_to_zero`` was given it; ``masked``: a mask left it out. ``inner`` is its path below the weights.
    """

    inner: Path = ()
    optimizer: str = ""
    applied: bool = False
    differentiated: bool = False
    raw: bool | None = None
    update_zero: bool | None = None
    gradient_zero: bool | None = None
    decays: bool | None = None
    returned: bool | None = None
    gradient_used: bool | None = None
    gradient_elsewhere: bool = False
    untouched: bool | None = None
    rate: float | None = None
    zeroed: bool = False
    masked: bool = False
    stopped: bool = False
    chosen: bool | None = None


@dataclass(slots=True)
class Learned:
    """What a trace tells: proofs by input path, which result is the new value of which input, and the rest.

    ``captured`` are weights that an update was applied to and that were compiled into the function as constants.
    ``empty`` says that updates were applied to a tree without a single tensor, ``restarts`` that all the state which
    optimizers were given was made inside, out of nothing that the function was handed. ``passed`` come back as they
    went in, and no gradient is computed from them. ``line`` is that of the script where updates are applied, or a loss
    is differentiated.
    """

    proofs: dict[Path, Proof] = field(default_factory=dict)
    pairs: dict[Path, Path] = field(default_factory=dict)
    state: set[Path] = field(default_factory=set)
    gradients: set[Path] = field(default_factory=set)
    captured: list[tuple[Path, Any, str]] = field(default_factory=list)
    empty: bool = False
    restarts: bool = False
    passed: set[Path] = field(default_factory=set)
    line: Origin | None = None


def _rate(graph: Graph, node: int) -> float | None:
    """The constant that an update is multiplied with in the end: the learning rate, where it is one number."""
    primitive, operands = graph.made.get(graph.root(node), ("", []))
    for operand in operands if primitive == "mul" else ():
        value = graph.constants.get(graph.root(operand))
        if value is not None and np.size(value) == 1:
            return abs(float(np.asarray(value).reshape(-1)[0]))
    return None


class Reading:
    """Reads what hooks recorded, together with the graph of the traced function.

    Args:
        trace: the function, with the paths of what it was handed and handed back.
        records: what hooks saw while it was traced, in order.
    """

    def __init__(self, trace: Trace, records: Iterable[Record]) -> None:
        self._trace, self._graph, self._zeros = trace, trace.graph, Zeros(trace.graph)
        self._records = list(records)
        self._path_of = {node: path for path, node in trace.inputs.items()}
        self._of_results = self._graph.ancestors(self._graph.outputs)
        self._ends = {self._graph.root(node): path for path, node in trace.outputs.items()}
        self.learned = Learned()

    def read(self) -> Learned:
        """All that the trace tells."""
        for record in self._records:
            match record:
                case Applied():
                    self.learned.line = self.learned.line or record.line
                    self._applied(record)
                case StateGiven():
                    self.learned.state |= {path for value in record.values for path in self._paths(value)}
        self.learned.restarts = self._restarts()
        for record in self._records:
            if isinstance(record, Differentiated):
                self.learned.line = self.learned.line or record.line
                self._differentiated(record)
        self._pair_by_name()
        self._leave_out_data()
        self._judge_gradients()
        self.learned.passed = self._passed()
        for record in self._records:
            self._note(record)
        for path, proof in self.learned.proofs.items():
            end = self.learned.pairs.get(path)
            if end is not None:
                out = self._trace.outputs[end]
                proof.untouched = self._graph.root(out) == self._trace.inputs[path]
        return self.learned

    def _restarts(self) -> bool:
        given = [value for record in self._records if isinstance(record, StateGiven) for value in record.values]
        nodes = [node for value in given for node in self._nodes(value)]
        return bool(nodes) and self._graph.ancestors(nodes).isdisjoint(self._graph.inputs)

    # Where values come from

    def _nodes(self, value: Any) -> list[int]:
        try:
            return self._graph.nodes.get(value, [])
        except TypeError:  # a constant, which cannot be hashed
            return []

    def _paths(self, value: Any) -> Iterator[Path]:
        """The inputs that these values are."""
        for node in self._nodes(value):
            path = self._path_of.get(self._graph.origin(node))
            if path is not None:
                yield path

    def _proof(self, path: Path) -> Proof:
        return self.learned.proofs.setdefault(path, Proof())

    # Updates

    def _applied(self, record: Applied) -> None:
        self.learned.empty |= not record.updates
        for update in record.updates:
            if not self._nodes(update.value):
                if is_array(update.value):
                    self.learned.captured.append((update.path, update.value, record.optimizer))
                continue
            self.learned.gradients.update(self._paths(update.gradient))
            for path in self._paths(update.value):
                proof = self._proof(path)
                proof.applied, proof.optimizer, proof.inner = True, record.optimizer, update.path
                proof.zeroed |= update.path in record.zeroed
                proof.masked |= update.path in record.masked
                self._judge(path, proof, update)

    def _judge(self, path: Path, proof: Proof, update: Update) -> None:
        """What is so of every call of the function in which the update is made."""
        made, summed, gradients = (self._nodes(each) for each in (update.update, update.result, update.gradient))
        zero = bool(made) and all(map(self._zeros.has, made))
        proof.update_zero = zero if proof.update_zero is None else proof.update_zero and zero
        proof.returned = bool(proof.returned) or any(node in self._of_results for node in summed) or not summed
        if gradients and len(gradients) == len(made):
            root, is_zero = self._graph.root, self._zeros.has
            raw = all(root(u) == root(g) and not is_zero(g) for u, g in zip(made, gradients, strict=True))
            proof.raw = bool(proof.raw) or raw
            cut = all(map(is_zero, gradients))
            proof.gradient_zero = cut if proof.gradient_zero is None else proof.gradient_zero and cut
            if cut and not zero:
                value = self._trace.inputs[path]
                proof.decays = any(value in self._graph.ancestors([u]) for u in made)
        proof.rate = max((_rate(self._graph, node) or 0.0 for node in made), default=None) or proof.rate
        for node in summed:
            end = self._ends.get(self._graph.root(node))
            if end is not None:
                self.learned.pairs.setdefault(path, end)

    # Gradients

    def _differentiated(self, record: Differentiated) -> None:
        for inner, value, gradient in record.gradients:
            for path in self._paths(value):
                proof = self._proof(path)
                proof.differentiated = True
                proof.inner = proof.inner or inner
                nodes = self._nodes(gradient)
                cut = bool(nodes) and all(map(self._zeros.has, nodes))
                if not proof.applied:
                    proof.gradient_zero = cut if proof.gradient_zero is None else proof.gradient_zero and cut

    def _leave_out_data(self) -> None:
        """Where a loss was differentiated by all that it is a function of, those are data that do not come back.

        Where its gradients come back in place of new values, the first argument is what they are of.
        """
        by_all: set[Path] = set()
        chosen: set[Path] = set()
        for record in (each for each in self._records if isinstance(each, Differentiated)):
            for _, value, gradient in record.gradients:
                comes_back = any(self._graph.root(node) in self._ends for node in self._nodes(gradient))
                of = by_all if record.by_all and not (record.first and comes_back) else chosen
                of.update(self._paths(value))
        for path in by_all - chosen:
            if path not in self.learned.pairs and not self.learned.proofs[path].applied:
                del self.learned.proofs[path]

    def _judge_gradients(self) -> None:
        """Whether the new value of what was differentiated depends on its gradient."""
        wanted = [
            (path, node)
            for record in self._records
            if isinstance(record, Differentiated)
            for _, value, gradient in record.gradients
            for path in self._paths(value)
            for node in self._nodes(gradient)
            if path in self.learned.pairs
        ]
        masks = self._graph.dependence([node for _, node in wanted])
        for bit, (path, _) in enumerate(wanted):
            proof = self._proof(path)
            out = self._trace.outputs[self.learned.pairs[path]]
            proof.gradient_used = bool(proof.gradient_used) or bool(masks[out] >> bit & 1)
            if not proof.applied:
                proof.gradient_elsewhere |= any(masks[node] >> bit & 1 for node in self._updates_of_namesakes(path))

    def _passed(self) -> set[Path]:
        differentiated = [record for record in self._records if isinstance(record, Differentiated)]
        gradients = [gradient for record in differentiated for _, _, gradient in record.gradients]
        used = self._graph.ancestors(node for gradient in gradients for node in self._nodes(gradient))
        idle = {path for path, node in self._trace.inputs.items() if node in self._ends and node not in used}
        return idle - self.learned.proofs.keys()

    def _updates_of_namesakes(self, path: Path) -> Iterator[int]:
        """The updates of tensors of the same name and shape that no loss was differentiated by."""
        proofs, shapes = self.learned.proofs, self._trace.shapes
        for record in self._records:
            for update in record.updates if isinstance(record, Applied) else ():
                for other in self._paths(update.value):
                    alike = common_end(path, other) and shapes[path] == shapes[other]
                    if other != path and alike and not proofs[other].differentiated:
                        yield from self._nodes(update.update)

    # Pairs that no update shows: statistics, averages, updates by hand

    def _pair_by_name(self) -> None:
        taken = set(self.learned.pairs.values())
        inputs = [path for path in self._trace.inputs if path not in self.learned.pairs]
        masks = self._graph.dependence([self._trace.inputs[path] for path in inputs])
        by_end: dict[str, list[Path]] = {}
        for path in self._trace.outputs:
            by_end.setdefault(path[-1], []).append(path)
        candidates = []
        for bit, path in enumerate(inputs):
            ends = by_end.get(path[-1], []) if len(path) > 1 else self._bare(path)
            for end in ends:
                alike = self._trace.shapes[path] == self._trace.result_shapes[end]
                depends = masks[self._trace.outputs[end]] >> bit & 1
                if alike and end not in taken and depends and self._may_be_value(path, end):
                    candidates.append((-common_end(path, end), path, end))
        for _, path, end in sorted(candidates, key=lambda each: each[0]):
            if path not in self.learned.pairs and end not in taken:
                self.learned.pairs[path] = end
                taken.add(end)

    def _may_be_value(self, path: Path, end: Path) -> bool:
        """Whether a result can be the new value of what a loss was differentiated by, and is not its gradient."""
        proof = self.learned.proofs.get(path)
        if proof is None or not proof.differentiated:
            return True
        return self._adds_to(self._trace.outputs[end], self._trace.inputs[path])

    def _adds_to(self, node: int, value: int, depth: int = 0) -> bool:
        """Whether a node is the value, or a sum of it and something else, perhaps at the end of a loop."""
        graph = self._graph
        node = graph.root(node)
        if graph.origin(node) == value:
            return True
        if depth == NESTED:
            return False
        primitive, operands = graph.made.get(node, ("", graph.sources[node]))
        if primitive in ("add", "sub", "add_any"):
            return any(self._is_value(each, value) or self._shrinks(each, value) for each in operands)
        through = primitive in ("", "select_n", WIDENING, "max", "min", "clamp")
        return through and any(self._adds_to(each, value, depth + 1) for each in operands)

    def _is_value(self, node: int, value: int) -> bool:
        """Whether a node is the value, perhaps in another type: sums of narrow types are made in wider ones."""
        origin = self._graph.origin(node)
        primitive, operands = self._graph.made.get(origin, ("", []))
        return origin == value or (primitive == WIDENING and self._graph.origin(operands[0]) == value)

    def _shrinks(self, node: int, value: int) -> bool:
        """Whether a node is the value times a constant near one, as decoupled weight decay has it."""
        primitive, operands = self._graph.made.get(self._graph.root(node), ("", []))
        factor = _rate(self._graph, node)
        of_value = primitive == "mul" and any(self._is_value(each, value) for each in operands)
        return of_value and factor is not None and factor > MOSTLY

    def _bare(self, path: Path) -> list[Path]:
        """An argument that is one array can come back anywhere, if it is a weight."""
        return list(self._trace.outputs) if path in self.learned.proofs else []

    # Declarations

    def _note(self, record: Record) -> None:
        proofs = self.learned.proofs
        if isinstance(record, Stopped):
            for value in record.values:
                for path in self._paths(value):
                    if path in proofs:
                        proofs[path].stopped = True
        elif isinstance(record, Chosen):
            for value, flag in record.values:
                for path in self._paths(value):
                    self._proof(path).chosen = flag
