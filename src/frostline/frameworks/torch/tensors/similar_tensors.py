"""Leaves that another leaf may have been copied from, or be an average of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from frostline.frameworks.torch.tensors.tensors import TorchLeaf


def kin_of(leaf: TorchLeaf, leaves: Iterable[TorchLeaf]) -> list[TorchLeaf]:
    """Other leaves of the same shape and type, those with the likest names first."""
    own = leaf.row.name.split(".")
    alike = [
        other
        for other in leaves
        if other is not leaf
        and other.row.name not in leaf.row.aliases
        and other.row.shape == leaf.row.shape
        and other.row.dtype == leaf.row.dtype
    ]
    return sorted(alike, key=lambda other: _common_suffix(other.row.name.split("."), own), reverse=True)


def _common_suffix(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for mine, theirs in zip(reversed(one), reversed(other), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
