"""The gradients of the first step, by a digest: processes that average them apply the same bits."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar

from frostline.core.facts import Fact, Held
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.saved_values import Content
from frostline.frameworks.torch.tensors.tensors import local, zero_state
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_match import mark


class GradientDigests:
    """Reads some blocks of each gradient before an optimizer's first step, where processes are compared.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (Held,)

    def __init__(self, context: Context) -> None:
        self._context = context

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_began.append(self._step_began)
        return []

    def _step_began(self, key: Hashable) -> None:
        recorder, row = self._context.recorder, self._context.recorder.optimizers[key]
        if row.steps_executed or not recorder.tracked.settings.digests:
            return
        for optimizer in self._context.optimizers.of(key):
            for tensor in held(optimizer):
                entry = self._context.models.of(tensor)
                if entry is not None and entry.shard is None and zero_state(tensor.grad) == "nonzero":
                    with contextlib.suppress(Unreadable, RuntimeError):
                        gradient = local(tensor.grad).detach()  # type: ignore[arg-type]
                        digest = mark(Content(gradient), gradient.numel() * gradient.element_size()).hex()[:16]
                        recorder.tell(Held(optimizer=row.id, tensors=(entry.row.id,), first_gradient=digest))
