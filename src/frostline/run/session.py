"""One observed run, from the frameworks it attaches to until the record with its findings."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from frostline.core.collector import collector_paused
from frostline.core.facts import Doubted, Expected, FrameworkSeen
from frostline.core.journal import Journal
from frostline.core.ledger import Ledger
from frostline.core.record import Record
from frostline.core.run import FAULTS_KEPT, Run
from frostline.core.storage.run_file import RunFile, sealed
from frostline.errors import RecordError
from frostline.frameworks.imports import when_imported
from frostline.frameworks.protocol import Framework
from frostline.frameworks.registry import BACKENDS, FRAMEWORKS, load_probe
from frostline.judging import judged, unjudged
from frostline.observe.after_fault import doubt
from frostline.observe.script_lines import start_here
from frostline.run.files.pulse import Pulse
from frostline.run.files.turns import turn
from frostline.run.tracebacks import comes_from_handler, strip_own_frames
from frostline.settings import Settings
from frostline.version import __version__

UNDER_WAY: list[Session] = []  # the innermost last


class CheckListener(Protocol):
    """Whoever wants to be shown the record at each check; ``purpose`` says what for, where it fails."""

    purpose: str

    def write(self, record: Record) -> None:
        """A check was made."""

    def close(self) -> None:
        """No more checks."""


class Session:
    """One run under observation.

    Args:
        settings: what was meant, the schedule, where the record goes.
        run: how the script was started; filled in as the run goes on.
        listeners: are shown the record at each check.
        claim: finds the place of the record when there is one to be stored; without it, that is the settings' ``data``.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run | None = None,
        listeners: Sequence[CheckListener] = (),
        claim: Callable[[], Path] | None = None,
    ) -> None:
        self.settings = settings
        self.policy = settings.policy()
        self.run = run or Run()
        self.run.python = platform.python_version()
        self.run.pid, self.run.host = os.getpid(), platform.node()
        self.run.started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.store_error: RecordError | None = None
        self._file: RunFile | None = None
        self._listeners = listeners
        self._claim = claim
        self.journal = Journal()
        expected = settings.expected
        self.journal.tell(
            Expected(frozen=(*expected.frozen,), trained=(*expected.trained,), patience=settings.patience)
        )
        self._probes: list[Framework] = []
        self._versions: dict[str, str] = {}  # of the frameworks that were imported, and of backends
        self._unclosed: list[Framework] = []
        self._began = time.monotonic()
        self._own_seconds = 0.0  # that frostline took, but for its checks until the last one begins
        self._closing_since: float | None = None
        self._process = os.getpid()
        start_here()
        self._after_first_step: Callable[[], object] | None = None
        self._pulse = Pulse(self._steps)
        if settings.data is not None:
            self.journal.after_step = self._pulse.beat
        self._inherited = 0  # steps that the parent had made when this process was forked
        UNDER_WAY.append(self)

    def attach(self, framework: str, module: Any) -> None:
        """A framework has been imported by the script: observe it. Never raises."""
        began = time.monotonic()
        try:
            probe = load_probe(framework).attach(self.settings, self.journal, self.checked, self.fault)
        except Exception as error:
            self.fault(f"{framework}: attaching", error)
            return
        finally:
            self._own_seconds += time.monotonic() - began
        self._probes.append(probe)
        probe.observer.after_first_step = self._after_first_step
        self._versions[framework] = self.run.frameworks[framework] = _version(module)
        self.journal.tell(FrameworkSeen(framework=framework, version=_version(module)))

    def attach_imported(self) -> None:
        """Observe every supported framework that the process has already imported."""
        for framework in FRAMEWORKS:
            if framework in sys.modules:
                self.attach(framework, sys.modules[framework])

    def attach_when_imported(self) -> None:
        """Observe supported frameworks also from the moment at which they are imported, until the session closes."""
        for framework in FRAMEWORKS.keys() - sys.modules.keys():
            when_imported(framework, functools.partial(self._imported, framework))

    def _imported(self, framework: str, module: Any) -> None:
        if not self.run.complete:
            self.attach(framework, module)

    def adopt(self, settings: Settings, run: Run, claim: Callable[[], Path]) -> None:
        """Go on in a process that was forked while the session was open: settings and place among others are new."""
        self.settings, self._process, self._listeners, self._file = settings, os.getpid(), (), None
        self._claim, self._inherited = claim, self._steps()
        self.run.pid, self.run.rank, self.run.world_size = os.getpid(), run.rank, run.world_size
        for probe in self._probes:
            probe.observer.adopt_settings(settings)

    def after_first_step(self, call: Callable[[], object]) -> None:
        """Have ``call`` called after the next step, the first that this process makes."""
        self._after_first_step = call
        for probe in self._probes:
            probe.observer.after_first_step = call

    def has_trained(self) -> bool:
        """Whether a step was executed in this process, and not merely in the one that it was forked from."""
        return self._steps() > self._inherited

    def _steps(self) -> int:
        return sum(each.steps_executed for probe in self._probes for each in probe.observer.optimizers.values())

    def take(self, *objects: Any) -> None:
        """Look at these models and optimizers now, rather than when they are used."""
        for probe in self._probes:
            for value in objects:
                probe.take(value)

    def probe(self, framework: str) -> Framework | None:
        """The probe of an attached framework, or None."""
        return next((probe for probe in self._probes if probe.name == framework), None)

    def fault(self, where: str, error: BaseException) -> None:
        """An error inside frostline: counted, told in the record, shown when debugging, never raised.

        What a signal handler of the script raised while frostline was at work is no such error, and goes on its way.
        """
        if comes_from_handler(error):
            strip_own_frames(error)
            raise error
        if len(self.run.faults) < FAULTS_KEPT:
            self.run.faults.append(f"{where}: {type(error).__name__}: {error}")
        if self.settings.debug:
            traceback.print_exception(error, file=sys.stderr)

    def checked(self) -> None:
        """A check was made: store what is new, and show it to the listeners. Nothing is judged until somebody asks."""
        if os.getpid() != self._process:
            return
        if self.settings.data is not None:
            try:
                self._bring_up_to_date()
                self._store(None)
            except Exception as error:
                self.fault("storing the record", error)
        if self._listeners:
            self._show(self.record())

    def _show(self, record: Record) -> None:
        for listener in self._listeners:
            try:
                listener.write(record)
                if record.run.complete:
                    listener.close()
            except Exception as error:
                self.fault(listener.purpose, error)

    def record(self) -> Record:
        """All that is known now, judged."""
        ledger = self.ledger()
        self._doubt_findings(ledger, None)
        try:
            return judged(ledger, self.policy)
        except Exception as error:
            self.fault("judging", error)
            self._doubt_findings(ledger, f"an error inside frostline, judging: {type(error).__name__}: {error}")
            return unjudged(ledger)

    def ledger(self) -> Ledger:
        """All that is known now."""
        self._bring_up_to_date()
        ledger = self.journal.fold.ledger()
        ledger.run = self.run
        return ledger

    def _bring_up_to_date(self) -> None:
        """Say of the run how it stands now, and what an error inside frostline made doubtful."""
        self.journal.fold.settle()
        for probe in self._probes:
            if self.run.faults:
                doubt(probe.observer, f"an error inside frostline, {self.run.faults[0]}", probe in self._unclosed)
            self.run.checks = max(self.run.checks, probe.observer.checks)
        tensors = (watched for probe in self._probes for watched in probe.observer.tensors.values())
        self.run.bytes_read = sum(watched.bytes_read for watched in tensors)
        for name in BACKENDS:
            if name in sys.modules:
                self._versions[name] = _version(sys.modules[name])
        self.run.frameworks = trained_in(self._versions, set(self.journal.fold.framework_of.values()))
        self.run.steps = sum(optimizer.steps_executed for optimizer in self.journal.fold.optimizers.values())
        self._take_time()
        self._learn_rank()

    def _take_time(self) -> None:
        now = time.monotonic()
        if self._closing_since is None:
            lately = sum(probe.observer.tracked.notice.seconds for probe in self._probes)
        else:
            lately = now - self._closing_since
        self.run.seconds = round(now - self._began, 3)
        self.run.own_seconds = round(self._own_seconds + lately, 3)

    def _learn_rank(self) -> None:
        """No launcher may have told this process its rank: scripts that start processes themselves tell each later."""
        probes = (self.probe(name) for name in ("torch", "jax"))
        places = (probe.place_in_group() for probe in probes if probe is not None)
        place = next((place for place in places if place is not None), None) if self.run.world_size is None else None
        if place is not None:
            self.run.rank, self.run.world_size = place
            self.settings = replace(self.settings, digests=True)
            for each in self._probes:
                each.observer.tracked.settings = self.settings

    @collector_paused()
    def close(self, exit_status: int | None = None, ended_by: str | None = None) -> Record:
        """The last check: detach, judge, store.

        Storing may fail: see ``store_error``. A run in which no model or no step was seen tells nothing, and does not
        replace an older record; the part of a process says that it came to its end.
        """
        if self in UNDER_WAY:
            UNDER_WAY.remove(self)
        self._learn_rank()
        self._own_seconds += sum(probe.observer.tracked.notice.seconds for probe in self._probes)
        self._closing_since = time.monotonic()
        for probe in self._probes:
            probe.observer.steps_wanted = None
        for probe in self._probes:
            try:
                probe.close()
            except Exception as error:
                self._unclosed.append(probe)
                self.fault(f"{probe.name}: closing", error)
        self._pulse.close()
        self.run.exit, self.run.ended_by, self.run.complete = exit_status, ended_by, True
        record = self.record()
        self._take_time()
        tells = record.tensors and (record.run.steps or record.findings)
        if (tells or self.settings.is_part) and self.settings.data is not None and os.getpid() == self._process:
            try:
                self._store(record)
            except RecordError as error:
                self.store_error = error
        if self._listeners and tells and os.getpid() == self._process:
            self._show(record)
        return record

    def cut_short(self, ended_by: str) -> Record:
        """The process is about to end in the midst of a step: store what is known, without another look."""
        self.run.ended_by = ended_by
        record = self.record()
        if self.settings.data is not None and os.getpid() == self._process:
            try:
                self._store(None)
            except RecordError as error:
                self.store_error = error
        return record

    def _doubt_findings(self, ledger: Ledger, reason: str | None) -> None:
        tensors = tuple(row.id for row in ledger.tensors if row.unknown.get("findings") != reason)
        if tensors:
            self.journal.tell(Doubted(tensors=tensors, column="findings", reason=reason))

    def _store(self, record: Record | None) -> None:
        """Store what was seen since the last time, and with the ``record`` what was found."""
        assert self.settings.data is not None
        if self._file is None:
            self._file = RunFile(self._place(), self.journal, __version__)
        time.sleep(turn(self.run.rank, self.run.world_size))
        self._file.append(self.run, None if record is None else sealed(record))

    def _place(self) -> Path:
        assert self.settings.data is not None
        try:
            return self._claim() if self._claim is not None else self.settings.data
        except OSError as error:
            reason = f"cannot write {self.settings.data}: {error.strerror}"
            raise RecordError(reason, "choose another place with --data") from None


def trained_in(versions: Mapping[str, str], found: set[str]) -> dict[str, str]:
    """The frameworks of the run and their versions, without those that something imported and that trained nothing.

    Args:
        versions: of all that were imported, backends of Keras among them.
        found: those in which tensors were found; with none all are of interest.
    """
    keras = {"keras", "tf_keras"}
    idle = {*FRAMEWORKS, *BACKENDS} - found if found.isdisjoint(keras) else keras - found
    return {name: version for name, version in versions.items() if not found or name not in idle}


def _version(module: Any) -> str:
    return str(getattr(module, "__version__", "unknown"))
