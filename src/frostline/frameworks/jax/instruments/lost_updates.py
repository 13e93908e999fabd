"""Learning rates that are constants of a traced step, and tensors whose type is too narrow for what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

import numpy as np

from frostline.core.facts import Fact, Held
from frostline.core.ledger import HALF_UNIT
from frostline.digest.shift import update_in_ulp
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.tensors.tensors import JaxTensor
from frostline.frameworks.jax.traces.proofs import Proof
from frostline.observe.protocols import Unreadable


class LostUpdates:
    """Tells where even the update of a gradient of 1 is lost in rounding.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._finish)
        return []

    def _finish(self) -> None:
        for function in self._context.answers.functions.values():
            proofs = function.learned.proofs if function.learned is not None else {}
            for path, tensor in function.tensors.items():
                proof = proofs.get(path)
                if proof is None or not proof.rate or not _should_move(tensor, proof):
                    continue
                bound = _in_ulp(tensor, proof.rate)
                if bound is not None and bound <= HALF_UNIT:
                    self._context.tell(
                        Held(
                            optimizer=function.key,
                            tensors=(tensor.row.id,),
                            lr=proof.rate,
                            max_lr=proof.rate,
                            update_ulp=bound,
                            gradient_inferred=True,
                        )
                    )


def _should_move(tensor: JaxTensor, proof: Proof) -> bool:
    still = tensor.row.changed.verdict == "no" and bool(tensor.row.declared.trainable)
    return still and proof.applied and not proof.update_zero and not proof.gradient_zero


def _in_ulp(tensor: JaxTensor, rate: float) -> float | None:
    """The update that a gradient of 1 makes, in units in the last place of the tensor's values."""
    update = np.full(tensor.row.size, rate, np.float64)
    try:
        return update_in_ulp(tensor.read(), update, tensor.row.dtype, update_dtype="float64")
    except Unreadable:
        return None
