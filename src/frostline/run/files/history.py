"""Earlier runs: a record that the next run would replace is kept in ``.frostline/``, a folder for each run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from frostline.core.record import Record
from frostline.core.storage import store
from frostline.errors import RecordError, UnknownName
from frostline.run.files import run_folder

KEPT = 50  # records of earlier runs; of more, the oldest go
_ID = re.compile(rb'"id":"(run-\d{8}-\d{6}-[\w-]+)"')


@dataclass(frozen=True, slots=True)
class KeptRun:
    """One run that can be read again: its name, the file of its record, and the record where it can be read."""

    name: str
    path: Path
    record: Record | None


def keep_former(data: Path, run: str) -> None:
    """Put the record at ``data`` into the folder of its own run too, unless it is of ``run``, which is about to write.

    It stays where it is until it is replaced, so that there is a record at any moment. Where it cannot be kept it is
    replaced all the same, as a file that the user named is.
    """
    with contextlib.suppress(OSError):
        former = _name_of(data)
        if former == run:
            return
        folder = run_folder.runs_folder(data) / former
        folder.mkdir(parents=True, exist_ok=True)
        _link(data, folder / run_folder.COMBINED)
        _forget_oldest(folder.parent)


def kept(data: Path) -> Iterator[KeptRun]:
    """The runs whose records went to ``data``, the latest first."""
    from frostline.run.files.stored_run import load  # a run that begins only keeps its former record

    files = [(_name_of(data), data)] if data.is_file() else []
    folders = sorted(run_folder.runs_folder(data).glob("run-*"), reverse=True)
    files += [(folder.name, folder / run_folder.COMBINED) for folder in folders if folder.name not in dict(files)]
    for name, path in files:
        if path.is_file() and store.is_record(path):
            try:
                yield KeptRun(name, path, load(path))
            except RecordError:
                yield KeptRun(name, path, None)


def named(run: Path, data: Path) -> Path:
    """The record that ``run`` means: a path as it is, or else the name of a kept run, or the end of one.

    Raises:
        UnknownName: nothing is there, and no run that was kept is called so, or several are.
    """
    if run.exists() or run.suffix or len(run.parts) > 1:
        return run
    files = {folder.name: folder / run_folder.COMBINED for folder in run_folder.runs_folder(data).glob("run-*")}
    if data.is_file():
        files[_name_of(data)] = data
    found = [path for name, path in files.items() if path.is_file() and name.endswith(str(run))]
    if len(found) != 1:
        raise UnknownName(f"there is no run '{run}'", "`frostline runs` lists those that were kept")
    return found[0]


def _name_of(data: Path) -> str:
    """The name of the run that a record is of; one that has none is called after the time of its last write."""
    match = _ID.search(data.read_bytes())
    written = time.strftime("%Y%m%d-%H%M%S", time.localtime(data.stat().st_mtime))
    return match[1].decode() if match is not None else f"run-{written}-former"


def _link(data: Path, kept: Path) -> None:
    try:
        os.link(data, kept)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        shutil.copy2(data, kept)


def _forget_oldest(runs: Path) -> None:
    """Remove what was kept of the oldest runs; folders with the parts of processes are left alone."""
    alone = [folder for folder in runs.glob("run-*") if os.listdir(folder) == [run_folder.COMBINED]]
    for folder in sorted(alone)[:-KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
