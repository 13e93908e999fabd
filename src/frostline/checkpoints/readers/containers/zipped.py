"""Reads checkpoints that lie in a zip archive of no format of its own."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.zip_archive import Archive
from frostline.checkpoints.readers.containers.members import gathered
from frostline.checkpoints.readers.format import Open


def read(archive: Archive, open_inside: Open) -> Checkpoint:
    """The checkpoints among the entries of ``archive``; CheckpointError when there is none."""
    members = ((name, archive.unpacked(name)) for name in archive.entries)
    return gathered(archive.file, "zip", members, open_inside)
