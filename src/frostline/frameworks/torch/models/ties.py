"""Which tensors share their storage, as a whole or in part."""

from __future__ import annotations

import torch

from frostline.core.storage_overlap import overlapping
from frostline.frameworks.torch.tensors.tensors import span_of


def ties_of(present: dict[str, torch.Tensor]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each name the other names of the same storage, and those of storages that overlap with it.

    Args:
        present: tensors by name.
    """
    names = list(present)
    spans = [span_of(present[name]) for name in names]
    ties: dict[str, set[str]] = {}
    overlaps: dict[str, set[str]] = {}
    for group in overlapping(spans):
        for index in group if len(group) > 1 else ():
            for other in group:
                if other != index:
                    same = spans[index] == spans[other]
                    (ties if same else overlaps).setdefault(names[index], set()).add(names[other])
    return ties, overlaps
