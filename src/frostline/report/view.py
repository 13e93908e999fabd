"""From a record to a view: what a report says and in which order, for every format alike."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence

from frostline.core.events.files import FileWritten
from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.core.record import BaselineUse, Excused, Finding, FindingOrigin, Record
from frostline.core.run import FAULTS_KEPT, Run
from frostline.core.verdict import by_severity, sentence
from frostline.report.folding import Names
from frostline.report.form import Facts, Line, Prose, Section, Span, View, line, shortened, worded
from frostline.report.phrases import NAME, in_bytes, joined, many, named
from frostline.report.tables import ledger_section, parameters_section

MODELS = 8
_OPTIMIZERS = 8
_FILES = 4
_PROCESSES = 8
_PATTERNS = 4
_ITEMS = 3
_TEXT = 1200


def build(record: Record) -> View:
    """The view of ``record``: header, parameters, ledger per model, findings, unknowns, faults and the verdict."""
    return View(
        title=line(Span("frostline", "title"), f" {record.frostline}: which weights the run really trained"),
        sections=tuple(parts(record).values()),
        last=line(Span(sentence(record.verdict), "title")),
    )


def parts(record: Record) -> dict[str, Section]:
    """The sections of a report by what they are, in their order; those that have nothing to say are left out."""
    names = Names(record.tensors)
    models = list(dict.fromkeys(row.model for row in record.tensors))
    codes = _codes(record.findings)
    reported = [finding for finding in record.findings if finding.ignored is None]
    ignored = [finding for finding in record.findings if finding.ignored is not None]
    sections = {
        "run": _header(record),
        "parameters": parameters_section(record, models),
        **{f"ledger {model}": ledger_section(record, model, codes) for model in models[:MODELS]},
        "models": _other_models(record, models[MODELS:]),
        "names": _several_names(record.tensors),
        "findings": _findings(reported, names),
        "excused": _excused(record.excused, names),
        "ignored": _ignored(ignored, names),
        "baseline": _baseline(record.baseline),
        "unknown": _unknowns(record.tensors, names),
        "faults": _faults(record.run),
    }
    return {name: section for name, section in sections.items() if section is not None}


def _header(record: Record) -> Section:
    run = record.run
    rows = [("command", line(Span(shortened(shlex.join(run.command) or "not known", _TEXT), "name")))]
    frameworks = [f"{name} {version}" for name, version in run.frameworks.items()]
    if run.python:
        frameworks.append(f"python {run.python}")
    rows.append(("frameworks", line(", ".join(frameworks) or "none seen")))
    if run.world_size is not None and run.world_size > 1:
        which = f"rank {run.rank} of {run.world_size}" if run.rank is not None else f"{run.world_size} together"
        if run.idle:
            which += f"; without a step: {', '.join(run.idle[:_PROCESSES])}{'…' if len(run.idle) > _PROCESSES else ''}"
        rows.append(("process", line(which)))
    rows.extend(("missing", line(Span(shortened(said, NAME * 2), "warning"))) for said in run.missing[:_PROCESSES])
    if len(run.missing) > _PROCESSES:
        rows.append(
            ("", line(Span(f"and {many(len(run.missing) - _PROCESSES, 'more process', 'more processes')}", "dim")))
        )
    rows.append(("ended", _ending(run)))
    read = f"{in_bytes(run.bytes_read)} read"
    rows.append(("checked", line(f"{many(run.checks, 'check')}, {read}, {run.seconds:,.1f} s")))
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


def _ending(run: Run) -> Line:
    if not run.complete:
        by = f", ended by {run.ended_by}" if run.ended_by else ""
        return line(Span(f"incomplete: known up to step {run.steps:,} only{by}", "warning"))
    code = "exit status not known" if run.exit is None else f"exit {run.exit}"
    by = f" ({run.ended_by})" if run.ended_by else ""
    return line(f"{code}{by} after {many(run.steps, 'executed step')}")


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
    kind = optimizer.kind.replace("-", " ")
    facts = [
        f"{kind}, {many(optimizer.steps_executed, 'step')}, {optimizer.steps_skipped:,} skipped",
        f"holds {many(held, 'parameter')}",
    ]
    if len(optimizer.groups) > 1:
        facts.append(many(len(optimizer.groups), "group"))
    facts.extend(
        f"{shortened(key.replace('_', ' '), 24)} {value:g}"
        for group in optimizer.groups[:1]
        for key, value in group.items()
        if len(optimizer.groups) == 1 and value is not None
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


def _other_models(record: Record, models: Sequence[str]) -> Section | None:
    if not models:
        return None
    hidden = set(models)
    parameters = sum(row.size for row in record.tensors if row.model in hidden)
    text = line(f"{many(len(models), 'model')} with {many(parameters, 'parameter')}; see ", _report("json"))
    return Section(Span("Further models, not shown", "title"), (Prose(text),))


def _several_names(tensor_rows: Iterable[TensorRow]) -> Section | None:
    """Tensors with more than one name, told by the modules that share them rather than tensor by tensor."""
    pairs: Counter[tuple[str, str, str]] = Counter()
    for row in tensor_rows:
        pairs.update(("same", *_differing(row.name, alias)) for alias in row.aliases)
        pairs.update(("overlap", row.name, other) for other in row.overlaps)
    if not pairs:
        return None
    rows = [
        (
            Span(how, "label"),
            line(named(one), " = " if how == "same" else " and ", named(other), f" ({many(count, 'tensor')})"),
        )
        for (how, one, other), count in pairs.most_common(_OPTIMIZERS)
    ]
    if len(pairs) > _OPTIMIZERS:
        rows.append((Span("", "label"), line(Span(f"and {len(pairs) - _OPTIMIZERS:,} more", "dim"))))
    return Section(Span("One tensor, several names (counted once)", "title"), (Facts(tuple(rows)),))


def _differing(name: str, alias: str) -> tuple[str, str]:
    """Both names without the parts that they end in alike, at least one part left of each."""
    one, other = name.split("."), alias.split(".")
    while len(one) > 1 and len(other) > 1 and one[-1] == other[-1]:
        one.pop()
        other.pop()
    return ".".join(one), ".".join(other)


def _codes(findings: Iterable[Finding]) -> dict[str, list[Span]]:
    """The codes of the findings that point at each tensor, by its name."""
    codes: dict[str, list[Span]] = {}
    for finding in findings:
        code = Span(finding.code, finding.severity if finding.ignored is None else "dim")
        for name in finding.tensors:
            codes.setdefault(name, []).append(code)
    return codes


def _findings(findings: Sequence[Finding], names: Names) -> Section:
    title = Span("Findings", "title")
    if not findings:
        return Section(title, (Prose(line(Span("none", "dim"))),))
    return Section(title, tuple(_finding(finding, names) for finding in by_severity(findings)))


def _finding(finding: Finding, names: Names) -> Facts:
    head = line(
        Span(f"{finding.severity}: {finding.code} {finding.rule}:", finding.severity),
        f" {shortened(finding.message, _TEXT)}",
    )
    rows = [
        (Span(shortened(key.replace("_", " "), 24), "dim"), _value(value)) for key, value in finding.evidence.items()
    ]
    if finding.tensors:
        rows.append((Span("tensors", "label"), _tensors(finding.tensors, names)))
    rows.extend((Span(origin.role, "label"), _origin(origin)) for origin in finding.origins)
    if finding.hint:
        rows.append((Span("hint", "label"), line(Span(shortened(finding.hint, _TEXT), "hint"))))
    rows.append((Span("more", "label"), line(Span(f"frostline explain {finding.code}", "command"))))
    return Facts(tuple(rows), head)


def _origin(origin: FindingOrigin) -> Line:
    """The line of the script, as it stands there, and the package that it went through."""
    inside = f" (in {origin.inside})" if origin.inside else ""
    source = f"  {shortened(origin.source, NAME)}" if origin.source and origin.until is None else ""
    return line("by " if origin.until is None else "", Span(origin.text, "name"), source, Span(inside, "dim"))


def _ignored(findings: Sequence[Finding], names: Names) -> Section | None:
    """What the user's settings set aside: the fact, where, and the reason they gave."""
    if not findings:
        return None
    blocks = []
    for finding in findings:
        head = line(Span(f"{finding.code} {finding.rule}:", "dim"), f" {shortened(finding.message, _TEXT)}")
        rows = [(Span("tensors", "label"), _tensors(finding.tensors, names))] if finding.tensors else []
        rows.append((Span("ignored", "label"), line(shortened(finding.ignored or "", _TEXT))))
        blocks.append(Facts(tuple(rows), head))
    return Section(Span("Ignored by the settings, not counted", "title"), tuple(blocks))


