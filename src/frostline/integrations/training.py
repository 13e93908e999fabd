"""What the callbacks of all trainers share: a watch that begins and ends with a training, and tells what it found."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from frostline.core.run import Run
from frostline.core.verdict import sentence
from frostline.integrations.trackers import listeners
from frostline.run.files.places import record_path, require_writable
from frostline.run.launchers import process_rank
from frostline.run.session import Session
from frostline.settings import load
from frostline.watch import Report


class Training:
    """The watch of one callback: it can be used for several trainings, one after the other.

    Args:
        frozen: patterns of tensors that should stay as they are; None takes those of the settings files.
        trained: patterns of tensors that should change; the same.
        check_every: check at every n-th step instead of at 1, 2, 4, 8, …
        patience: executed steps below which "unchanged so far" is a note and never an error.
        fail_on: raise at the end on such findings: "error", "warning" or "never".
        data: where the record goes, for ``frostline report``; without it, it is kept in memory.
        quiet: print nothing at the end.

    Raises:
        FrostlineError: a settings file says something unknown, or the record cannot be written.
    """

    def __init__(
        self,
        frozen: Iterable[str] | None = None,
        trained: Iterable[str] | None = None,
        *,
        check_every: int | None = None,
        patience: int | None = None,
        fail_on: str | None = None,
        data: str | os.PathLike[str] | None = None,
        quiet: bool = False,
    ) -> None:
        rank, size = process_rank(os.environ)
        settings = load().but(
            frozen=None if frozen is None else tuple(frozen),
            trained=None if trained is None else tuple(trained),
            check_every=check_every,
            patience=patience,
            fail_on=fail_on,
            data=None if data is None else Path(data),
        )
        self.settings = settings.but(data=record_path(settings.data, rank))
        if self.settings.data is not None:
            require_writable(self.settings.data)
        self.quiet = quiet or bool(rank)
        self._ranks = (rank, size)
        self._session: Session | None = None
        self._report: Report | None = None

    @property
    def report(self) -> Report | None:
        """What the last training did; during one, what has been found so far; None before the first."""
        return Report(self._session.record()) if self._session is not None else self._report

    def begin(self, *objects: Any) -> None:
        """A training begins; the models and optimizers given are looked at now.

        One that was never ended (its trainer raised) ends here.
        """
        self.end()
        rank, size = self._ranks
        run = Run(command=list(sys.argv), rank=rank, world_size=size)
        self._session = Session(self.settings, run, () if rank else listeners(self.settings))
        self._session.attach_imported()
        self._session.take(*objects)

    def end(self) -> Report | None:
        """The training is over: the last check and the record."""
        if self._session is None:
            return None
        session, self._session = self._session, None
        self._report = Report(session.close())
        if session.store_error is not None:
            sys.stderr.write(f"frostline: {session.store_error}\n")
        return self._report

    def drop(self) -> None:
        """It was no training: forget that it began."""
        if self._session is not None:
            self._session.settings = replace(self._session.settings, data=None)
            self._session.close()
            self._session = None

    def conclude(self) -> None:
        """End the training, print what was found, and raise where that was asked for.

        Raises:
            FindingsError: with every finding at or above ``fail_on``.
        """
        report = self.end()
        if report is None:
            return
        if not self.quiet:
            verdict = report.record.verdict
            told = str(report) if verdict.errors or verdict.warnings else f"frostline: {sentence(verdict)}"
            sys.stderr.write(f"{told}\n")
        report.check(self.settings.fail_on or "never")


class Watcher:
    """What every callback adds to its trainer's own: the watch, and what it found.

    Args:
        frozen: patterns of weights that should stay as they are.
        trained: patterns of weights that should change.
        options: ``check_every``, ``patience``, ``fail_on``, ``data`` and ``quiet``, as ``Training`` takes them.
    """

    def __init__(
        self, frozen: Iterable[str] | None = None, trained: Iterable[str] | None = None, **options: Any
    ) -> None:
        super().__init__()
        self.training = Training(frozen, trained, **options)

    @property
    def report(self) -> Report | None:
        """What the last training did; during one, what has been found so far; None before the first."""
        return self.training.report
