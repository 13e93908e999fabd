"""An unchanged script under observation: hooks before it, the record after it, and its own exit status throughout."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from frostline.core.ledger import Run
from frostline.errors import FrostlineError, RecordError
from frostline.integrations.tensorboard import require_writer
from frostline.run.child_processes import ChildProcesses
from frostline.run.places import process_rank, record_path, require_writable
from frostline.run.process_observer import Outcome, ProcessObserver, emptiness
from frostline.run.script import execute, locate
from frostline.settings import DEFAULT_DATA, Settings


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
    unwritable = (
        None
        if settings.data is None
        else _unwritable(settings.data, refuse=world_size is None and asked != DEFAULT_DATA)
    )
    ranks = tuple(_ranks(settings.data, asked, world_size)) if rank == 0 else ()
    if unwritable is not None:
        settings = replace(settings, data=None)
    if settings.tensorboard is not None:
        require_writer()
    described = _described(target, arguments, as_module, rank, world_size)
    observer = ProcessObserver(settings, described)
    children = ChildProcesses(settings, described, observer)
    observer.install()
    if world_size is None:
        children.install()
    ending = execute(located, arguments)
    if observer.is_forked():
        return Outcome(ending.status, is_child=True)
    outcome = _with_children(children, observer.close(ending))
    return replace(outcome, problem=outcome.problem or unwritable, rank=rank, ranks=ranks)


def _unwritable(data: Path, *, refuse: bool) -> RecordError | None:
    """Why no record can be stored at ``data``.

    To ``refuse`` loses nothing where one process is about to begin, at a place that its user has chosen.
    """
    try:
        require_writable(data)
    except RecordError as error:
        if refuse:
            raise
        return error
    return None


def _ranks(own: Path | None, data: Path | None, world_size: int | None) -> Iterator[Path]:
    """Where the processes of a launcher put their records; the first of them asks."""
    for rank in range(world_size or 0) if own is not None else ():
        path = record_path(data, rank)
        assert path is not None
        yield path


def _with_children(children: ChildProcesses, outcome: Outcome) -> Outcome:
    """The outcome together with what the processes recorded that the script started, if there are any."""
    own = outcome.record if outcome.record is not None and outcome.record.run.steps else None
    try:
        record = children.record(own, outcome.status)
    except FrostlineError as error:
        return replace(outcome, problem=error)
    return outcome if record is None else Outcome(outcome.status, record, emptiness(record))


def _scalars_path(folder: Path | None, rank: int | None) -> Path | None:
    """Absolute, as the record's; every rank is a run of its own to TensorBoard."""
    if folder is None:
        return None
    return folder.absolute() if rank is None else folder.absolute() / f"rank{rank}"


def _described(target: str, arguments: Sequence[str], as_module: bool, rank: int | None, world_size: int | None) -> Run:
    return Run(
        command=[*(["-m"] if as_module else []), target, *arguments],
        rank=rank,
        world_size=world_size,
    )
