"""The folder of a run of several processes: a part from each of them, which nobody else writes.

``.frostline/run-<time>-<id>/`` lies beside the record ``.frostline.json`` of all of them together, and
``.frostline/latest`` leads to the last one. A part is a record like any other: ``rank-0.json``, or
``process-4711.json`` where no launcher gave a rank.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

COMBINED = "record.json"
LATEST = "latest"
STARTED_TOGETHER = 600.0  # seconds between the processes of one launcher; what is older is of another run
_PART = re.compile(r"(rank|process)-(\d+)\.json")


def is_folder(data: Path) -> bool:
    """Whether ``data`` names a folder for runs, each with a folder of its own, and not the file of one record.

    >>> is_folder(Path("no-such-folder/runs")), is_folder(Path(".frostline.json"))
    (True, False)
    """
    return data.is_dir() or (not data.suffix and not data.exists())


def runs_folder(data: Path) -> Path:
    """The folder that holds those of the runs whose record goes to ``data``.

    >>> str(runs_folder(Path("runs/.frostline.json")))
    'runs/.frostline'
    """
    if is_folder(data):
        return data
    return data.with_suffix("") if data.suffix else data.with_name(f"{data.name}.runs")


def new(data: Path) -> Path:
    """The path of a folder for a run that begins now; it is made when something is put there."""
    return runs_folder(data) / f"run-{_now()}-{os.urandom(4).hex()}"


def join(data: Path, job: str, rank: int) -> Path:
    """Find or make the folder of a launcher's job, and claim the place of this rank in it; its path there.

    Args:
        data: where the record of all goes.
        job: names the job, the same in all its processes.
        rank: of this process.

    Raises:
        OSError: the folder cannot be made or written.
    """
    runs = runs_folder(data)
    runs.mkdir(parents=True, exist_ok=True)
    with _locked(runs):
        for folder in sorted(runs.glob(f"run-*-{job}*"), reverse=True)[:1]:
            if _age(folder) < STARTED_TOGETHER and (part := claimed(folder, f"rank-{rank}")) is not None:
                return part
        folder = runs / f"run-{_now()}-{job}"
        while folder.exists():
            folder = folder.with_name(f"{folder.name}-again")
        part = claimed(folder, f"rank-{rank}")
        assert part is not None
        return part


def claimed(folder: Path, name: str) -> Path | None:
    """The path of a part in ``folder`` that this process alone may write from now on; None if another has it.

    Raises:
        OSError: the folder cannot be made or written.
    """
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _lead_to(folder)
    part = folder / f"{name}.json"
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0), 0o666))
    except FileExistsError:
        return None
    return part


def parts(folder: Path) -> list[Path]:
    """The parts in ``folder``: ranks in their order, then other processes in theirs."""
    found = [(match[1] == "process", int(match[2]), path) for path in _files(folder) if (match := _matched(path))]
    return [path for *_, path in sorted(found)]


def remove_if_empty(folder: Path) -> None:
    """Remove the folder of a run, and of runs, unless something is in it."""
    latest = folder.parent / LATEST
    with contextlib.suppress(OSError):
        folder.rmdir()
        if latest.is_symlink() and not latest.exists():
            latest.unlink()
        (folder.parent / ".lock").unlink(missing_ok=True)
        folder.parent.rmdir()


def found(path: Path) -> Path:
    """The folder of one run that ``path`` names: itself, or the latest of those in it."""
    if (path / COMBINED).exists() or parts(path):
        return path
    if (path / LATEST).is_dir():
        return (path / LATEST).resolve()
    return max((each for each in path.glob("run-*") if each.is_dir()), key=_order, default=path)


def _files(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _matched(path: Path) -> re.Match[str] | None:
    return _PART.fullmatch(path.name)


def _now() -> str:
    return time.strftime("%Y%m%d-%H%M%S")


def _began(folder: Path) -> float:
    with contextlib.suppress(ValueError):
        return time.mktime(time.strptime(folder.name.removeprefix("run-")[:15], "%Y%m%d-%H%M%S"))
    return 0.0


def _order(folder: Path) -> tuple[float, int]:
    """When a run began, and of those that began in one second when its folder was last written to."""
    return _began(folder), folder.stat().st_mtime_ns


def _age(folder: Path) -> float:
    return time.time() - _began(folder)


def _lead_to(folder: Path) -> None:
    """Let ``latest`` lead to ``folder``, where the system has symbolic links."""
    link, new = folder.parent / LATEST, folder.parent / f".{LATEST}.{os.getpid()}"
    with contextlib.suppress(OSError, NotImplementedError):
        os.symlink(folder.name, new, target_is_directory=True)
        os.replace(new, link)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time, where the system can lock a file."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(folder / ".lock", "w") as lock:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
