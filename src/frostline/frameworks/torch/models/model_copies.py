"""Models that are copies of others: made to measure by, to attack, or to go on with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from frostline.core.facts import TensorSeen
from frostline.digest.blocks import first_difference
from frostline.frameworks.torch.tensors.tensors import NamedTensor
from frostline.observe.observer import Observer
from frostline.observe.protocols import Unreadable


def note_copied(fresh: Iterable[NamedTensor], known: Iterable[NamedTensor], observer: Observer) -> None:
    """Say of tensors just met which have the very bits of the tensor of the same name in another model.

    Args:
        fresh: the tensors of models just met, with their present bits as the baseline.
        known: all tensors.
        observer: that has the baselines.
    """
    namesakes: dict[tuple[str, tuple[int, ...]], list[NamedTensor]] = {}
    for entry in known:
        if entry.row.kind == "parameter":
            namesakes.setdefault(_form(entry), []).append(entry)
    for entry in fresh:
        digest = observer.tensors[entry.key].digest
        if digest is None:
            continue
        for other in namesakes.get(_form(entry), ()):
            with contextlib.suppress(Unreadable):
                if other.row.model != entry.row.model and not first_difference(digest, other.read()):
                    observer.tell(TensorSeen(tensor=entry.row.id, copied_at=observer.steps))
                    if not observer.steps:  # the copy may have been called first
                        observer.tell(TensorSeen(tensor=other.row.id, copied_at=0))


def _form(entry: NamedTensor) -> tuple[str, tuple[int, ...]]:
    return entry.row.name.removeprefix(entry.row.model), entry.row.shape
