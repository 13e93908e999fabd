"""Where a process puts its record, and whether it can be put there."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from frostline.errors import RecordError
from frostline.run.files import run_folder
from frostline.run.launchers import job_name
from frostline.settings import DEFAULT_DATA

_ELSEWHERE = "choose another place with --data FILE"


@dataclass(slots=True)
class Place:
    """Where a run is stored.

    Args:
        record: that of the whole run.
        own: what this process writes.
        folder: of the run, for the parts of processes.
        ranks: of a launcher's processes that do not share a folder, what each writes.
        problem: why nothing can be stored.
        keeps_former: whether a record that stands there is kept, and not replaced: the user has not named the place.
    """

    record: Path | None = None
    own: Path | None = None
    folder: Path | None = None
    ranks: tuple[Path, ...] = ()
    problem: RecordError | None = None
    keeps_former: bool = False


def place_of(data: Path | None, rank: int | None, size: int | None) -> Place:
    """Where this process is to store what, made sure before the script runs.

    Args:
        data: a file or a folder, as the user named it.
        rank: of this process, where a launcher gave it one.
        size: how many processes the launcher started.

    Raises:
        RecordError: nothing can be put there. To refuse then loses nothing where one process is about to begin, at a
            place that its user has chosen.
    """
    if data is None:
        return Place()
    named = data.absolute()  # scripts change folders
    try:
        place = _of_one(named) if rank is None else _of_several(named, rank, size or 1)
        place.keeps_former = data == DEFAULT_DATA
        return place
    except RecordError as error:
        if size is None and data != DEFAULT_DATA:
            raise
        return Place(problem=error)


def _of_several(data: Path, rank: int, size: int) -> Place:
    return _at_rank(data, rank, size) if "{rank}" in data.name else _of_rank(data, rank)


def _of_one(data: Path) -> Place:
    """A process that writes its record where it is read, and the parts of others into a folder beside it."""
    if run_folder.is_folder(data) and "{rank}" not in data.name:
        folder = run_folder.new(data)
        _make(folder)
        return Place(folder / run_folder.COMBINED, folder / run_folder.COMBINED, folder)
    own = record_path(data, None)
    assert own is not None
    require_writable(own)
    return Place(own, own, run_folder.new(own))


def _at_rank(data: Path, rank: int, size: int) -> Place:
    """One of a launcher's processes, whose user said with {rank} where each writes."""
    ranks = tuple(path for each in range(size) if (path := record_path(data, each)) is not None)
    require_writable(ranks[rank])
    folder = run_folder.runs_folder(ranks[rank]) / f"run-{job_name(os.environ)}"
    return Place(None, ranks[rank], folder, ranks)


def _of_rank(data: Path, rank: int) -> Place:
    """One of a launcher's processes, which writes a part into the folder of them all."""
    try:
        part = run_folder.join(data, job_name(os.environ), rank)
    except OSError as error:
        raise RecordError(f"cannot write {data}: {error.strerror}", _ELSEWHERE) from None
    return Place(part.parent / run_folder.COMBINED if run_folder.is_folder(data) else data, part, part.parent)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecordError(f"cannot write {folder}: {error.strerror}", _ELSEWHERE) from None


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
    if path.is_dir():
        raise RecordError(f"cannot write {path}: it is a folder", _ELSEWHERE)
    probe = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        probe.unlink(missing_ok=True)  # left by a killed process of this number, or a link, which is not followed
        os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o666))
        probe.unlink()
        head = _head(path)
    except OSError as error:
        raise RecordError(f"cannot write {path}: {error.strerror}", _ELSEWHERE) from None
    if head is not None:
        _require_record(path, head)


def _head(path: Path) -> bytes | None:
    if not path.exists():
        return None
    with open(path, "rb") as file:
        return file.read(64)


def _require_record(path: Path, head: bytes) -> None:
    from frostline.core.storage.store import FORMAT

    if (found := re.match(rb'\{"format":(\d+),', head)) is None:
        raise RecordError(f"{path} exists and is no frostline record", "it was left alone; name another --data FILE")
    if int(found[1]) > FORMAT:  # one of an older version is replaced as any other run is
        raise RecordError(
            f"{path} has record format {int(found[1])}; this frostline writes format {FORMAT}",
            "it was left alone; move it away or name another --data FILE",
        )
