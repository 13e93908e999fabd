"""What a format of checkpoints is: how a file, a zip archive or a folder of it is known, and how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.zip_archive import Archive

Open = Callable[[File], Checkpoint]  # opens what is inside of another file, whatever its format


@dataclass(frozen=True, slots=True)
class Format:
    """One format; a reader's module has one and the table of formats a line for it.

    Args:
        name: what messages call it.
        file: tells whether a file is of the format, and reads it.
        archive: the same for a zip archive.
        container: the same for a file that holds or names other checkpoints, which the third function opens.
        folder: patterns of the files to open in place of a folder, the first that is there.

    Whether a file is of the format is told from its first and last bytes, never from its name.
    """

    name: str
    file: tuple[Callable[[File], bool], Callable[[File], Checkpoint]] | None = None
    archive: tuple[Callable[[Archive], bool], Callable[[Archive], Checkpoint]] | None = None
    container: tuple[Callable[[File], bool], Callable[[File, Open], Checkpoint]] | None = None
    folder: tuple[str, ...] = ()
