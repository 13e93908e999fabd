"""Which tensors share their storage, as a whole or in part."""

from __future__ import annotations

import torch

from frostline.core.storage_overlap import Span, overlapping
from frostline.frameworks.torch.tensors.tensors import why_unreadable


def ties_of(present: dict[str, torch.Tensor]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """For each name the other names of the same storage, and those of storages that overlap with it.

    Args:
        present: tensors by name.
    """
    names = list(present)
    spans = [_span(present[name]) for name in names]
    ties: dict[str, set[str]] = {}
    overlaps: dict[str, set[str]] = {}
    for group in overlapping(spans):
        for index in group if len(group) > 1 else ():
            for other in group:
                if other != index:
                    same = spans[index] == spans[other]
                    (ties if same else overlaps).setdefault(names[index], set()).add(names[other])
    return ties, overlaps


def _span(tensor: torch.Tensor) -> Span:
    if why_unreadable(tensor) or tensor.layout != torch.strided or type(tensor).__torch_dispatch__ is not _PLAIN:
        return Span(("object", id(tensor)), 0, 1)
    storage = tensor.untyped_storage()
    start = int(tensor.storage_offset()) * tensor.element_size()
    extent = 1 + sum(
        (int(size) - 1) * int(stride) for size, stride in zip(tensor.shape, tensor.stride(), strict=True) if size
    )
    length = extent * tensor.element_size() if tensor.numel() else 0
    return Span((str(tensor.device), storage.data_ptr()), start, start + length)


_PLAIN = torch.Tensor.__torch_dispatch__
