"""Files beside a checkpoint that it names: shards, parts, external data."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from frostline.checkpoints.files.file import File


def sibling(file: File, name: str) -> Path:
    """The path of a file that ``file`` names; CheckpointError when it leads out of the folder that ``file`` is in.

    A download cache keeps links to a ``blobs`` folder two levels up; those are the links that are followed.
    """
    folder = file.path.parent
    for pure in (PurePosixPath(name), PureWindowsPath(name)):
        if pure.is_absolute() or pure.drive or ".." in pure.parts or "\0" in name:
            raise file.bad(f"names {name!r}, a path that leaves its folder", "do not use this checkpoint")
    path = folder / name
    allowed = [folder.resolve(), (folder / ".." / ".." / "blobs").resolve()]
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        raise file.bad(f"names {name!r}, a link that leads nowhere", "do not use this checkpoint") from None
    if not any(target.is_relative_to(place) for place in allowed):
        raise file.bad(f"names {name!r}, a link that leaves its folder", "do not use this checkpoint")
    return path
