"""This process under observation: a session from the first framework that the script imports, and what came of it."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from frostline.core.collector import collector_paused
from frostline.core.record import Record
from frostline.core.run import Run
from frostline.errors import FrostlineError, ObservationError, RecordError
from frostline.frameworks.imports import when_imported
from frostline.frameworks.registry import FRAMEWORKS
from frostline.run.script import INTERRUPTED, Ending
from frostline.settings import Settings

if TYPE_CHECKING:
    from frostline.run.session import Session

_IN_PROCESSES = (
    "processes that the script starts are observed if they run this python and are given its environment; on other "
    "machines start frostline itself: torchrun … -m frostline run train.py"
)
_NO_MODEL = (
    "a model is seen when it is called or held by an optimizer, in this process; for a launcher's others: "
    "torchrun … -m frostline run train.py; plain tensors are seen when they are updated in place, "
    "arrays of JAX when an update is applied to them or jax.grad or jax.vjp gives their gradient; where weights are "
    "changed without one, as by evolution strategies, apply the changes with optax.apply_updates(weights, changes)"
)
_NO_STEP = (
    "run the script until its optimizer has made at least one step; without an optimizer, weights that are updated in "
    "place are seen: w = w - rate * slope makes another tensor and leaves the weight as it was"
)
_ELSEWHERE = (
    f"it ran with {sys.executable}; uvx and pipx run frostline in an environment of its own: install it where your "
    "training runs (python -m pip install frostline), or: uv run --with frostline frostline run train.py"
)
_DEBUG = "this is an error inside frostline; --debug shows where"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: the script's own status, the record if there is one, and what kept frostline from its job.

    With a record a problem concerns its storing, or says why the record is empty. ``is_child`` marks a process that the
    script forked and that came to the script's end: it has nothing to report. ``rank`` is this process's, where a
    launcher gave it one, ``stored`` the file that the run can be read from again.
    """

    status: int
    record: Record | None = None
    problem: FrostlineError | None = None
    is_child: bool = False
    rank: int | None = None
    stored: Path | None = None


class ProcessObserver:
    """Opens a session when the script imports the first framework, and closes it when the script has ended.

    Until then nothing heavy is loaded, numpy included: scripts set thread counts in the environment before their
    own imports, and those must still count.
    """

    def __init__(self, settings: Settings, run: Run, claim: Callable[[], Path] | None = None) -> None:
        self._settings, self._run, self._claim = settings, run, claim
        self._process, self._is_child = os.getpid(), False
        self.is_closing = False  # a process below the observed one is at its end
        self._session: Session | None = None
        self._fault: Exception | None = None
        self._after_first_step: Callable[[], object] | None = None

    def install(self) -> None:
        """Ask to be told when a framework that has a probe was imported."""
        for framework in FRAMEWORKS:
            when_imported(framework, functools.partial(self._imported, framework))

    def is_forked(self) -> bool:
        """Whether this process is a child that the script forked."""
        return self._is_child or os.getpid() != self._process

    def adopt(self, settings: Settings, run: Run, claim: Callable[[], Path]) -> None:
        """This process was forked from the observed one, and is observed under a record of its own from now on."""
        self._settings, self._run, self._claim, self._process = settings, run, claim, os.getpid()
        self._is_child = True
        if self._session is not None:
            self._session.adopt(settings, run, claim)

    def after_first_step(self, call: Callable[[], object]) -> None:
        """Have ``call`` called once this process has made a step: from then on there is something to store."""
        self._after_first_step = call
        if self._session is not None:
            self._session.after_first_step(call)

    def close(self, ending: Ending) -> Outcome:
        """The last check and the record; errors of frostline's own end here and never reach the script."""
        try:
            if self._session is None:
                return Outcome(ending.status, problem=self._unopened(ending))
            record = self._session.close(ending.status, ending.by)
        except Exception as error:
            return Outcome(ending.status, problem=self._broken(error))
        except KeyboardInterrupt:
            return Outcome(INTERRUPTED, problem=FrostlineError("interrupted while the record was closed"))
        return Outcome(ending.status, record, self._session.store_error or emptiness(record))

    def close_child(self, status: int | None, by: str | None) -> RecordError | None:
        """The last check and the part of a process below the observed one, if it trained; why it was not stored."""
        session, self._session = self._session, None
        if session is None or os.getpid() != self._process or not session.has_trained():
            return None
        self.is_closing = True
        try:
            session.close(status, by)
        except Exception as error:
            self._broken(error)
        self.is_closing = False
        return session.store_error

    def cut_short(self, by: str) -> RecordError | None:
        """A signal is about to end this process in the midst of a step: store what is known."""
        session, self._session = self._session, None
        if session is None or os.getpid() != self._process or not session.has_trained():
            return None
        try:
            session.cut_short(by)
        except Exception as error:
            self._broken(error)
        return session.store_error

    @collector_paused()  # the instruments are thousands of objects, and the framework's own are many more
    def _imported(self, framework: str, module: ModuleType) -> None:
        if os.getpid() != self._process:
            return
        try:
            if self._session is None:
                from frostline.integrations.trackers import listeners
                from frostline.run.session import Session

                self._session = Session(self._settings, self._run, listeners(self._settings), self._claim)
                if self._after_first_step is not None:
                    self._session.after_first_step(self._after_first_step)
            self._session.attach(framework, module)
        except Exception as error:
            self._fault = error
            if self._session is not None:
                self._session.fault(f"attaching to {framework}", error)

    def _unopened(self, ending: Ending) -> FrostlineError:
        if self._fault is not None:
            return self._broken(self._fault)
        if ending.status:
            message = f"the script ended {_early(ending.status, ending.by)}, before it imported a framework"
            return FrostlineError(message, _ELSEWHERE if ending.by == ModuleNotFoundError.__name__ else "")
        return FrostlineError(
            f"no model was found: the script imported none of {', '.join(FRAMEWORKS)}",
            "models of these are observed; if it starts the training in another process, run that one under frostline",
        )

    def _broken(self, error: Exception) -> FrostlineError:
        if self._settings.debug:
            sys.excepthook(type(error), error, error.__traceback__)
        return ObservationError(
            f"the run could not be observed: {type(error).__name__}: {error}",
            _DEBUG,
        )


def emptiness(record: Record) -> FrostlineError | None:
    """Why a record tells nothing of a training; None where it does."""
    if record.run.faults and not (record.tensors and (record.run.steps or record.findings)):
        return ObservationError(f"the run could not be observed: {record.run.faults[0]}", _DEBUG)
    run = record.run
    early = f"the script ended {_early(run.exit, run.ended_by)}, before " if run.exit else ""
    if not record.tensors:
        if early:
            return FrostlineError(f"{early}a model was seen")
        return FrostlineError(
            "no model was found in the run",
            _IN_PROCESSES if made_processes() else _NO_MODEL,
        )
    if not record.run.steps and not record.findings:
        if early:
            return FrostlineError(f"{early}a step was executed: nothing can be said about what was trained")
        return FrostlineError(
            "no step was executed, so nothing can be said about what was trained",
            _IN_PROCESSES if made_processes() else _NO_STEP,
        )
    return None


def _early(status: int | None, by: str | None) -> str:
    """How a script came to an end of which it says more itself."""
    return f"with {by}" if by else f"with exit status {status}"


def made_processes() -> bool:
    """Whether the script made processes with ``multiprocessing``; those that load its data count as well."""
    module = sys.modules.get("multiprocessing.process")
    return repr(getattr(module, "_process_counter", None)) not in ("None", "count(1)")  # to ask it would count one more
