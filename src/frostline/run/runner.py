"""An unchanged script under observation: hooks before it, the record after it, and its own exit status throughout."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from frostline.core.run import Run
from frostline.integrations import trackers
from frostline.run.files.commit import commit_of
from frostline.run.files.places import place_of
from frostline.run.launchers import process_rank
from frostline.run.process_observer import Outcome
from frostline.run.script import execute, locate
from frostline.run.whole_run import WholeRun
from frostline.settings import Settings


def run(
    target: str,
    arguments: Sequence[str],
    settings: Settings,
    *,
    as_module: bool = False,
    tell: Callable[[Outcome], object] | None = None,
) -> Outcome:
    """Run a script as ``python target arguments…`` would, observed.

    Args:
        target: a script, a folder or zip with a ``__main__.py``, or with ``as_module`` a module's name.
        arguments: what the script finds in ``sys.argv[1:]``.
        settings: how to observe, and where the record goes.
        as_module: run ``target`` as ``python -m`` does.
        tell: prints an outcome, when a launcher ends this process by a signal before the script's end.

    Raises:
        FrostlineError: there is no such script, or something else stands where the record is to go; the script was not
            started. What hinders one process among several hinders the script in none.
    """
    located = locate(target, as_module=as_module)
    trackers.require(settings)
    rank, size = process_rank(os.environ)
    place = place_of(settings.data, rank, size)
    described = Run([*(["-m"] if as_module else []), target, *arguments], rank=rank, world_size=size)
    described.commit = commit_of(Path.cwd())
    described.id = "" if place.folder is None else place.folder.name
    settings = replace(
        settings,
        data=place.own,
        tensorboard=_scalars_path(settings.tensorboard, rank),
        track=() if rank else settings.track,
        digests=settings.digests or size is not None,
        is_part=size is not None,
    )
    whole = WholeRun(settings, described, place)
    whole.begin(tell)
    ending = execute(located, arguments)
    return whole.end(ending)


def _scalars_path(folder: Path | None, rank: int | None) -> Path | None:
    """Absolute, as the record's; every rank is a run of its own to TensorBoard."""
    if folder is None:
        return None
    return folder.absolute() if rank is None else folder.absolute() / f"rank{rank}"
