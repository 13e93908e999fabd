"""Tensors that are near a weight: copies of it, and averages of what it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from frostline.digest.shift import distance
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES, dtype_name, host_bytes

NEAR = 0.5  # relative distance; tensors that have nothing to do with each other are about 1.4 apart
FEWEST = 16  # values; fewer may be near by chance
_TYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def can_be_sought(tensor: torch.Tensor) -> bool:
    """Whether the tensor has enough values of its own for others to be near it."""
    return (
        _is_plain(tensor) and tensor.numel() >= FEWEST and len(set(tensor.detach().reshape(-1)[:FEWEST].tolist())) > 2
    )


def piece_of(tensor: torch.Tensor, size: int, dtype: torch.dtype | None = None) -> bytes:
    """The first ``size`` bytes of the tensor, in its own type or another one."""
    wanted = dtype or tensor.dtype
    return bytes(host_bytes(tensor.detach().reshape(-1)[: size // wanted.itemsize].to(wanted)))


class Nearest:
    """Weights, and which of them another tensor is near to.

    Args:
        weights: each with first pieces of what it is and was.
    """

    def __init__(self, weights: Iterable[tuple[torch.Tensor, Sequence[bytes]]]) -> None:
        self._by_shape: dict[torch.Size, list[tuple[torch.Tensor, Sequence[bytes]]]] = {}
        for weight, pieces in weights:
            self._by_shape.setdefault(weight.shape, []).append((weight, pieces))

    def to(self, tensor: torch.Tensor) -> torch.Tensor | None:
        """The weight that the tensor, in memory of its own, has nearly one of the pieces of."""
        if type(tensor) not in PLAIN_TYPES or tensor.shape not in self._by_shape or not _is_plain(tensor):
            return None
        for weight, pieces in self._by_shape[tensor.shape]:
            if tensor.data_ptr() != weight.data_ptr() and any(_is_near(tensor, weight, piece) for piece in pieces):
                return weight
        return None


def _is_near(tensor: torch.Tensor, weight: torch.Tensor, piece: bytes) -> bool:
    own = piece_of(tensor, len(piece), weight.dtype)
    return len(own) == len(piece) and distance(own, piece, dtype_name(weight)) < NEAR


def _is_plain(tensor: torch.Tensor) -> bool:
    dense = type(tensor) in PLAIN_TYPES and tensor.layout == torch.strided and tensor.device.type != "meta"
    return dense and tensor.dtype in _TYPES and tensor.is_leaf
