"""What the trace of a train step shows of its updates, told as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, OptimizerSeen, Origin, UpdateShown
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.functions import Call, Function
from frostline.frameworks.jax.traces.proofs import Proof


class UpdateProofs:
    """Tells, of each step that was traced, what is proven of its tensors.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (UpdateShown, OptimizerSeen)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._told: set[tuple[str, str, tuple[str, ...]]] = set()  # a function may be traced again and show the same

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_learned.append(self._learned)
        return []

    def _learned(self, function: Function, _: Call) -> None:
        learned = function.learned
        assert learned is not None
        shown: dict[str, list[str]] = {}
        for path, tensor in function.tensors.items():
            proof = learned.proofs.get(path)
            for each in _shown(proof) if proof is not None else ():
                shown.setdefault(each, []).append(tensor.row.name)
        passed = [tensor.row.name for path, tensor in function.tensors.items() if path in learned.passed]
        if passed:
            shown["passed-through"] = passed
        if function.captured:
            shown["captured"] = [tensor.row.name for tensor in function.captured]
        for shows, names in shown.items():
            self._tell(function.key, shows, tuple(names), learned.line)
        if learned.empty and function.tensors:
            model = next(iter(function.tensors.values())).row.model
            self._context.tell(OptimizerSeen(optimizer=function.key, trains_model=model))

    def _tell(self, optimizer: str, shows: str, names: tuple[str, ...], line: Origin | None) -> None:
        if (optimizer, shows, names) not in self._told:
            self._told.add((optimizer, shows, names))
            step = self._context.recorder.steps
            self._context.tell(UpdateShown(step=step, optimizer=optimizer, tensors=names, shows=shows, origin=line))


def _shown(proof: Proof) -> Iterable[str]:
    """What is proven of one tensor and worth a word."""
    moves = proof.applied and proof.update_zero is False
    if moves and not proof.zeroed and (proof.raw or proof.masked):
        yield "raw-gradient"
    if moves and (proof.zeroed or (proof.gradient_zero and proof.decays)):
        yield "decayed"
    if proof.applied and (proof.returned is False or (proof.untouched and proof.update_zero is False)):
        yield "not-returned"  # or elsewhere than in its own place, where what was handed over comes back
    made_of_others = moves and not (proof.gradient_zero or proof.zeroed)
    if proof.differentiated and proof.gradient_used is False and (made_of_others or not proof.applied):
        yield "gradient-elsewhere" if proof.gradient_elsewhere else "gradient-unused"
