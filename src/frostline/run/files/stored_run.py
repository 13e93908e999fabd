"""A stored run, of one process or of many: found by the name of a file or folder, and read as one record."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from frostline import judging
from frostline.core.collector import collector_paused
from frostline.core.record import Record
from frostline.core.run import Run, is_alive
from frostline.core.storage import run_file, store
from frostline.core.suppressions import Policy
from frostline.errors import RecordError
from frostline.run.combine import Combination
from frostline.run.files import run_folder

_LOOK_EVERY = 0.1  # seconds
_TO_BEGIN = 1.0  # seconds: who has not begun when the first process ends is hardly observed at all


def load(path: Path, policy: Policy | None = None) -> Record:
    """The record of the run at ``path``; parts that no record is made of yet are put together now.

    Args:
        path: a record, the folder of a run, or a folder of runs, of which the latest is meant.
        policy: by which one that came to no end is judged.

    Raises:
        RecordError: there is none, or it cannot be read.
    """
    folder = run_folder.found(path) if path.is_dir() else run_folder.found(run_folder.runs_folder(path))
    record = folder / run_folder.COMBINED if path.is_dir() else path
    parts = run_folder.parts(folder)
    if not parts or _written(record) > max(map(_written, parts)):
        return judging.load(record, policy)
    own = _own(record, folder)
    return together(parts, [] if own is None else [own])


@collector_paused()
def named(paths: Sequence[Path], policy: Policy) -> Record:
    """The record of all processes whose records, or whose run's folder, somebody has named.

    Raises:
        FrostlineError: one cannot be read, is of another run, or there is nothing to be combined.
    """
    if len(paths) == 1 and paths[0].is_dir():
        return together(_parts_in(paths[0]), (), policy)
    files = [part for path in paths for part in (_parts_in(path) if path.is_dir() else [path])]
    combination = Combination()
    for file in sorted(files, key=_natural):
        combination.add(judging.load(file), str(file))
    return combination.record(policy)


def _parts_in(folder: Path) -> list[Path]:
    parts = run_folder.parts(run_folder.found(folder))
    if not parts:
        raise RecordError(f"there are no records of processes in {folder}", "name the records themselves")
    return parts


def _natural(path: Path) -> list[tuple[int, str]]:
    """Names in the order of their numbers."""
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.split(r"(\d+)", str(path))]


@collector_paused()
def together(parts: Iterable[Path], others: Iterable[Record] = (), policy: Policy | None = None) -> Record:
    """The record of all processes of a run; what cannot be read is named in it as missing.

    Args:
        parts: of the processes that have one.
        others: what is known of processes that have none.
        policy: what becomes of findings.
    """
    combination, missing = Combination(is_one_run=True), []
    records: list[Record] = []  # the first two, to tell one process from several
    for record in others:
        combination.add(record)
        records.append(record)
    for part in parts:
        try:
            record = judging.load(part)
        except RecordError:
            missing.append(f"{part.stem.replace('-', ' ')}: no record of it could be read")
            continue
        combination.add(record)
        records = [*records[:1], record]
    if len(records) == 1 and not missing and (records[0].run.world_size or 1) == 1:
        return judging.judged_by(records[0], policy or Policy())
    return combination.record(policy or Policy(), missing)


def wait(parts: Callable[[], Iterable[Path]], size: int, patience: float, hurry: Callable[[], bool]) -> None:
    """Wait until the processes of a run have ended, or are gone.

    Args:
        parts: looks up those that have begun.
        size: how many there will be.
        patience: the most seconds to wait.
        hurry: whether there is no more time.
    """
    now = time.monotonic()
    until, until_begun = now + patience, now + _TO_BEGIN
    ended: set[Path] = set()
    while time.monotonic() < until and not hurry():
        begun = list(parts())
        ended.update(part for part in begun if part not in ended and _has_ended(part))
        if len(ended) == len(begun) and (len(begun) >= size or time.monotonic() > until_begun):
            return
        time.sleep(_LOOK_EVERY)


def write_end(path: Path, run: Run) -> None:
    """Store as the part of a process that it came to its end and trained nothing.

    Raises:
        RecordError: it cannot be written.
    """
    from frostline.core.journal import Journal
    from frostline.version import __version__

    run_file.RunFile(path, Journal(), __version__).append(run, run_file.Seal([]) if run.complete else None)


def _has_ended(part: Path) -> bool:
    with contextlib.suppress(RecordError):
        data = store.read(part)
        return run_file.is_sealed(data) or (bool(data) and not is_alive(run_file.read(data).ledger.run))
    return False


def _own(path: Path, folder: Path) -> Record | None:
    """The record of the process that started the others, while it goes on; it is no part yet."""
    with contextlib.suppress(RecordError):
        record = judging.load(path)
        is_combined = record.run.rank is None and (record.run.world_size or 1) > 1
        if record.run.id == folder.name and not is_combined:
            return record
    return None


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0.0
