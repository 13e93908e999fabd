"""Tensors of averaged copies that stood still, because what they follow did."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from frostline.core.facts import Fact, Followed
from frostline.digest.shift import distance
from frostline.observe.protocols import Probe, Unreadable
from frostline.observe.tensor_state import TensorState

SAME = 1e-4  # relative distance of two tensors that differ by rounding only


def note_twins(tensors: Sequence[TensorState], probe: Probe, tell: Callable[[Fact], None]) -> None:
    """Of tensors that stood still beside others that followed a source, say which equal their source anyhow."""
    parts = {watched.row.model for watched in tensors if watched.row.changed.followed}
    for watched in tensors:
        if watched.row.model in parts and watched.row.changed.verdict == "no":
            twin = next(iter(probe.kin(watched.entry)), None)
            if twin is None:
                continue
            with contextlib.suppress(Unreadable):
                if distance(watched.entry.read(), twin.read(), watched.row.dtype) < SAME:
                    tell(Followed(tensor=watched.row.id, source=twin.row.name, still=True))