def _excused(excused: Sequence[Excused], names: Names) -> Section | None:
    """What breaks a law by its bits and is excused, each excuse with what proves it of the first tensor."""
    groups: dict[tuple[str, str], list[Excused]] = {}
    for each in excused:
        groups.setdefault((each.law, each.excuse), []).append(each)
    rows = tuple(
        (
            Span(f"{law} {excuse}", "label"),
            (*_tensors([each.tensor for each in group], names), Span(f"; {shortened(group[0].proof, _TEXT)}")),
        )
        for (law, excuse), group in groups.items()
    )
    return Section(Span("Excused by proof", "title"), (Facts(rows),)) if rows else None


def _baseline(used: BaselineUse | None) -> Section | None:
    """What became of the findings that the baseline knows."""
    if used is None:
        return None
    title = Span("Baseline", "title")
    source = Span(shortened(used.source, NAME), "name")
    if used.missing:
        command = Span(f"frostline report --write-baseline {shortened(used.source, NAME)}", "command")
        return Section(title, (Prose(line("there is no ", source, " yet: ", command, " writes it")),))
    gone = f"; {many(len(used.resolved), 'entry', 'entries')} found no longer" if used.resolved else ""
    rows = tuple(
        (
            Span(shortened(old.rule, 40), "label"),
            (*joined([named(name) for name in old.tensors[:_ITEMS]]), *_more(len(old.tensors) - _ITEMS))
            if old.tensors
            else line(shortened(old.subject, _TEXT)),
        )
        for old in used.resolved[:_OPTIMIZERS]
    )
    known = Prose(line(source, f" knows {many(used.known, 'finding')} of this run{gone}"))
    left = [Prose(line(*_more(len(used.resolved) - _OPTIMIZERS)))] if len(used.resolved) > _OPTIMIZERS else []
    return Section(title, (known, *([Facts(rows)] if rows else []), *left))


