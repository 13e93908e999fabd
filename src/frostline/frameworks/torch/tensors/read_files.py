"""Files that the script read, remembered by digests of their tensors and a few values of each."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from frostline.digest.floats import FLOATS, Reals
from frostline.frameworks.torch.tensors.saved_values import Content, base_name, named_tensors
from frostline.frameworks.torch.tensors.tensors import dtype_name
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_match import Readable, mark

FILES_KEPT = 8
TENSORS_KEPT = 1 << 14
FEW = 8  # tensors of fewer values go together with others by chance
VALUES = 128  # of each tensor, its first
CLOSE = 0.5  # the correlation of values that were only adjusted: of as many redrawn ones it is 0 ± 0.09


@dataclass(slots=True)
class ReadFile:
    """One dictionary of a file: shape and digest of every tensor by name; digests that several share say nothing.

    ``values`` are the first values of its tensors of floats, without those that are few or all the same.
    """

    file: str
    shapes: dict[str, tuple[int, ...]]
    marks: dict[str, bytes]
    by_mark: dict[bytes, str]
    dtypes: dict[str, str]
    values: dict[str, Reals]


class ReadFiles:
    """The last files that the script read, the newest last."""

    def __init__(self) -> None:
        self.files: list[ReadFile] = []

    def read(self, value: Any, source: Any) -> None:
        """A file was read: keep the digests of its tensors, dictionary by dictionary."""
        sections: dict[str, dict[str, torch.Tensor]] = {}
        for section, name, tensor in named_tensors(value):
            sections.setdefault(section, {})[name] = tensor
        for tensors in sections.values():
            if 1 < len(tensors) <= TENSORS_KEPT:
                self.files.append(_digested(base_name(source), tensors))
        del self.files[:-FILES_KEPT]


def digest_of(tensor: torch.Tensor) -> bytes | None:
    """What is the same for tensors of one type, shape and content; None where it cannot be read."""
    with contextlib.suppress(Unreadable):
        size = tensor.numel() * tensor.element_size()
        return kind_of(dtype_name(tensor), tuple(tensor.shape)) + mark(Content(tensor), size)
    return None


def kind_of(dtype: str, shape: tuple[int, ...]) -> bytes:
    """What digests of tensors of this type and shape begin with."""
    return f"{dtype}{shape}".encode()


def values_of(content: Readable, dtype: str, size: int) -> Reals | None:
    """The first values of a tensor of real floats of this size; None where they are few, or all the same.

    Raises:
        Unreadable: the tensor cannot be read.
    """
    layout = FLOATS.get(dtype)
    if layout is None or layout.parts > 1 or size < FEW:
        return None
    width = layout.width // 8
    values = layout.values(np.frombuffer(content.part(0, min(size, VALUES) * width), f"<u{width}"))
    return values if np.ptp(values) else None


def are_close(one: Reals, other: Reals) -> bool:
    """Whether two tensors' values go together, as where one was rounded, scaled or adjusted to become the other."""
    if len(one) != len(other) or len(one) < FEW:
        return False
    with np.errstate(invalid="ignore", divide="ignore"):
        return bool(np.corrcoef(one, other)[0, 1] >= CLOSE)


def _digested(file: str, tensors: dict[str, torch.Tensor]) -> ReadFile:
    marks = {name: digest for name, tensor in tensors.items() if (digest := digest_of(tensor)) is not None}
    counts = Counter(marks.values())
    unique = {digest: name for name, digest in marks.items() if counts[digest] == 1}
    found = {
        name: values_of(Content(tensors[name]), dtype_name(tensors[name]), tensors[name].numel()) for name in marks
    }
    values = {name: each for name, each in found.items() if each is not None}
    shapes = {name: tuple(tensors[name].shape) for name in marks}
    return ReadFile(file, shapes, marks, unique, {name: dtype_name(tensors[name]) for name in marks}, values)
