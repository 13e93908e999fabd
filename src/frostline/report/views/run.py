"""How the run was started, observed and ended, and which optimizers and files it had, as one section."""

from __future__ import annotations

import shlex

from frostline.core.events.files import FileWritten
from frostline.core.ledger import OptimizerRow
from frostline.core.record import Record
from frostline.core.run import Run
from frostline.report.form import Facts, Line, Section, Span, line, shortened
from frostline.report.phrases import NAME, in_bytes, joined, many

_OPTIMIZERS = 8
_FILES = 4
_PROCESSES = 8
_TEXT = 1200


def section(record: Record) -> Section:
    """The command, what observed it, how it ended, and its optimizers and files."""
    run = record.run
    rows = [("command", line(Span(shortened(shlex.join(run.command) or "not known", _TEXT), "name")))]
    frameworks = [f"frostline {record.frostline}", *(f"{name} {version}" for name, version in run.frameworks.items())]
    if run.python:
        frameworks.append(f"python {run.python}")
    rows.append(("versions", line(", ".join(frameworks))))
    if run.world_size is not None and run.world_size > 1:
        rows.append(("process", line(processes(run))))
    rows.extend(("missing", said) for said in missing(run))
    if run.started:
        rows.append(("began", line(began(run))))
    rows.append(("ended", ending(run)))
    rows.append(("checked", line(f"{many(run.checks, 'check')}, {in_bytes(run.bytes_read)} read{_took(run)}")))
    for label, patterns in (("expected frozen", record.expected.frozen), ("expected trained", record.expected.trained)):
        if patterns:
            rows.append((label, joined([Span(shortened(pattern, NAME), "name") for pattern in patterns])))
    rows.extend(("optimizer", _program(optimizer, record)) for optimizer in record.optimizers[:_OPTIMIZERS])
    if len(record.optimizers) > _OPTIMIZERS:
        rows.append(("", line(Span(f"and {many(len(record.optimizers) - _OPTIMIZERS, 'more optimizer')}", "dim"))))
    rows.extend(("saved", text) for text in _files(record))
    if not record.optimizers:
        rows.append(("optimizer", line(Span("none: no optimizer and no compiled step was seen", "unknown"))))
    return Section(Span("Run", "title"), (Facts(tuple((Span(label, "label"), text) for label, text in rows)),))


def missing(run: Run) -> list[Line]:
    """The processes of the run of which not enough is known."""
    said = [line(Span(shortened(each, NAME * 2), "warning")) for each in run.missing[:_PROCESSES]]
    if (more := len(run.missing) - _PROCESSES) > 0:
        said.append(line(Span(f"and {many(more, 'more process', 'more processes')}", "dim")))
    return said


def summed_up(run: Run) -> Line:
    """How the script ended, how often it was looked at, and what that took: one line at the end of a report."""
    several = f" ({processes(run)})" if (run.world_size or 1) > 1 else ""
    return (*ending(run), *line(f"{several}, {many(run.checks, 'check')}{_took(run)}"))


def began(run: Run) -> str:
    """When and where the run began, and at which commit."""
    at = f"{run.started.replace('T', ' ')[:16]} UTC" if run.started else ""
    return ", ".join(filter(None, (at, run.host and f"on {run.host}", run.commit and f"commit {run.commit[:12]}")))


def processes(run: Run) -> str:
    """Which of several processes this is about."""
    which = f"rank {run.rank} of {run.world_size}" if run.rank is not None else f"{run.world_size} processes together"
    if run.idle:
        which += f"; without a step: {', '.join(run.idle[:_PROCESSES])}{'…' if len(run.idle) > _PROCESSES else ''}"
    return which


def _took(run: Run) -> str:
    if not run.own_seconds:  # a record of an older version
        return f"; the run took {run.seconds:,.1f} s"
    return f"; frostline took {run.own_seconds:,.1f} s of {run.seconds:,.1f} s"


def ending(run: Run) -> Line:
    """How the script ended, or how far it is known."""
    if not run.complete:
        by = f", ended by {run.ended_by}" if run.ended_by else ""
        return line(Span(f"incomplete: known up to step {run.steps:,} only{by}", "warning"))
    code = "exit status not known" if run.exit is None else f"exit {run.exit}"
    by = f" ({run.ended_by})" if run.ended_by else ""
    return line(f"{code}{by} after {many(run.steps, 'step')}")


def _program(optimizer: OptimizerRow, record: Record) -> Line:
    if optimizer.by_hand:
        steps = many(optimizer.steps_executed, "update")
        return line(Span(optimizer.id, "name"), f": {steps}, each between two backward passes; no optimizer was made")
    name = optimizer.id if optimizer.name in (optimizer.id, "") else f"{optimizer.id} ({optimizer.name})"
    held = sum(
        row.size
        for row in record.tensors
        if any(holding.optimizer == optimizer.id and holding.listed for holding in row.optimizers)
    )
    kind = "compiled step, " if optimizer.kind == "compiled-step" else ""
    skipped = f", {optimizer.steps_skipped:,} skipped" if optimizer.steps_skipped else ""
    facts = [f"{kind}{many(optimizer.steps_executed, 'step')}{skipped}", f"holds {many(held, 'parameter')}"]
    if len(optimizer.groups) > 1:
        facts.append(many(len(optimizer.groups), "group"))
    facts.extend(
        f"{shortened(key.replace('_', ' '), 24)} {value:g}"
        for group in optimizer.groups[:1]
        for key, value in group.items()
        if len(optimizer.groups) == 1 and value is not None and key not in ("tensors", "parameters")
    )
    if optimizer.captured_at is not None:
        facts.append(f"made at step {optimizer.captured_at:,}")
    if optimizer.merged > 1:
        facts.append(f"{optimizer.merged:,} of its kind as one")
    if optimizer.steps_beside:
        facts.append(f"{many(optimizer.steps_beside, 'step')} in another thread, not observed")
    if optimizer.foreign_shapes:
        facts.append(f"also holds {many(len(optimizer.foreign_shapes), 'tensor')} of no live model")
    return line(Span(shortened(name, NAME), "name"), f": {'; '.join(facts)}")


def _files(record: Record) -> list[Line]:
    """The files that the run wrote, the latest last."""
    saves = record.events_of(FileWritten)
    written = [
        line(
            Span(shortened(event.file, NAME), "name"),
            f": {many(event.tensors, 'tensor')} at step {event.step:,} with {event.by}{_times(event.times)}",
        )
        for event in saves[-_FILES:]
    ]
    left = len(saves) - len(written)
    return [line(Span(f"{many(left, 'file')} more, written before", "dim")), *written] if left else written


def _times(count: int) -> str:
    return f", the last of {count:,} times" if count > 1 else ""
