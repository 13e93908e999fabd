"""A function was traced: is it a train step, which tensors does it hold, and what does its trace prove of them?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import numpy as np

from frostline.core.facts import LineSeen, OptimizerSeen
from frostline.frameworks.claims import claimed
from frostline.frameworks.jax.answers import Answers
from frostline.frameworks.jax.signals import Signals
from frostline.frameworks.jax.steps.functions import Call, Function, Kind
from frostline.frameworks.jax.steps.values import Values, digests_of
from frostline.frameworks.jax.tensors.paths import Path, is_array, is_inexact
from frostline.frameworks.jax.tensors.tensors import InnerTensor, JaxTensor
from frostline.frameworks.jax.traces.concrete import concrete
from frostline.frameworks.jax.traces.proofs import Learned, Proof, Reading
from frostline.frameworks.jax.traces.records import Applied, Differentiated
from frostline.observe.observer import Observer
from frostline.observe.protocols import Hold
from frostline.observe.variable_names import unique

WEIGHTS = ("kernel", "bias", "scale", "embedding", "weight")  # as flax, haiku and equinox call them
COLLECTIONS = ("params", "batch_stats")  # of linen: a module has its place in each of them
STATISTICS = ("batch_stats", "running_mean", "running_var", "mean_ema", "var_ema")  # in flax, equinox and haiku


class Learning:
    """Takes the tensors of train steps under observation.

    Args:
        recorder: is told of steps and tensors.
        answers: must know them.
        values: of all tensors.
        signals: for instruments.
        quietly: runs callbacks.
    """

    def __init__(
        self, recorder: Observer, answers: Answers, values: Values, signals: Signals, quietly: Callable[..., None]
    ) -> None:
        self._recorder, self._answers, self._values = recorder, answers, values
        self._signals, self._quietly = signals, quietly
        self._keys = count()
        self._roots: dict[str, Function] = {}
        self.end_former: Callable[[], None] = lambda: None  # ends the step of another function that is under way

    def learn(self, function: Function, call: Call, result: Any) -> None:
        """Read the trace of a call that was just made.

        Args:
            function: whose records are complete.
            call: with its digests from before, where it was the first.
            result: what it returned.

        Raises:
            Unclear: what it was handed or handed back cannot be found in the trace, or that is too large.
        """
        if not any(isinstance(record, (Applied, Differentiated)) for record in function.records):
            return
        handed = call.arrays
        jitted = call.jitted
        if jitted is None:
            learned = concrete(function.records, handed)
        elif claimed(jitted.function):
            return
        else:
            trace = jitted.read(handed, call.handed_back(result))
            learned = Reading(trace, function.records).read()
        if inner := _made_inside(function, learned):
            self._take_inner(function, inner)
        elif not self._is_step(learned):
            gives = [path for path, proof in learned.proofs.items() if proof.differentiated]
            function.differentiates = gives
        else:
            self.take(function, call, learned)

    @staticmethod
    def _is_step(learned: Learned) -> bool:
        """Whether updates were applied, or what was differentiated comes back as something else or unchanged."""
        by_hand = any(proof.differentiated and path in learned.pairs for path, proof in learned.proofs.items())
        return by_hand or learned.empty or bool(learned.captured) or any(p.applied for p in learned.proofs.values())

    def take(self, function: Function, call: Call, learned: Learned) -> None:
        """A step, which was just made, is known from now on.

        Args:
            function: that is the step.
            call: that was just made.
            learned: what is known of its tensors.
        """
        first = function.row is None
        if first:
            self.end_former()
        self._values.settle()
        function.learned, function.pairs = learned, dict(learned.pairs)
        if first:
            self._found_step(function, learned)
        for path, kind in self._kinds(call, learned).items():
            if kind is not None and path not in function.tensors:
                self._meet(function, call, path, kind)
        for path, array, _ in learned.captured if first else ():
            self._meet_captured(function, path, array)
        for path, tensor in function.tensors.items():
            proof = learned.proofs.get(path)
            if proof is not None and (proof.applied or proof.differentiated):
                function.holds[tensor.key] = _hold(proof)
                tensor.left = "zero" if proof.gradient_zero else "unknown"
        if first:
            self._recorder.late_step(function.key)
        else:
            self._recorder.update_holdings(function.key)
        for callback in self._signals.step_learned:
            self._quietly("a step was learned", callback, function, call)

    def _take_inner(self, function: Function, inner: Mapping[Path, Any]) -> None:
        """A function trains weights that it makes itself: it is a step whose tensors have no values between calls."""
        if function.row is not None:
            return
        self.end_former()
        function.learned = Learned()
        self._found_step(function, function.learned)
        model = self._model(function, function.name)
        for path, array in inner.items():
            tensor = self.adopt(".".join((model, *path)), model, array, Kind("parameter", True), None, InnerTensor)
            function.holds[tensor.key] = Hold(inside=True)
        self._recorder.late_step(function.key)

    def _found_step(self, function: Function, learned: Learned) -> None:
        made_by = sorted({proof.optimizer for proof in learned.proofs.values() if proof.optimizer})
        name = f"compiled function ({', '.join(made_by)})" if made_by else "compiled function"
        kind = "optimizer" if function.by_hand or function.label else "compiled-step"
        row = self._recorder.tracked.found_optimizer(
            function.name, kind, function.label or name, by_hand=function.by_hand
        )
        function.row, function.key = row, row.id
        self._answers.functions[row.id] = function
        self._recorder.tell(OptimizerSeen(optimizer=row.id, stateless=not function.in_place))
        self._tell_lines(row.id, function)

    def _tell_lines(self, optimizer: str, function: Function) -> None:
        """Where the function of the script begins that is compiled, and where its optimizers were made."""
        makers = [record.made for record in function.records if isinstance(record, Applied) and record.made]
        tell, step = self._recorder.tell, self._recorder.steps
        for line in dict.fromkeys(makers):
            tell(LineSeen(step=step, act="optimizer", optimizer=optimizer, origin=line))
        if function.line is not None:
            tell(LineSeen(step=step, act="compiled", optimizer=optimizer, origin=function.line))

    # Which arrays are tensors

    def _kinds(self, call: Call, learned: Learned) -> dict[Path, Kind | None]:
        """The arrays that are weights, copies of weights or statistics; None for those that are surely none."""
        arrays, in_states = call.arrays, call.in_states
        found: dict[Path, Kind | None] = {path: Kind("parameter") for path in learned.proofs}
        copied = copies(call, learned)
        for path, array in arrays.items():
            if path in found or id(array) in in_states or not is_inexact(array):
                continue
            if path in copied:
                found[path] = Kind("parameter")
            elif any(piece.endswith(STATISTICS) for piece in path):
                found[path] = Kind("buffer")
            elif path[-1] in WEIGHTS and len(path) > 1:
                found[path] = Kind("parameter")
        found |= call.kinds
        for path in (learned.state | learned.gradients) & found.keys():
            found[path] = None
        for path, kind in found.items():
            proof = learned.proofs.get(path)
            if kind is None or proof is None:
                continue
            if proof.applied:  # such as a bare array in a module of nnx
                kind.kind = "parameter"
            if kind.kind == "parameter":
                kind.flag = _declared(kind.flag, flag_of(proof))
        return found

    def _meet(self, function: Function, call: Call, path: Path, kind: Kind) -> None:
        """Take a tensor under observation, with the bits from before the step, unless it is known already."""
        array = call.arrays[path]
        tensor = self._values.tensor_of(array)
        if tensor is not None and kind.flag:
            self._declare_trainable(tensor)
        if tensor is None or tensor in function.tensors.values():
            model = self._model(function, path[0])
            name = ".".join((model, *path[1:]))
            digest = call.digests.get(path)
            tensor = self.adopt(name, model, array, kind, digest)
        function.tensors[path] = tensor

    def _declare_trainable(self, tensor: JaxTensor) -> None:
        """A later step trains what an earlier one keeps frozen, or is only handed: of that nothing was declared."""
        declared, place = list(self._answers.declared), self._answers.tensors.index(tensor)
        former, declared[place] = declared[place], True
        if not former:
            self._answers.declared = declared
        if former is None:
            self._recorder.flags.declare(tensor.key, True)

    def _meet_captured(self, function: Function, path: Path, array: Any) -> None:
        """Weights that were compiled into a step as constants: it is their updates that the step makes."""
        tensor = self._values.tensor_of(array)
        if tensor is None:
            root = self._model(function, function.name)
            tensor = self.adopt(".".join((root, *path)), root, array, Kind("parameter", True), None)
        function.captured.append(tensor)
        function.holds[tensor.key] = Hold(inside=True)

    def adopt(
        self, name: str, model: str, array: Any, kind: Kind, digest: Any, tensor_type: type[JaxTensor] = JaxTensor
    ) -> JaxTensor:
        """A new tensor: its row, and its first bits.

        Args:
            name: of the tensor.
            model: to which it belongs.
            array: its value.
            kind: parameter or buffer, and what is declared of it.
            digest: of its bits before the step, where they were read.
            tensor_type: how it is read.
        """
        root, *pieces = name.split(".")[:-1] or [""]
        owner = ".".join([root, *(piece for piece in pieces if piece not in COLLECTIONS)])
        row = self._recorder.tracked.found(
            name=name,
            model=model,
            kind=kind.kind,
            shape=tuple(array.shape),
            dtype=str(array.dtype),
            bytes=int(array.size) * array.dtype.itemsize,
            size=int(array.size),
            owner=owner,
            owner_type=kind.type or "pytree",
            role=kind.role(name),
            sharded=not getattr(array, "is_fully_addressable", True) and not array.is_fully_replicated,
        )
        tensor = tensor_type(next(self._keys), row, self._values.settle)
        self._values.put(tensor, array)
        if digest is not None:
            self._answers.ready[tensor.key] = digest
        self._answers.tensors.append(tensor)
        self._answers.declared = [*self._answers.declared, kind.flag]
        self._recorder.tracked.adopt(tensor, kind.flag)
        return tensor

    def _model(self, function: Function, root: str) -> str:
        """The name of a tree of weights: that of the parameter that it is, or a number more where that is another."""
        for name, owner in self._roots.items():
            if owner is function and name.partition("#")[0] == root:
                return name
        name = unique(root, self._roots)
        self._roots[name] = function
        return name


def _made_inside(function: Function, learned: Learned) -> dict[Path, Any]:
    """The weights that updates are applied to in a function that is handed none of them, as their types.

    What is derived from weights that it is handed, such as those of another place in sharpness-aware steps, is none.
    """
    if learned.proofs or learned.captured or learned.empty:
        return {}
    applied = [record for record in function.records if isinstance(record, Applied)]
    made = [(update.path, update.value) for record in applied for update in record.updates]
    return {path: value.aval for path, value in made if not is_array(value) and hasattr(value, "aval")}


def flag_of(proof: Proof) -> bool | None:
    """What the script declares by what it gives to whom: JAX has no flag.

    Frozen is what ``set_to_zero`` is given, a mask leaves to nobody, ``stop_gradient`` cuts off or a filter excludes;
    trainable is what a loss is differentiated by or an update applied to.
    """
    if proof.zeroed or proof.masked or proof.chosen is False or (proof.stopped and proof.gradient_zero):
        return False
    return True if proof.applied or proof.differentiated or proof.chosen else None


def _declared(by_type: bool | None, by_update: bool | None) -> bool | None:
    """Frozen where anybody says so; what a filter says comes before what is done all the same."""
    return by_type if by_type is not None and by_update is not False else by_update


def _hold(proof: Proof) -> Hold:
    return Hold(inside=True, listed=proof.applied or bool(proof.gradient_used), weight_decay=None, state=None)


def copies(call: Call, learned: Learned) -> set[Path]:
    """The arrays of trees that began with the bits of all the weights of another tree, such as averages and targets.

    Trees of zeros are none: so begins what an optimizer keeps.

    Args:
        call: with the digests from before it.
        learned: of the function that it calls.
    """
    sizes: Counter[Path] = Counter()
    weights: dict[Path, list[Path]] = {}
    for path, proof in learned.proofs.items():
        if proof.inner and path[-len(proof.inner) :] == proof.inner:
            sizes[path[: -len(proof.inner)]] += 1
            weights.setdefault(proof.inner, []).append(path)
    trees: dict[tuple[Path, Path], list[tuple[Path, Path]]] = {}
    for path in call.digests.keys() - learned.proofs.keys():
        for start in range(1, len(path)):
            for weight in weights.get(path[start:], ()):
                trees.setdefault((path[:start], weight[: start - len(path)]), []).append((path, weight))
    whole = (pairs for (_, tree), pairs in trees.items() if len(pairs) == sizes[tree])
    alike = (pairs for pairs in whole if all(_has_bits_of(call, *pair) for pair in pairs))
    return {path for pairs in alike if any(not _begins_at_zero(call, path) for path, _ in pairs) for path, _ in pairs}


def _has_bits_of(call: Call, path: Path, other: Path) -> bool:
    same_shape = call.arrays[path].shape == call.arrays[other].shape
    return same_shape and call.digests[path] == call.digests.get(other)


def _begins_at_zero(call: Call, path: Path) -> bool:
    array = call.arrays[path]
    return call.digests[path] == digests_of({path: np.zeros(array.shape, array.dtype)}).get(path)
