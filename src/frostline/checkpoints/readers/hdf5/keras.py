"""Reads Keras 3 archives (.keras): the HDF5 file of weights inside a zip archive."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.zip_archive import Archive
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.hdf5 import reader

WEIGHTS = ".weights.h5"


def known(archive: Archive) -> bool:
    """Whether a zip archive holds the weights of a Keras model."""
    return any(name.endswith(WEIGHTS) for name in archive.entries)


def read(archive: Archive) -> Checkpoint:
    """The weights of the Keras model in ``archive``."""
    first, *more = (name for name in archive.entries if name.endswith(WEIGHTS))
    checkpoint = reader.read(archive.unpacked(first))
    for name in more:
        checkpoint.add_unread(name, "a second file of weights")
    checkpoint.kind = "keras"
    checkpoint.uncompared = [f"{name} in the archive" for name in archive.entries if not name.endswith(WEIGHTS)]
    checkpoint.files.append(archive.file)
    return checkpoint


FORMAT = Format("Keras (.keras)", archive=(known, read), folder=("*.keras",))
