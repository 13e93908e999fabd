"""Reads a checkpoint split over several files by its JSON index, and never leaves the folder the index is in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files import File
from frostline.errors import CheckpointError

INDEX_LIMIT = 2**27
MOST_SHARDS = 10_000

Open = Callable[[Path], Checkpoint]


def sniff(head: bytes) -> bool:
    """Whether a file that starts with ``head`` may be an index: a JSON object."""
    return head.lstrip()[:1] == b"{"


def read(file: File, open_shard: Open) -> Checkpoint:
    """All tensors of the shards that the index in ``file`` names; each one must be where the index says."""
    shards = _shards(file)
    checkpoint = Checkpoint(file.path, "sharded", files=[file])
    try:
        for shard, wanted in shards.items():
            part = open_shard(_inside(file, shard))
            checkpoint.files += part.files
            checkpoint.kind = f"{part.kind}, {len(shards)} shards"
            _join(checkpoint, part, shard, wanted)
    except CheckpointError:
        checkpoint.close()
        raise
    return checkpoint


def _shards(file: File) -> dict[str, list[str]]:
    """The files that the index names, each with the names it should hold."""
    if file.size > INDEX_LIMIT:
        raise file.bad(f"is a text of {file.size:,} bytes, too long for an index")
    try:
        index = json.loads(file.read(0, file.size).decode())
    except (ValueError, RecursionError):
        raise file.bad("is neither a checkpoint nor a JSON index of one", "name a checkpoint") from None
    table = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(table, dict) or not table:
        raise file.bad("is a JSON file without a weight_map", "name a checkpoint, or the index of a sharded one")
    shards: dict[str, list[str]] = {}
    for name, places in table.items():
        for place in places if isinstance(places, list) else [places]:
            if not isinstance(place, str) or not place:
                raise file.bad(f"does not say in which file {name!r} is")
            shards.setdefault(place, []).append(name)
    if len(shards) > MOST_SHARDS:
        raise file.bad(f"names {len(shards):,} files; at most {MOST_SHARDS:,} are opened")
    return shards


def _inside(file: File, shard: str) -> Path:
    """The path of a shard; CheckpointError when it leads out of the folder of the index.

    A download cache keeps links to a ``blobs`` folder two levels up; those are the links that are followed.
    """
    folder = file.path.parent
    for pure in (PurePosixPath(shard), PureWindowsPath(shard)):
        if pure.is_absolute() or pure.drive or ".." in pure.parts or "\0" in shard:
            raise file.bad(f"names {shard!r}, a path that leaves its folder", "do not use this checkpoint")
    path = folder / shard
    allowed = [folder.resolve(), (folder / ".." / ".." / "blobs").resolve()]
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        raise file.bad(f"names {shard!r}, a link that leads nowhere", "do not use this checkpoint") from None
    if not any(target.is_relative_to(place) for place in allowed):
        raise file.bad(f"names {shard!r}, a link that leaves its folder", "do not use this checkpoint")
    return path


def _join(checkpoint: Checkpoint, part: Checkpoint, shard: str, wanted: list[str]) -> None:
    for tensor in part.tensors.values():
        checkpoint.add(tensor)
    checkpoint.extras |= part.extras
    checkpoint.metadata |= part.metadata
    if part.kind == "hdf5":  # Keras maps groups, not tensors
        return
    missing: list[Any] = [name for name in wanted if name not in part.tensors]
    if missing:
        raise checkpoint.bad(f"says that {missing[0]!r} is in {shard}, which does not hold it")
