"""What every reader gives: a checkpoint, its tensors by name, and what else the file holds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from frostline.checkpoints import dtypes
from frostline.checkpoints.extras import mark
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Held, Source
from frostline.core.storage_overlap import Span as Extent
from frostline.core.storage_overlap import overlapping
from frostline.errors import CheckpointError

REST = "rest of the file"  # stands for bytes behind all that a format knows
OPAQUE = "object"  # stands where an entry of the file was not read and has no element type


@dataclass(frozen=True, slots=True)
class Tensor:
    """One named tensor of a checkpoint.

    ``unknown`` gives the reason where the file names a tensor but its bytes cannot be had; ``note`` says what the
    bytes alone do not (quantised, lazily conjugated, a type the reader cannot name). ``extent`` is the storage and
    the bytes of it that the tensor covers, so that tied names can be told.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    source: Source
    extent: Extent | None = None
    unknown: str | None = None
    note: str = ""

    @property
    def nbytes(self) -> int:
        return self.source.nbytes

    @property
    def size(self) -> int:
        return 0 if self.dtype == OPAQUE else math.prod(self.shape)


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint opened for reading: what its structure says; bytes are read when they are asked for.

    ``extras`` are values that were read and are no tensors, each as a text that differs where two values do;
    ``metadata`` is what the file says of itself, and ``configures`` whether it makes the model what it is, as GGUF's
    does with its tokenizer and its sizes. What
    could not be read is a tensor with ``unknown`` set, so that no comparison can pass over it; what is neither tensor
    nor value, such as a graph, is named in ``uncompared``, since nothing compares it. ``layer_names`` are the
    names that Keras keeps beside its variables, by the group they stand in, and ``paths`` where a tensor lies in an
    HDF5 file.

    Use it as a context manager: on a normal exit it raises when a file of it changed meanwhile.
    """

    path: Path
    kind: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    extras: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    configures: bool = False
    uncompared: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    layer_names: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    _repeats: dict[str, int] = field(default_factory=dict)

    def add(self, tensor: Tensor) -> None:
        """Take in one tensor; CheckpointError when its name is unusable or taken, or its size contradicts its type."""
        try:
            tensor.name.encode()
        except UnicodeEncodeError:
            raise self.bad("a tensor's name is not valid UTF-8") from None
        if tensor.name in self.tensors:
            raise self.bad(f"the name {tensor.name!r} stands for two tensors")
        width = dtypes.bits(tensor.dtype)
        if width and not tensor.unknown and tensor.nbytes != (tensor.size * width + 7) // 8:
            raise self.bad(
                f"{tensor.name!r} is {tensor.dtype} {list(tensor.shape)}, which does not fill {tensor.nbytes:,} bytes"
            )
        self.tensors[tensor.name] = tensor

    def free_name(self, name: str) -> str:
        """``name``, or with a number behind it where a tensor has that name: for formats whose names may repeat."""
        free = name
        while free in self.tensors:
            self._repeats[name] = self._repeats.get(name, 1) + 1
            free = f"{name} ({self._repeats[name]})"
        return free

    def add_unknown(self, name: str, dtype: str, shape: tuple[int, ...], reason: str) -> None:
        """Take in a tensor that the file names without giving its bytes."""
        self.add(Tensor(name, dtype, shape, Held(b""), unknown=reason))

    def add_unread(self, name: str, reason: str) -> None:
        """Take in an entry that may hold numbers and was not read."""
        self.add_unknown(name, OPAQUE, (), reason)

    def add_bytes(self, name: str, source: Source) -> None:
        """Take in bytes that no format gives a meaning to, so that no proof passes over them."""
        if source.nbytes:
            note = "nothing that is known here; compared as bytes"
            self.add(Tensor(self.free_name(name), "uint8", (source.nbytes,), source, note=note))

    def add_extra(self, name: str, text: str) -> None:
        """Take in a value that is no tensor; the text differs where two values do."""
        if name in self.extras:
            text = f"several values ({mark(self.extras[name] + text)})"
        self.extras[name] = text

    @property
    def values(self) -> dict[str, str]:
        """What stands beside the tensors and belongs to the model: a lock has it."""
        return self.extras | self.metadata if self.configures else self.extras

    @property
    def remarks(self) -> dict[str, str]:
        """What the file says of itself, less the framework that it was written by; other formats drop it."""
        return {} if self.configures else {name: text for name, text in self.metadata.items() if name != "format"}

    def bad(self, fact: str) -> CheckpointError:
        return self.files[0].bad(fact) if self.files else CheckpointError(f"{self.path}: {fact}")

    def ties(self) -> list[list[str]]:
        """Groups of names whose tensors share bytes of one storage, each group in file order."""
        named = [(tensor.name, tensor.extent) for tensor in self.tensors.values() if tensor.extent]
        groups = overlapping([extent for _, extent in named])
        return [[named[index][0] for index in group] for group in groups if len(group) > 1]

    def close(self) -> None:
        for file in dict.fromkeys(file.whole for file in self.files):
            file.close()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if kind is None:
                for file in dict.fromkeys(file.whole for file in self.files):
                    file.check_unchanged()
        finally:
            self.close()
