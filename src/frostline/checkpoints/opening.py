"""Opens a checkpoint by what is in the file, whatever its name says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from frostline.checkpoints import (
    flax_reader,
    gguf_reader,
    hdf5_reader,
    keras_reader,
    numpy_reader,
    pt2_reader,
    safetensors_reader,
    sharded,
    torch_reader,
    unread,
)
from frostline.checkpoints.archive import Archive, read_archive
from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files import File
from frostline.errors import CheckpointError

HEAD = 4096
FORMATS = "safetensors, PyTorch, Keras (.keras, .weights.h5, .h5), .npz, GGUF and flax msgpack are read"

Reader = tuple[Callable[[bytes], bool], Callable[[File], Checkpoint]]
ArchiveReader = tuple[Callable[[Archive], bool], Callable[[Archive], Checkpoint]]

# A format is one file and one row here: how it is known, and how it is read. The first row that knows a file reads it.
READERS: tuple[Reader, ...] = (
    (gguf_reader.sniff, gguf_reader.read),
    (numpy_reader.sniff, numpy_reader.read),
    (hdf5_reader.sniff, hdf5_reader.read),
    (safetensors_reader.sniff, safetensors_reader.read),
    (torch_reader.sniff, torch_reader.read),
    (flax_reader.sniff, flax_reader.read),
)

ARCHIVE_READERS: tuple[ArchiveReader, ...] = (  # of zip archives
    (torch_reader.sniff_archive, torch_reader.read_archive),
    (pt2_reader.sniff_archive, pt2_reader.read_archive),
    (keras_reader.sniff_archive, keras_reader.read_archive),
    (numpy_reader.sniff_archive, numpy_reader.read_archive),  # last: it knows an empty archive too
)

# In a folder, the first of these that is there.
_IN_FOLDER = (
    "model.safetensors.index.json",
    "model.safetensors",
    "adapter_model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
    "adapter_model.bin",
)


def open_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """The checkpoint at ``path``: a file, the index of a sharded one, or a folder that holds one of the usual names.

    Raises:
        CheckpointError: there is no such file, its format is not known, or it is damaged.
    """
    return _opened(_found(Path(path)), index=True)


def _opened(path: Path, index: bool) -> Checkpoint:
    file = File(path)
    try:
        return _read(file, index)
    except BaseException:
        file.close()
        raise


def _read(file: File, index: bool) -> Checkpoint:
    head = file.read(0, min(file.size, HEAD))
    if head[:2] == b"PK" and head[2:4] in (b"\x03\x04", b"\x05\x06"):
        return _from_archive(read_archive(file))
    for sniff, read in READERS:
        if sniff(head):
            return read(file)
    if index and sharded.sniff(head):
        return sharded.read(file, lambda path: _opened(path, index=False))
    if not head:
        raise file.bad("is empty", "the run that should have written it may have failed")
    refusal = unread.file(file.path, head, file.read(file.size - min(file.size, 8), min(file.size, 8)))
    raise refusal or file.bad("is no checkpoint of a known format", FORMATS)


def _from_archive(archive: Archive) -> Checkpoint:
    for sniff, read in ARCHIVE_READERS:
        if sniff(archive):
            return read(archive)
    raise unread.archive(archive.file.path, archive.entries) or archive.file.bad(
        "is a zip archive, but no checkpoint of a known format", FORMATS
    )


def _found(path: Path) -> Path:
    if not path.is_dir():
        if (refusal := unread.name(path)) is not None:
            raise refusal
        return path
    for name in _IN_FOLDER:
        if (path / name).exists():
            return path / name
    raise unread.folder(path) or CheckpointError(
        f"{path}: a folder without a checkpoint of a usual name", "name the file itself"
    )
