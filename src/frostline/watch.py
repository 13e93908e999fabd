"""The façade: one observed run, from the frameworks it attaches to until the record with its findings."""

from __future__ import annotations

import contextlib
import datetime
import functools
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from frostline.core import store
from frostline.core.ledger import FAULTS_KEPT, LeafRow, Ledger, Run
from frostline.core.patterns import matching, rows_of
from frostline.core.policy import Policy, settle, use_of
from frostline.core.record import Finding, Record
from frostline.core.verdict import failing, judge, totals
from frostline.errors import FindingsError, FrostlineError, RecordError
from frostline.frameworks.registry import BACKENDS, FRAMEWORKS, load_probe
from frostline.integrations.tensorboard import Scalars
from frostline.observe.doubt import doubt
from frostline.rules import find
from frostline.settings import Settings, load
from frostline.tracebacks import comes_from_handler, strip_own_frames
from frostline.version import __version__

NAMES_TOLD = 8


_open: list[Session] = []  # runs under observation, the innermost last


class Session:
    """One run under observation.

    Args:
        settings: what was meant, the schedule, where the record goes.
        run: how the script was started; filled in as the run goes on.
    """

    def __init__(self, settings: Settings, run: Run | None = None) -> None:
        self.settings = settings
        self.policy = settings.policy()
        self.run = run or Run()
        self.run.python = platform.python_version()
        self.run.pid, self.run.host = os.getpid(), platform.node()
        self.run.started = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self.store_error: RecordError | None = None
        self._scalars = None if settings.tensorboard is None else Scalars(settings.tensorboard)
        self._probes: list[Any] = []
        self._unclosed: list[Any] = []
        self._began = time.monotonic()
        self._process = os.getpid()
        _open.append(self)

    def attach(self, framework: str, module: Any) -> None:
        """A framework has been imported by the script: observe it. Never raises."""
        try:
            probe = load_probe(framework).attach(self.settings, self.checked, self.fault)
        except Exception as error:
            self.fault(f"{framework}: attaching", error)
            return
        self._probes.append(probe)
        self.run.frameworks[framework] = _version(module)

    def attach_imported(self) -> None:
        """Observe every supported framework that the process has already imported."""
        for framework in FRAMEWORKS:
            if framework in sys.modules:
                self.attach(framework, sys.modules[framework])

    def attach_when_imported(self) -> None:
        """Observe supported frameworks also from the moment at which they are imported, until the session closes."""
        import wrapt

        for framework in FRAMEWORKS.keys() - sys.modules.keys():
            wrapt.register_post_import_hook(functools.partial(self._imported, framework), framework)

    def _imported(self, framework: str, module: Any) -> None:
        if not self.run.complete:
            self.attach(framework, module)

    def take(self, *objects: Any) -> None:
        """Look at these models and optimizers now, rather than when they are used."""
        for probe in self._probes:
            for value in objects:
                probe.take(value)

    def probe(self, framework: str) -> Any:
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
        """A check was made: replace the stored record, and add to the scalars."""
        if (self.settings.data is None and self._scalars is None) or os.getpid() != self._process:
            return
        try:
            record = self.record()
            if self.settings.data is not None:
                self._store(record)
        except Exception as error:
            self.fault("storing the record", error)
            return
        self._add_scalars(record)

    def _add_scalars(self, record: Record) -> None:
        if self._scalars is None:
            return
        try:
            self._scalars.write(record)
        except Exception as error:
            self.fault("writing scalars for TensorBoard", error)

    def record(self) -> Record:
        """All that is known now, judged."""
        ledger = self.ledger()
        findings = self._judged(ledger)
        record = Record(
            format=store.FORMAT,
            frostline=__version__,
            run=ledger.run,
            programs=ledger.programs,
            leaves=ledger.leaves,
            totals=totals(ledger.leaves),
            findings=findings,
            verdict=judge(findings, ledger.leaves),
            events=ledger.events,
            meant=ledger.meant,
        )
        return judged_by(record, self.policy)

    def ledger(self) -> Ledger:
        """The rows, programs and events of all probes as one ledger."""
        ledger = Ledger(meant=self.settings.meant, run=self.run, patience=self.settings.patience)
        for probe in self._probes:
            probe.observer.settle_verdicts()
            if self.run.faults:
                doubt(probe.observer, f"an error inside frostline, {self.run.faults[0]}", probe in self._unclosed)
            ledger.leaves.extend(probe.rows())
            ledger.programs.extend(probe.observer.programs.values())
            ledger.events.extend(probe.events)
            self.run.checks = max(self.run.checks, probe.observer.checks)
            self.run.bytes_read = sum(watched.bytes_read for watched in probe.observer.leaves.values())
        for name in BACKENDS:
            if name in sys.modules:
                self.run.frameworks[name] = _version(sys.modules[name])
        self.run.steps = sum(program.steps_executed for program in ledger.programs)
        self.run.seconds = round(time.monotonic() - self._began, 3)
        mark_meant(ledger)
        return ledger

    def close(self, exit_status: int | None = None, ended_by: str | None = None) -> Record:
        """The last check: detach, judge, store.

        Storing may fail: see ``store_error``. A run in which no model or no step was seen tells nothing, and does not
        replace an older record.
        """
        if self in _open:
            _open.remove(self)
        for probe in self._probes:
            try:
                probe.close()
            except Exception as error:
                self._unclosed.append(probe)
                self.fault(f"{probe.name}: closing", error)
        self.run.exit, self.run.ended_by, self.run.complete = exit_status, ended_by, True
        record = self.record()
        tells = record.leaves and (record.run.steps or record.findings)
        if tells and self.settings.data is not None and os.getpid() == self._process:
            try:
                self._store(record)
            except RecordError as error:
                self.store_error = error
        if self._scalars is not None and tells and os.getpid() == self._process:
            self._add_scalars(record)
            self._scalars.close()
        return record

    def _judged(self, ledger: Ledger) -> list[Finding]:
        for row in ledger.leaves:
            row.unknown.pop("findings", None)
        try:
            return find(ledger)
        except Exception as error:
            self.fault("judging", error)
            for row in ledger.leaves:
                row.unknown["findings"] = f"an error inside frostline, judging: {type(error).__name__}: {error}"
            return []

    def _store(self, record: Record) -> None:
        assert self.settings.data is not None
        store.save(record, self.settings.data)


