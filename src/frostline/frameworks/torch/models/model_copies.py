"""Models that are copies of others: made to measure by, to attack, or to go on with."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from frostline.core.facts import TensorSeen
from frostline.digest.blocks import first_difference
from frostline.frameworks.torch.tensors.tensors import TorchLeaf
from frostline.observe.live import Unreadable
from frostline.observe.observer import Observer


def note_copied(fresh: Iterable[TorchLeaf], known: Iterable[TorchLeaf], observer: Observer) -> None:
    """Say of leaves just met which have the very bits of the leaf of the same name in another model.

    Args:
        fresh: the leaves of models just met, with their present bits as the baseline.
        known: all leaves.
        observer: that has the baselines.
    """
    namesakes: dict[tuple[str, tuple[int, ...]], list[TorchLeaf]] = {}
    for leaf in known:
        if leaf.row.kind == "parameter":
            namesakes.setdefault(_form(leaf), []).append(leaf)
    for leaf in fresh:
        digest = observer.leaves[leaf.key].digest
        if digest is None:
            continue
        for other in namesakes.get(_form(leaf), ()):
            with contextlib.suppress(Unreadable):
                if other.row.model != leaf.row.model and not first_difference(digest, other.read()):
                    observer.tell(TensorSeen(tensor=leaf.row.id, copied_at=observer.steps))
                    if not observer.steps:  # the copy may have been called first
                        observer.tell(TensorSeen(tensor=other.row.id, copied_at=0))


def _form(leaf: TorchLeaf) -> tuple[str, tuple[int, ...]]:
    return leaf.row.name.removeprefix(leaf.row.model), leaf.row.shape
