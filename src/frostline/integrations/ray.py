"""Ray Train: every worker's training is observed, and their records come together through Ray's own storage."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.fs
import ray.train

from frostline.core.run import Run
from frostline.errors import RecordError
from frostline.run.files import run_folder, stored_run
from frostline.run.session import UNDER_WAY, Session
from frostline.settings import Settings
from frostline.watch import Report

FOLDER = "frostline"  # in the storage of an experiment


def observed(train_loop: Callable[..., Any], settings: Settings | None = None) -> Callable[..., Any]:
    """The training loop of a worker, observed; hand it to the trainer in place of the loop itself.

    Each worker writes its record into the folder ``frostline`` of the experiment, wherever Ray stores that.

    Args:
        train_loop: what ``TorchTrainer`` and its like take as ``train_loop_per_worker``.
        settings: what is expected, and how often to check; without them those of the defaults.

    Examples:
        >>> def train_loop(config):
        ...     ...
        >>> loop = observed(train_loop, Settings(frozen=("backbone.**",)))
        >>> loop.__name__  # TorchTrainer(loop, scaling_config=…, run_config=…).fit()
        'train_loop'
    """

    @functools.wraps(train_loop)
    def loop(*config: Any) -> Any:
        if UNDER_WAY:  # frostline run started this process
            return _concluded(UNDER_WAY[-1], train_loop, *config)
        context = ray.train.get_context()
        rank, size = context.get_world_rank(), context.get_world_size()
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / f"rank-{rank}.json"
            session = Session(
                replace(settings or Settings(), data=part, digests=True, is_part=True, progress=False, fail_on=None),
                Run(["ray", context.get_experiment_name()], rank=rank, world_size=size),
            )
            session.attach_imported()
            session.attach_when_imported()
            try:
                return _concluded(session, train_loop, *config)
            finally:
                _put(part, context.get_storage())

    return loop


def _concluded(session: Session, train_loop: Callable[..., Any], *config: Any) -> Any:
    """What the loop returns; Ray kills its workers then, so that the last check cannot wait for their end."""
    try:
        result = train_loop(*config)
    except BaseException as error:
        session.close(1, type(error).__qualname__)
        raise
    session.close(0)
    return result


def _put(part: Path, storage: Any) -> None:
    """Store a worker's record where the experiment is; where that fails, the training is none the worse."""
    if not part.exists():
        return
    files, folder = storage.storage_filesystem, f"{storage.experiment_fs_path}/{FOLDER}"
    try:
        files.create_dir(folder)
        with files.open_output_stream(f"{folder}/{part.name}") as stream:
            stream.write(part.read_bytes())
    except OSError as error:
        print(f"frostline: cannot write {folder}/{part.name}: {error}")


def report(result: Any) -> Report:
    """What was found in all workers of a training together.

    Args:
        result: what ``fit()`` of the trainer returned.

    Returns:
        a report to print, or to ``check()``.

    Raises:
        RecordError: no worker has stored a record.

    Examples:
        >>> from types import SimpleNamespace
        >>> unobserved = SimpleNamespace(filesystem=pyarrow.fs.LocalFileSystem(), path="nowhere")
        >>> report(unobserved)
        Traceback (most recent call last):
        frostline.errors.RecordError: there are no records of workers in nowhere/frostline
        hint: give the trainer observed(train_loop)
    """
    files, folder = result.filesystem, f"{result.path}/{FOLDER}"
    found = files.get_file_info(pyarrow.fs.FileSelector(folder, allow_not_found=True))
    if not found:
        raise RecordError(f"there are no records of workers in {folder}", "give the trainer observed(train_loop)")
    with tempfile.TemporaryDirectory() as copies:
        for each in found:
            with files.open_input_stream(each.path) as stream:
                (Path(copies) / each.base_name).write_bytes(stream.read())
        return Report(stored_run.together(run_folder.parts(Path(copies))))
