"""Masked gradients: what autograd made of a weight's gradient, against what is left of it when the optimizer steps.

Hooks on a tensor run before its gradient can be seen anywhere, so the gradient is looked at where it is made: at the
node of the graph that hands it over. That is done in iterations that end in a check, and only for weights that have a
hook, whose gradient was partly zero at an earlier check (a script may write zeros into ``.grad``), or that had none but
zeros at all of them (a script may clear it too early).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, TensorSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.tensors.graph import handed_over, starts_of
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES, NamedTensor, zero_state
from frostline.observe.protocols import MaskedGradient

ROWS_SAMPLED = 64

HOOK = "a hook on its gradient"
WRITTEN = "the script, after the backward pass"


class GradientMasks:
    """Looks at gradients before and after whatever masks them.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorSeen,)

    def __init__(self, context: Context) -> None:
        self.models, self.fault, self._signals = context.models, context.fault, context.signals
        self._made: dict[Hashable, torch.Tensor] = {}
        self._partly_zero: set[Hashable] = set()
        self._listened: set[Hashable] = set()  # to what the last pass before the step gives them
        self._given: set[Hashable] = set()
        self._handles: list[Any] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._signals.backward_began.append(self._began)
        self._signals.backward_ended.append(self._ended)
        self._signals.masked.append(self._add)
        return []

    def _began(self, roots: object, checked: bool) -> None:
        if checked:
            with aside():
                self._listen(roots)

    def _listen(self, outputs: object) -> None:
        """A backward pass from ``outputs`` begins, and its gradients go into a check."""
        self._given.clear()  # the last pass before the step counts
        listened = [
            (entry.key, tensor) for entry, tensor in self._parameters() if _had_none(entry) and not _hooked(tensor)
        ]
        self._listened = {key for key, _ in listened}
        self._handles.extend(
            tensor.register_post_accumulate_grad_hook(self._note_given(key))  # type: ignore[no-untyped-call]
            for key, tensor in listened
        )
        wanted = {id(tensor): entry for entry, tensor in self._weights() if _hooked(tensor) or self._is_suspect(entry)}
        if not wanted:
            return
        for entry in wanted.values():
            tensor = entry.tensor
            if tensor is not None and zero_state(tensor.grad) != "nonzero":  # a new sum of gradients begins
                self._made.pop(entry.key, None)
        for node, index, variable in handed_over(starts_of(outputs)):
            entry_here = wanted.get(id(variable))
            if entry_here is not None:
                self._handles.append(node.register_hook(self._listener(entry_here, index)))

    def _ended(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def _add(self, found: dict[Hashable, MaskedGradient]) -> None:
        """Add what was made and what is left, by key; also finds out whose gradients to look at next time."""
        for entry, tensor in self._parameters():
            if entry.key in self._listened and not entry.row.cleared and _had_none(entry):
                cleared = entry.key in self._given and zero_state(tensor.grad) != "nonzero"
                if cleared != entry.row.cleared:
                    self.models.tell(TensorSeen(tensor=entry.row.id, cleared=cleared))
        for entry, tensor in self._weights():
            gradient = tensor.grad
            if gradient is None or gradient.layout != torch.strided or _had_none(entry):
                continue
            made = self._made.get(entry.key)
            if made is not None and made.shape == gradient.shape:
                how = HOOK if _hooked(tensor) else WRITTEN
                found[entry.key] = MaskedGradient(made.cpu().numpy(), (gradient != 0).cpu().numpy(), how)
            elif entry.key not in self._partly_zero and _is_partly_zero(gradient):
                self._partly_zero.add(entry.key)
        self._made.clear()

    def _weights(self) -> Iterator[tuple[NamedTensor, torch.Tensor]]:
        return ((entry, tensor) for entry, tensor in self._parameters() if tensor.dim() > 1)

    def _parameters(self) -> Iterator[tuple[NamedTensor, torch.Tensor]]:
        for entry in self.models.tensors:
            tensor = entry.tensor
            plain = type(tensor) in PLAIN_TYPES and entry.shard is None
            if tensor is not None and tensor.requires_grad and plain:
                yield entry, tensor

    def _note_given(self, key: Hashable) -> Callable[[torch.Tensor], None]:
        def accumulated(tensor: torch.Tensor) -> None:
            if zero_state(tensor.grad) == "nonzero":
                self._given.add(key)

        return accumulated

    def _is_suspect(self, entry: NamedTensor) -> bool:
        return entry.key in self._partly_zero

    def _listener(self, entry: NamedTensor, index: int) -> Callable[[Any, Any], None]:
        def made(handed: tuple[torch.Tensor | None, ...], _: Any) -> None:
            try:
                gradient = handed[index]
                if gradient is not None and gradient.layout == torch.strided:
                    with torch.no_grad():
                        known = self._made.get(entry.key)
                        nonzero = gradient != 0
                        if known is not None:
                            nonzero = (known | nonzero) & ~_cancelled(entry.tensor, gradient)
                        self._made[entry.key] = nonzero
            except Exception as error:
                self.fault("torch: a gradient was made", error)

        return made


def _cancelled(tensor: torch.Tensor | None, gradient: torch.Tensor) -> torch.Tensor:
    """Where what earlier backward passes left and what comes now add up to exactly zero: nobody masked that.

    In bfloat16, two micro-batches cancel so now and then.
    """
    earlier = None if tensor is None else tensor.grad
    if earlier is None or earlier.shape != gradient.shape or earlier.layout != torch.strided:
        return torch.zeros_like(gradient, dtype=torch.bool)
    return (earlier != 0) & (earlier + gradient == 0)


def _had_none(entry: NamedTensor) -> bool:
    """Whether optimizers hold the tensor, and at every check found no gradient of it but zeros."""
    seen = {state for holding in entry.row.optimizers for state, count in holding.gradients.items() if count}
    return bool(seen) and seen <= {"none", "zero"}


def _hooked(tensor: torch.Tensor) -> bool:
    return bool(tensor._backward_hooks or getattr(tensor, "_post_accumulate_grad_hooks", None))


def _is_partly_zero(gradient: torch.Tensor) -> bool:
    """Whether some of a sample of rows, both ends among them, has zeros and not only zeros."""
    rows, sample = gradient.shape[0], gradient.detach()
    if rows > ROWS_SAMPLED:
        step = (rows - 1) // (ROWS_SAMPLED - 1)
        sample = sample[torch.tensor(sorted({*range(0, rows, step), rows - 1}), device=gradient.device)]
    return 0 < int(torch.count_nonzero(sample)) < sample.numel()
