"""What trained tensors were at the last check, by their first numbers: something may overwrite all of them at once."""

from __future__ import annotations

import contextlib
from collections.abc import Hashable, Iterable

from frostline.core.ledger import TensorRow
from frostline.digest.shift import distance
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_state import TensorState

SIZE = 1024  # bytes of each tensor
LARGEST = 2**20  # bytes of a tensor: some frameworks fetch the whole of it for a part


class Glimpses:
    """The first bytes of the trained tensors that have the shape of a frozen one, as of the last check."""

    def __init__(self) -> None:
        self._taken: dict[Hashable, tuple[TensorRow, bytes]] = {}

    def take(self, tensors: Iterable[TensorState]) -> None:
        """A check is over: remember the present numbers."""
        parameters = [each for each in tensors if each.row.kind == "parameter" and each.row.bytes <= LARGEST]
        frozen = {_form(watched) for watched in parameters if watched.frozen}
        for watched in parameters if frozen else ():
            if not watched.frozen and _form(watched) in frozen:
                with contextlib.suppress(Unreadable):
                    self._taken[watched.entry.key] = watched.row, watched.entry.part(0, SIZE)

    def distances(self, watched: TensorState, content: bytes) -> list[tuple[float, TensorRow]]:
        """How far the content that a tensor has now is from what others of its shape were."""
        row = watched.row
        return [
            (distance(content[: len(glimpse)], glimpse, row.dtype), other)
            for other, glimpse in self._taken.values()
            if other is not row and (other.shape, other.dtype) == (row.shape, row.dtype)
        ]


def _form(watched: TensorState) -> tuple[tuple[int, ...], str]:
    return watched.row.shape, watched.row.dtype
