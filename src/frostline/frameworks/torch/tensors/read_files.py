"""Files that the script read, remembered by digests of their tensors and a few values of each."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import torch

from frostline.digest.floats import Reals
from frostline.frameworks.torch.tensors.saved_values import Content, base_name, named_tensors, path_of
from frostline.frameworks.torch.tensors.tensors import dtype_name
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_match import kind_of, mark, values_of

FILES_KEPT = 8
TENSORS_KEPT = 1 << 14


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
    taken_from: str = ""  # its path, where tensors are taken out one by one
    repeated: set[bytes] = field(default_factory=set)

    def take(self, name: str, tensor: torch.Tensor) -> None:
        """Remember one tensor of it."""
        digest = digest_of(tensor)
        if digest is None:
            return
        if digest in self.by_mark or digest in self.repeated:
            self.by_mark.pop(digest, None)
            self.repeated.add(digest)
        else:
            self.by_mark[digest] = name
        self.marks[name], self.dtypes[name], self.shapes[name] = digest, dtype_name(tensor), tuple(tensor.shape)
        if (values := values_of(Content(tensor), self.dtypes[name], tensor.numel())) is not None:
            self.values[name] = values


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

    def add(self, source: Any, name: str, tensor: torch.Tensor) -> bool:
        """One more tensor was taken out of a file; whether it is the first one of that."""
        file = next((each for each in self.files if each.taken_from == path_of(source)), None)
        if file is not None and len(file.marks) >= TENSORS_KEPT:
            return False
        if fresh := file is None or name in file.marks:  # taken anew, the file may be another one
            file = ReadFile(base_name(source), {}, {}, {}, {}, {}, path_of(source))
            self.files[:] = [each for each in self.files if each.taken_from != file.taken_from][1 - FILES_KEPT :]
            self.files.append(file)
        file.take(name, tensor)
        return fresh


def digest_of(tensor: torch.Tensor) -> bytes | None:
    """What is the same for tensors of one type, shape and content; None where it cannot be read."""
    with contextlib.suppress(Unreadable):
        size = tensor.numel() * tensor.element_size()
        return kind_of(dtype_name(tensor), tuple(tensor.shape)) + mark(Content(tensor), size)
    return None


def _digested(file: str, tensors: dict[str, torch.Tensor]) -> ReadFile:
    read = ReadFile(file, {}, {}, {}, {}, {})
    for name, tensor in tensors.items():
        read.take(name, tensor)
    return read
