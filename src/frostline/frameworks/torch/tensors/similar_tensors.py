"""Tensors that another tensor may have been copied from, or be an average of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frostline.frameworks.torch.tensors.tensors import NamedTensor


def kin_of(entry: NamedTensor, tensors: Iterable[NamedTensor]) -> list[NamedTensor]:
    """Other tensors of the same shape and type, those with the likest names first."""
    own = entry.row.name.split(".")
    alike = [
        other
        for other in tensors
        if other is not entry
        and other.row.name not in entry.row.aliases
        and other.row.shape == entry.row.shape
        and other.row.dtype == entry.row.dtype
    ]
    return sorted(alike, key=lambda other: _common_suffix(other.row.name.split("."), own), reverse=True)


def _common_suffix(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
