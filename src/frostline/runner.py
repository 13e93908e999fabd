"""An unchanged script under observation: hooks before it, the record after it, and its own exit status throughout."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from frostline.core.ledger import Run
from frostline.core.record import Record
from frostline.errors import FrostlineError, RecordError
from frostline.frameworks.registry import FRAMEWORKS
from frostline.integrations.tensorboard import require_writer
from frostline.script import INTERRUPTED, Ending, execute, locate
from frostline.settings import Settings
from frostline.spawned import Spawned, made_processes

if TYPE_CHECKING:
    from frostline.session import Session

# Who is who among several processes, as the launchers say it: torchrun, Open MPI, PMI, Slurm.
_LAUNCHERS = (
    ("RANK", "WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"),
    ("PMI_RANK", "PMI_SIZE"),
    ("SLURM_PROCID", "SLURM_NTASKS"),
)

_IN_PROCESSES = (
    "what processes of its own train is seen where the script starts them with multiprocessing.Process or "
    "torch.multiprocessing.spawn, or a launcher does: torchrun … -m frostline run train.py"
)
_NO_MODEL = (
    "a model is seen when it is called or held by an optimizer, in this process; for a launcher's others: "
    "torchrun … -m frostline run train.py; plain tensors are seen when they are updated in place"
)
_NO_STEP = (
    "run the script until its optimizer has made at least one step; without an optimizer, weights that are updated in "
    "place are seen: w = w - rate * slope makes another tensor and leaves the weight as it was"
)
_DEBUG = "this is an error inside frostline; --debug shows where"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the script's own status, the record if there is one, and what kept frostline from its job.

    With a record a problem concerns its storing, or says why the record is empty. ``is_child`` marks a process that the
    script forked and that came to the script's end: it has nothing to report. ``ranks`` are the records of all
    processes of a launcher, where this is the first of them.
    """

    status: int
    record: Record | None = None
    problem: FrostlineError | None = None
    is_child: bool = False
    rank: int | None = None
    ranks: tuple[Path, ...] = ()


def run(target: str, arguments: Sequence[str], settings: Settings, *, as_module: bool = False) -> Outcome:
    """Run a script as ``python target arguments…`` would, observed.

    Args:
        target: a script, a folder or zip with a ``__main__.py``, or with ``as_module`` a module's name.
        arguments: what the script finds in ``sys.argv[1:]``.
        settings: how to observe, and where the record goes.
        as_module: run ``target`` as ``python -m`` does.

    Raises:
        FrostlineError: there is no such script, or something else stands where the record is to go; the script was not
            started. What hinders one process among several hinders the script in none.
    """
    located = locate(target, as_module=as_module)
    rank, world_size = process_rank(os.environ)
    asked = settings.data
    settings = replace(
        settings,
        data=record_path(settings.data, rank),
        tensorboard=_scalars_path(settings.tensorboard, rank),
        digests=settings.digests or world_size is not None,
    )
    unwritable = None if settings.data is None else _unwritable(settings.data, alone=world_size is None)
    ranks = tuple(_ranks(settings.data, asked, world_size)) if rank == 0 else ()
    if unwritable is not None:
        settings = replace(settings, data=None)
    if settings.tensorboard is not None:
        require_writer()
    described = _described(target, arguments, as_module, rank, world_size)
    observer = ProcessObserver(settings, described)
    spawned = Spawned(settings, described, observer)
    observer.install()
    if world_size is None:
        spawned.install()
    ending = execute(located, arguments)
    if observer.is_forked():
        return Outcome(ending.status, is_child=True)
    outcome = _with_spawned(spawned, observer.close(ending))
    return replace(outcome, problem=outcome.problem or unwritable, rank=rank, ranks=ranks)


def _unwritable(data: Path, *, alone: bool) -> RecordError | None:
    """Why no record can be stored at ``data``; raised where that loses nothing: a process alone, before it begins."""
    try:
        require_writable(data)
    except RecordError as error:
        if alone:
            raise
        return error
    return None


def _ranks(own: Path | None, data: Path | None, world_size: int | None) -> Iterator[Path]:
    """Where the processes of a launcher put their records; the first of them asks."""
    for rank in range(world_size or 0) if own is not None else ():
        path = record_path(data, rank)
        assert path is not None
        yield path


