"""Which of several processes this one is, and where it puts its record."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from frostline.errors import RecordError

# Who is who among several processes, as the launchers say it: torchrun, Open MPI, PMI, Slurm.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)


def process_rank(environment: Mapping[str, str]) -> tuple[int | None, int | None]:
    """This process's rank and the number of processes, as the launcher put them; ``(None, None)`` when alone.

    Example:
        >>> process_rank({"RANK": "1", "WORLD_SIZE": "4"}), process_rank({"RANK": "0", "WORLD_SIZE": "1"})
        ((1, 4), (None, None))
    """
    for rank_name, size_name in _LAUNCHERS:
        with contextlib.suppress(KeyError, ValueError):
            rank, size = int(environment[rank_name]), int(environment[size_name])
            return (rank, size) if size > 1 else (None, None)
    return None, None


def record_path(data: Path | None, process: int | str | None) -> Path | None:
    """The absolute path of this process's record: scripts change folders, and every process writes its own file.

    Args:
        data: where the record of the run goes.
        process: the rank, or another name among the processes of the run; None when alone.

    Example:
        >>> record_path(Path("/runs/.frostline.json"), 1).name
        '.frostline.1.json'
    """
    if data is None:
        return None
    data = data.absolute()
    name = data.name
    if "{rank}" in name:
        name = name.replace("{rank}", str(process or 0))
    elif process is not None:
        name = f"{data.stem}.{process}{data.suffix}"
    return data.with_name(name)


def require_writable(path: Path) -> None:
    """Make sure, before the script runs, that a record can be put at ``path`` and would replace nothing but a record.

    Raises:
        RecordError: the folder does not take a file, or something else stands there.
    """
    elsewhere = "choose another place with --data FILE"
    if path.is_dir():
        raise RecordError(f"cannot write {path}: it is a folder", elsewhere)
    probe = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        probe.touch()
        probe.unlink()
        head = _head(path)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}", elsewhere) from None
    if head is not None:
        _require_record(path, head)


def _head(path: Path) -> bytes | None:
    if not path.exists():
        return None
    with open(path, "rb") as file:
        return file.read(64)


def _require_record(path: Path, head: bytes) -> None:
    from frostline.core.store import FORMAT

    if (found := re.match(rb'\{"format":(\d+),', head)) is None:
        raise RecordError(f"{path} exists and is no frostline record", "it was left alone; name another --data FILE")
    if int(found[1]) > FORMAT:  # one of an older version is replaced as any other run is
        raise RecordError(
            f"{path} has record format {int(found[1])}; this frostline writes format {FORMAT}",
            "it was left alone; move it away or name another --data FILE",
        )
