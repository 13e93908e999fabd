"""Reads Keras 3 archives (.keras): the HDF5 file of weights inside a zip archive."""

from __future__ import annotations

from frostline.checkpoints import hdf5_reader
from frostline.checkpoints.archive import Archive
from frostline.checkpoints.checkpoint import Checkpoint

WEIGHTS = ".weights.h5"


def sniff_archive(archive: Archive) -> bool:
    """Whether a zip archive holds the weights of a Keras model."""
    return any(name.endswith(WEIGHTS) for name in archive.entries)


def read_archive(archive: Archive) -> Checkpoint:
    """The weights of the Keras model in ``archive``."""
    span = archive.unpacked(next(name for name in archive.entries if name.endswith(WEIGHTS)))
    checkpoint = hdf5_reader.read(span.file, span.offset, span.nbytes)
    checkpoint.kind, checkpoint.path = "keras", archive.file.path
    if span.file is not archive.file:
        checkpoint.files.append(archive.file)
    return checkpoint
