"""Reads a checkpoint split over several files by its JSON index, and never leaves the folder the index is in."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.readers.format import Format, Open
from frostline.checkpoints.readers.hdf5.layer_names import named_by_user
from frostline.errors import CheckpointError

INDEX_LIMIT = 2**27
MOST_SHARDS = 10_000


def known(file: File) -> bool:
    """Whether ``file`` may be an index: a JSON object, beside the files that it names."""
    return file.alone and file.head.lstrip()[:1] == b"{"


def read(file: File, open_shard: Open) -> Checkpoint:
    """All tensors of the shards that the index in ``file`` names; each one must be where the index says."""
    shards = _shards(file)
    checkpoint = Checkpoint(file.path, "sharded", files=[file])
    try:
        parts: dict[str, Checkpoint] = {}
        for shard in shards:
            inner = File(sibling(file, shard))
            checkpoint.files.append(inner)
            if known(inner):
                raise inner.bad("is no checkpoint of a known format", "an index names checkpoints, and no other index")
            parts[shard] = open_shard(inner)
            checkpoint.files += parts[shard].files
        checkpoint.kind = f"{next(iter(parts.values())).kind}, {len(shards)} shards"
        names = _names(list(parts.values()))
        for shard, wanted in shards.items():
            _join(checkpoint, parts[shard], shard, wanted, names)
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


def _names(parts: list[Checkpoint]) -> dict[str, str]:
    """The users' names by path: Keras writes some of them into the shard before the one that holds the variables."""
    groups = {group: name for part in parts for group, name in part.layer_names.items()}
    return named_by_user(groups, [path for part in parts for path in part.paths.values()]) if groups else {}


def _join(checkpoint: Checkpoint, part: Checkpoint, shard: str, wanted: list[str], names: dict[str, str]) -> None:
    for tensor in part.tensors.values():
        name = names.get(part.paths.get(tensor.name, ""), tensor.name)
        checkpoint.add(dataclasses.replace(tensor, name=name))
    checkpoint.uncompared += [what for what in part.uncompared if what not in checkpoint.uncompared]
    checkpoint.extras |= part.extras
    checkpoint.metadata |= part.metadata
    if part.kind == "hdf5":  # Keras maps groups, not tensors
        return
    missing: list[Any] = [name for name in wanted if name not in part.tensors]
    if missing:
        raise checkpoint.bad(f"says that {missing[0]!r} is in {shard}, which does not hold it")


FORMAT = Format("sharded checkpoints by their JSON index", container=(known, read))
