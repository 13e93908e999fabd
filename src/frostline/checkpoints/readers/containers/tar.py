"""Reads checkpoints that lie in a tar archive, as those of NeMo (.nemo) do."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.readers.containers.members import gathered
from frostline.checkpoints.readers.format import Format, Open
from frostline.errors import UnknownFormat

STRUCTURE_LIMIT = 2**20
MOST_MEMBERS = 20_000  # folders, too
OLD_TORCH = {"sys_info", "pickle", "storages", "tensors"}


def known(file: File) -> bool:
    """Whether ``file`` is a tar archive."""
    return file.head[257:262] == b"ustar"


def read(file: File, open_inside: Open) -> Checkpoint:
    """The checkpoints among the members of ``file``; CheckpointError when there is none."""
    return gathered(file, "tar", _members(file), open_inside)


def _members(file: File) -> Iterator[tuple[str, File]]:
    """The regular files in an archive; CheckpointError for links, devices, and an archive that is damaged."""
    seen = set()
    try:
        with tarfile.open(fileobj=io.BufferedReader(Window(file, limit=STRUCTURE_LIMIT)), mode="r:") as archive:
            for count, member in enumerate(archive):
                if count == MOST_MEMBERS:
                    raise file.bad(f"holds more than {MOST_MEMBERS:,} members", "unpack it, and name a file from it")
                if member.isdir():
                    continue
                if not member.isreg() or member.issparse():
                    raise file.bad(f"its member {member.name!r} is a link or a device", "unpack it, and name a file")
                name = member.name.removeprefix("./")
                if name in seen:
                    raise file.bad(f"holds two members named {name!r}")
                seen.add(name)
                yield name, file.part(member.offset_data, member.size)
    except (tarfile.TarError, ValueError, OverflowError, OSError, RecursionError):
        raise file.bad("is not a sound tar archive") from None
    if seen >= OLD_TORCH:
        raise UnknownFormat(f"{file.path}: what torch before 0.1.10 wrote, which is not read", "torch.save it again")


FORMAT = Format("tar archives (.nemo)", container=(known, read))
