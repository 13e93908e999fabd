"""A run as the process sees it that frostline started: its record, and those of the processes beside and below it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from frostline.core.record import Record
from frostline.core.run import Run
from frostline.errors import FrostlineError, ObservationError, RecordError
from frostline.run import child_processes, child_start
from frostline.run.ends.sigterm import at_sigterm
from frostline.run.files import run_folder
from frostline.run.files.places import Place, require_writable
from frostline.run.process_observer import Outcome, ProcessObserver, emptiness
from frostline.run.script import Ending
from frostline.settings import Settings

PATIENCE = 10.0  # seconds that the first rank waits for the others; with --fail-on it waits longer
PATIENCE_TO_JUDGE = 60.0
PATIENCE_WHEN_TERMINATED = 2.0
TERMINATED = 143


class WholeRun:
    """The processes of one run.

    Args:
        settings: of the run, as they hold for this process.
        run: how the script was started.
        place: where it is stored.
    """

    def __init__(self, settings: Settings, run: Run, place: Place) -> None:
        self._settings, self._run, self._place = settings, run, place
        self._rank = run.rank  # as a launcher gave it; the script may join a group, and be a rank there
        self.observer = ProcessObserver(settings, run, self._cleared if place.keeps_former else None)
        self._is_ending = self._is_hurried = False

    def begin(self, tell: Callable[[Outcome], object] | None = None) -> None:
        """Observe this process from now on, and those that it starts.

        Args:
            tell: prints an outcome, when a launcher ends this process by a signal before the script's end.
        """
        child_start.withdraw()
        self.observer.install()
        if self._place.folder is not None:
            settings = child_processes.settings_of_children(self._settings, self._place.folder)
            orders = child_processes.Orders(self._place.folder, self._run.command, self._rank, settings)
            child_processes.give(orders, self.observer)
        if self._rank is not None:
            self._expect_sigterm(tell)

    def end(self, ending: Ending) -> Outcome:
        """The script has ended: the last check, the record, and those of the other processes with it."""
        if self.observer.is_forked():
            child_processes.complain(self.observer.close_child(ending.status, ending.by))
            return Outcome(ending.status, is_child=True)
        child_processes.stop()
        self._is_ending = True
        outcome = self.observer.close(ending)
        try:
            outcome = self._below(outcome) if self._rank is None else self._beside(outcome)
        except FrostlineError as error:
            outcome = replace(outcome, problem=error)
        except KeyboardInterrupt:
            outcome = replace(outcome, problem=FrostlineError("interrupted while the other processes were waited for"))
        if self._place.folder is not None:
            run_folder.remove_if_empty(self._place.folder)
        stored = self._place.record or self._place.own
        return replace(outcome, problem=outcome.problem or self._place.problem, rank=self._rank, stored=stored)

    def _below(self, outcome: Outcome) -> Outcome:
        """The outcome together with what the processes recorded that this one started, if any of them trained."""
        _wait_for_children()
        if self._place.folder is None or not run_folder.parts(self._place.folder):
            return outcome
        from frostline.run.files import stored_run

        stored_run.wait(self._parts, 0, PATIENCE, lambda: False)
        own = outcome.record if outcome.record is not None and outcome.record.run.steps else None
        if own is not None and outcome.problem is None:
            self._put_aside(own)
            own = None
        record = stored_run.together(self._parts(), [] if own is None else [own], self._settings.policy())
        run = replace(record.run, exit=outcome.status, command=self._run.command, id=self._run.id)
        return self._stored(outcome.status, replace(record, run=run))

    def _put_aside(self, own: Record) -> None:
        """Make a part of this process's own record, so that the record of all can take its place."""
        assert self._place.own is not None
        assert self._place.folder is not None
        name = f"process-{os.getpid()}" if own.run.rank is None else f"rank-{own.run.rank}"
        part = run_folder.claimed(self._place.folder, name) or run_folder.claimed(
            self._place.folder, f"process-{os.getpid()}"
        )
        if part is not None:
            os.replace(self._place.own, part)

    def _beside(self, outcome: Outcome) -> Outcome:
        """The outcome of all ranks for the first of them, once they have ended; the others say no more than errors."""
        from frostline.run.files import stored_run

        if self._place.own is not None and self._place.problem is None and outcome.record is None:
            self._run.exit, self._run.complete, self._run.pid = outcome.status, True, os.getpid()
            stored_run.write_end(self._place.own, self._run)
        if self._rank != 0:
            is_ours = isinstance(outcome.problem, RecordError | ObservationError)
            return Outcome(outcome.status, None, outcome.problem if is_ours else None)
        if self._place.own is None:
            return outcome
        judges = self._settings.fail_on not in (None, "never")
        size = self._run.world_size or 1
        stored_run.wait(self._parts, size, PATIENCE_TO_JUDGE if judges else PATIENCE, lambda: self._is_hurried)
        parts, own = self._parts(), outcome.record
        if own is not None and (isinstance(outcome.problem, RecordError) or self._place.own not in parts):
            others = [part for part in parts if part != self._place.own]
            record = stored_run.together(others, [own], self._settings.policy())  # this process's own, from memory
        else:
            record = stored_run.together(parts, (), self._settings.policy())
        return self._stored(outcome.status, replace(record, run=replace(record.run, command=self._run.command)))

    def _stored(self, status: int, record: Record) -> Outcome:
        """Store the record of all processes."""
        from frostline.core.storage import store

        problem: FrostlineError | None = None
        try:
            if self._place.record is not None:
                require_writable(self._place.record)
                self._keep_former()
                store.save(record, self._place.record)
        except RecordError as error:
            problem = error
        return Outcome(status, record, problem or emptiness(record))

    def _cleared(self) -> Path:
        """The place of this process's own record, from which that of an earlier run was taken away."""
        assert self._place.own is not None
        if self._place.own == self._place.record:
            self._keep_former()
        return self._place.own

    def _keep_former(self) -> None:
        from frostline.run.files import history

        if self._place.keeps_former and self._place.record is not None and self._place.record.is_file():
            history.keep_former(self._place.record, self._run.id)

    def _expect_sigterm(self, tell: Callable[[Outcome], object] | None) -> None:
        """A launcher ends its processes by SIGTERM: the first of them prints the report before it goes."""
        if self._rank == 0:
            at_sigterm(lambda _: self._terminated(tell), when_stuck=lambda: self._terminated(tell))

    def _terminated(self, tell: Callable[[Outcome], object] | None) -> bool:
        """SIGTERM came; whether to die of it now."""
        from frostline.run.files import stored_run

        if self._is_ending:
            self._is_hurried = True
            return False
        with contextlib.suppress(Exception):
            self.observer.cut_short("SIGTERM")
            if tell is not None:
                stored_run.wait(self._parts, self._run.world_size or 1, PATIENCE_WHEN_TERMINATED, lambda: False)
                tell(self._stored(TERMINATED, stored_run.together(self._parts(), (), self._settings.policy())))
        return True

    def _parts(self) -> list[Path]:
        """What the processes of the run have stored so far."""
        if self._place.ranks:
            return [path for path in self._place.ranks if _id(path) == self._run.id]
        assert self._place.folder is not None
        return run_folder.parts(self._place.folder)


def _id(path: Path) -> str | None:
    from frostline.judging import load

    with contextlib.suppress(RecordError):
        return load(path).run.id
    return None


def _wait_for_children() -> None:
    """Wait for what python waits for as well before it ends, but only when the report has been printed."""
    if "multiprocessing" not in sys.modules:
        return
    from multiprocessing import active_children

    for process in active_children():
        if not process.daemon:
            process.join()