def _with_spawned(spawned: Spawned, outcome: Outcome) -> Outcome:
    """The outcome together with what the processes recorded that the script started, if there are any."""
    own = outcome.record if outcome.record is not None and outcome.record.run.steps else None
    try:
        record = spawned.record(own, outcome.status)
    except FrostlineError as error:
        return replace(outcome, problem=error)
    return outcome if record is None else Outcome(outcome.status, record, _emptiness(record))


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


def _scalars_path(folder: Path | None, rank: int | None) -> Path | None:
    """Absolute, as the record's; every rank is a run of its own to TensorBoard."""
    if folder is None:
        return None
    return folder.absolute() if rank is None else folder.absolute() / f"rank{rank}"


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
    if int(found[1]) != FORMAT:
        raise RecordError(
            f"{path} has record format {int(found[1])}; this frostline writes format {FORMAT}",
            "it was left alone; move it away or name another --data FILE",
        )


def _described(target: str, arguments: Sequence[str], as_module: bool, rank: int | None, world_size: int | None) -> Run:
    return Run(
        command=[*(["-m"] if as_module else []), target, *arguments],
        rank=rank,
        world_size=world_size,
    )


class ProcessObserver:
    """Opens a session when the script imports the first framework, and closes it when the script has ended.

    Until then nothing heavy is loaded, numpy included: scripts set thread counts in the environment before their
    own imports, and those must still count.
    """

    def __init__(self, settings: Settings, run: Run) -> None:
        self._settings = settings
        self._run = run
        self._process = os.getpid()
        self._session: Session | None = None
        self._fault: Exception | None = None

    def install(self) -> None:
        """Ask to be told when a framework that has a probe was imported."""
        import wrapt

        for framework in FRAMEWORKS:
            wrapt.register_post_import_hook(functools.partial(self._imported, framework), framework)

    def is_forked(self) -> bool:
        """Whether this process is a child that the script forked."""
        return os.getpid() != self._process

    def adopt(self, settings: Settings, run: Run) -> None:
        """This process was forked from the observed one, and is observed under a record of its own from now on."""
        self._settings, self._run, self._process = settings, run, os.getpid()
        if self._session is not None:
            self._session.adopt(settings, run)

    def is_idle_fork(self) -> bool:
        """Whether this process was forked and has trained nothing, so that all it knows is its parent's."""
        return self._session is not None and self._session.is_idle_fork()

    def close(self, ending: Ending) -> Outcome:
        """The last check and the record; errors of frostline's own end here and never reach the script."""
        try:
            if self._session is None:
                return Outcome(ending.status, problem=self._unopened())
            record = self._session.close(ending.status, ending.by)
        except Exception as error:
            return Outcome(ending.status, problem=self._broken(error))
        except KeyboardInterrupt:
            return Outcome(INTERRUPTED, problem=FrostlineError("interrupted while the record was closed"))
        return Outcome(ending.status, record, self._session.store_error or _emptiness(record))

    def _imported(self, framework: str, module: ModuleType) -> None:
        if self.is_forked():
            return
        try:
            if self._session is None:
                from frostline.session import Session

                self._session = Session(self._settings, self._run)
            self._session.attach(framework, module)
        except Exception as error:
            self._fault = error
            if self._session is not None:
                self._session.fault(f"attaching to {framework}", error)

    def _unopened(self) -> FrostlineError:
        if self._fault is not None:
            return self._broken(self._fault)
        return FrostlineError(
            f"no model was found: the script imported none of {', '.join(FRAMEWORKS)}",
            "if it starts the training in another process, run that one under frostline",
        )

    def _broken(self, error: Exception) -> FrostlineError:
        if self._settings.debug:
            sys.excepthook(type(error), error, error.__traceback__)
        return FrostlineError(
            f"the run could not be observed: {type(error).__name__}: {error}",
            _DEBUG,
        )


def _emptiness(record: Record) -> FrostlineError | None:
    if record.run.faults and not (record.leaves and (record.run.steps or record.findings)):
        return FrostlineError(f"the run could not be observed: {record.run.faults[0]}", _DEBUG)
    if not record.leaves:
        return FrostlineError(
            "no model was found in the run",
            _IN_PROCESSES if made_processes() else _NO_MODEL,
        )
    if not record.run.steps and not record.findings:
        return FrostlineError(
            "no step was executed, so nothing can be said about what was trained",
            _IN_PROCESSES if made_processes() else _NO_STEP,
        )
    return None