def _more(count: int) -> Line:
    return line(Span(f" and {count:,} more", "dim")) if count > 0 else ()


def _value(value: str | int | float | bool | list[str] | None) -> Line:
    """One piece of evidence as a person writes it."""
    match value:
        case None:
            return line(Span("not known", "unknown"))
        case bool() | int() | float() | str():
            return line(shortened(worded(value), _TEXT))
        case _:
            more = f", and {len(value) - _ITEMS:,} more" if len(value) > _ITEMS else ""
            return (*joined([named(item) for item in value[:_ITEMS]]), *line(more)) if value else line("none")


def _tensors(tensors: Sequence[str], names: Names) -> Line:
    """How many, the first patterns, and how many tensors those leave out."""
    patterns = names.patterns(tensors)
    shown = patterns if len(patterns) <= _PATTERNS else patterns[: _PATTERNS - 1]
    left = sum(pattern.tensors for pattern in patterns[len(shown) :])
    more = line(f" and {left:,} more") if left else ()
    count = names.describe(list(dict.fromkeys(tensors)))
    return (*line(f"{count}: "), *joined([named(pattern.text) for pattern in shown]), *more)


def _unknowns(tensor_rows: Iterable[TensorRow], names: Names) -> Section | None:
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in tensor_rows:
        for column, reason in _reasons(row).items():
            reasons.setdefault((column, reason), []).append(row.name)
    if not reasons:
        return None
    rows = tuple(
        (Span(column, "label"), (*line(Span(shortened(reason, _TEXT), "unknown"), "; "), *_tensors(tensors, names)))
        for (column, reason), tensors in reasons.items()
    )
    return Section(Span("Unknown: columns that could not be established", "title"), (Facts(rows),))


def _reasons(row: TensorRow) -> dict[str, str]:
    if row.changed.verdict == "unknown" and "changed" not in row.unknown:
        return {**row.unknown, "changed": row.changed.reason or "no reason was recorded"}
    return row.unknown


def _faults(run: Run) -> Section | None:
    if not run.faults:
        return None
    distinct = Counter(run.faults)
    rows = [
        (Span(f"{count:,} ×", "label"), line(Span(shortened(fault, _TEXT), "unknown")))
        for fault, count in distinct.most_common(_ITEMS)
    ]
    if len(distinct) > _ITEMS:
        rows.append((Span("", "label"), line(Span(f"and {len(distinct) - _ITEMS:,} other kinds", "dim"))))
    count = f"{'at least ' if len(run.faults) >= FAULTS_KEPT else ''}{many(len(run.faults), 'error')}"
    text = line(
        f"{count} inside frostline; the script was not touched by them. See them whole with ",
        Span("frostline run --debug", "command"),
        ".",
    )
    return Section(Span("Faults in frostline itself", "title"), (Prose(text), Facts(tuple(rows))))


def _report(format: str) -> Span:
    return Span(f"frostline report --format {format}", "command")