def judged_by(record: Record, policy: Policy) -> Record:
    """The record as ``policy`` wants its findings to count, whatever policy judged it before."""
    findings = settle(record.findings, record.leaves, policy)
    used = use_of(policy.baseline, findings, record.leaves) if policy.baseline is not None else None
    return replace(record, findings=findings, verdict=judge(findings, record.leaves), baseline=used)


def mark_meant(ledger: Ledger) -> None:
    """Write into every row what the user's patterns say of it."""
    names = [[row.name, *row.aliases, *row.former_aliases] for row in ledger.leaves]
    for answer, patterns in (("frozen", ledger.meant.frozen), ("trained", ledger.meant.trained)):
        for pattern in patterns:
            if rows_of(pattern)[1] is not None:
                continue  # says nothing of the leaf as a whole
            for index in matching(pattern, names):
                row: LeafRow = ledger.leaves[index]
                if row.kind == "parameter" or answer == "frozen" or row.owner.role == "normalisation":
                    row.meant, row.meant_pattern = answer, pattern


class Report:
    """What a watch found, to print, to assert on, or to read as data.

    Args:
        record: of the run.
    """

    def __init__(self, record: Record) -> None:
        self.record = record

    def check(self, fail_on: str = "error") -> None:
        """Raise when there are findings at or above ``fail_on``.

        Raises:
            FindingsError: with every such finding in its message.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        findings = failing(self.record.findings, fail_on)
        if findings:
            raise findings_error(findings)

    def __str__(self) -> str:
        from frostline.report import render

        return render(self.record, "text", color=False)

    __repr__ = __str__

    def _repr_html_(self) -> str | None:
        """What a notebook shows; None, where jinja2 is not installed, lets it show the text."""
        from frostline.report import html

        try:
            return html.fragment(self.record)
        except FrostlineError:
            return None


def findings_error(findings: Sequence[Finding]) -> FindingsError:
    """The error that tells these findings: a paragraph each, with the leaves and what to do."""
    return FindingsError("\n\n".join(_paragraph(finding) for finding in findings), findings[0].hint)


def _paragraph(finding: Finding) -> str:
    names = finding.tensors[:NAMES_TOLD]
    more = [f"and {len(finding.tensors) - len(names):,} more"] if len(finding.tensors) > len(names) else []
    lines = [f"{finding.code} {finding.rule}: {finding.message}"]
    lines += [f"  leaves: {', '.join([*names, *more])}"] if names else []
    lines += [f"  hint: {finding.hint}"] if finding.hint else []
    return "\n".join(lines)


class watch(contextlib.AbstractContextManager["watch"]):
    """Observe the training inside a ``with`` block.

    Args:
        objects: models and optimizers of interest; they must belong to a framework that is imported. Models are
            looked at when the block begins.
        frozen: patterns of leaves that should stay as they are; None takes those of the settings files.
        trained: patterns of leaves that should change; the same.
        check_every: check at every n-th step instead of at 1, 2, 4, 8, …
        patience: executed steps below which "unchanged so far" is a note and never an error.
        settings: all of them, in place of those of the files.

    Raises:
        SettingsError: a settings file cannot be read, or says something unknown.

    Examples:
        >>> import torch, frostline
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        >>> with frostline.watch(model, optimizer) as seen:
        ...     model(torch.ones(4, 2)).sum().backward()
        ...     optimizer.step()
        >>> seen.report.record.totals.changed
        3
    """

    def __init__(
        self,
        *objects: Any,
        frozen: Iterable[str] | None = None,
        trained: Iterable[str] | None = None,
        check_every: int | None = None,
        patience: int | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.objects = objects
        settings = (load() if settings is None else settings).but(
            frozen=frozen if frozen is None else tuple(frozen),
            trained=trained if trained is None else tuple(trained),
            check_every=check_every,
            patience=patience,
        )
        self.session = Session(replace(settings, data=None))
        self._report: Report | None = None

    def __enter__(self) -> watch:
        self.session.attach_imported()
        self.session.take(*self.objects)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._report = Report(self.session.close())

    @property
    def report(self) -> Report:
        """What was found; during the block, what has been found so far."""
        return self._report or Report(self.session.record())


def assert_frozen(model: Any, *patterns: str, during: Any) -> None:
    """Run ``during()`` and raise unless every leaf that the patterns name kept its bits.

    Args:
        model: a model of an imported framework.
        patterns: which leaves; all of the model when none is given.
        during: a function of no arguments that trains.

    Raises:
        FindingsError: naming the leaves that moved and why.
    """
    with watch(model, settings=Settings(frozen=patterns or ("**",))) as seen:
        during()
    meant = [each for each in failing(seen.report.record.findings, "error") if _concerns_meant(each, seen)]
    if meant:
        raise findings_error(meant)


def _concerns_meant(finding: Finding, seen: watch) -> bool:
    leaves = seen.report.record.leaves
    frozen = {row.name for row in leaves if "frozen" in (row.meant, *(rows.meant for rows in row.rows))}
    return bool(frozen & set(finding.tensors)) or finding.rule == "pattern-matches-nothing"


def summary(model: Any, *optimizers: Any) -> Report:
    """What the flags of a model declare, what optimizers are wired to, and what has changed so far in a watched run.

    Args:
        model: of an imported framework.
        optimizers: whose groups to look at; inside ``watch`` or ``frostline run`` those that have stepped are known.

    Returns:
        a report that prints as text at 80 columns and shows as HTML in a notebook.

    Examples:
        >>> import torch, frostline
        >>> print(frostline.summary(torch.nn.Linear(2, 1)).record.totals.declared_trainable)
        3
    """
    if _open:
        _open[-1].take(model, *optimizers)
        return Report(_open[-1].record())
    with watch(model, *optimizers, settings=Settings()) as seen:
        pass
    return seen.report


def _version(module: Any) -> str:
    return str(getattr(module, "__version__", "unknown"))
