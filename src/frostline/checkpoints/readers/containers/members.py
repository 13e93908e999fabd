"""Joins the checkpoints among the members of an archive; what else it holds is kept as bytes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Open
from frostline.errors import UnknownFormat

MOST_MEMBERS = 10_000


def gathered(archive: File, what: str, members: Iterable[tuple[str, File]], open_inside: Open) -> Checkpoint:
    """One checkpoint of all that ``members`` hold.

    Names are those of the one checkpoint among them, or begin with the member's name where there are several. A member
    of no known format is a tensor of bytes, so that no proof passes over it.

    Raises:
        CheckpointError: none of them is a checkpoint, or one is damaged.
    """
    inside: dict[str, Checkpoint] = {}
    others: dict[str, File] = {}
    for name, member in members:
        if len(inside) + len(others) == MOST_MEMBERS:
            raise archive.bad(f"holds more than {MOST_MEMBERS:,} files", "unpack it, and name a file from it")
        part = None if _is_json(member) else _opened(member, open_inside)
        if part is not None and part.tensors:
            inside[name] = part
        else:
            others[name] = member
    if not inside:
        raise UnknownFormat(f"{archive.path}: is a {what} archive that holds no checkpoint of a known format")
    joined = Checkpoint(archive.path, f"{', '.join(dict.fromkeys(part.kind for part in inside.values()))} in {what}")
    for name, part in inside.items():
        _join(joined, part, f"{name}/" if len(inside) > 1 else "")
    joined.files.append(archive)
    for name, member in others.items():
        joined.files.append(member)
        note = "a file that is no checkpoint; compared as bytes"
        joined.add(Tensor(name, "uint8", (member.size,), Span(member, 0, member.size), note=note))
    return joined


def _opened(member: File, open_inside: Open) -> Checkpoint | None:
    try:
        return open_inside(member)
    except UnknownFormat:
        return None


def _join(joined: Checkpoint, part: Checkpoint, prefix: str) -> None:
    joined.files += part.files
    joined.uncompared += [what for what in part.uncompared if what not in joined.uncompared]
    for tensor in part.tensors.values():
        joined.add(dataclasses.replace(tensor, name=prefix + tensor.name))
    joined.extras |= {prefix + name: value for name, value in part.extras.items()}
    joined.metadata |= {prefix + name: value for name, value in part.metadata.items()}


def _is_json(file: File) -> bool:
    """Whether a file may be JSON: settings, or an index of files that are not beside it."""
    return file.head.lstrip()[:1] == b"{"
