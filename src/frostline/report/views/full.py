"""All that a report can say, and in which order, for every format alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from frostline.core.ledger import TensorRow
from frostline.core.record import BaselineUse, Record
from frostline.core.run import FAULTS_KEPT, Run
from frostline.core.verdict import by_severity, headline
from frostline.report.folding import Names
from frostline.report.form import Facts, Line, Prose, Role, Section, Span, View, line, shortened
from frostline.report.phrases import NAME, joined, many, named
from frostline.report.tables import codes_of, ledger_section, parameters_section, reasons_of
from frostline.report.views import closing, findings, run

MODELS = 8
_OPTIMIZERS = 8
_ITEMS = 3
_TEXT = 1200


def build(record: Record, stored: str | None = None) -> View:
    """The verdict, the findings with their evidence, and all columns of every module.

    Args:
        record: what was seen and judged.
        stored: the file that the run can be read from again.
    """
    return View(title=verdict(record), sections=(*parts(record).values(), closing.section(record, stored)))


def verdict(record: Record) -> Line:
    """The line that begins every report."""
    judged = record.verdict
    role: Role = "error" if judged.errors else "warning" if judged.warnings or judged.missing else "good"
    return line(Span("frostline", "title"), ": ", Span(headline(record), role))


def parts(record: Record) -> dict[str, Section]:
    """The sections of a report by what they are, in their order; those that have nothing to say are left out."""
    names = Names(record.tensors)
    models = list(dict.fromkeys(row.model for row in record.tensors))
    codes = codes_of(record.findings)
    reported = by_severity(finding for finding in record.findings if finding.ignored is None)
    sections = {
        "findings": findings.in_full(reported, names),
        "parameters": parameters_section(record, models),
        **{f"ledger {model}": ledger_section(record, model, codes) for model in models[:MODELS]},
        "models": _other_models(record, models[MODELS:]),
        "names": _several_names(record.tensors),
        "excused": findings.excused(record.excused, names),
        **doubts(record, names),
        "run": run.section(record),
    }
    return {name: section for name, section in sections.items() if section is not None}


def doubts(record: Record, names: Names, reasons: int | None = None) -> dict[str, Section | None]:
    """What a reader has to know of the verdict itself: what it leaves out, and what it could not be made of.

    Args:
        record: what was seen and judged.
        names: of its tensors.
        reasons: how many reasons for unknown columns are said; None says all.
    """
    return {
        "ignored": findings.ignored([finding for finding in record.findings if finding.ignored is not None], names),
        "baseline": _baseline(record.baseline),
        "unknown": _unknowns(record.tensors, names, reasons),
        "faults": _faults(record.run),
    }


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


def _unknowns(tensor_rows: Iterable[TensorRow], names: Names, most: int | None) -> Section | None:
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in tensor_rows:
        for column, reason in reasons_of(row).items():
            reasons.setdefault((column, reason), []).append(row.name)
    if not reasons:
        return None
    rows = tuple(
        (
            Span(column, "label"),
            (*line(Span(shortened(reason, _TEXT), "unknown"), "; "), *findings.described(tensors, names)),
        )
        for (column, reason), tensors in reasons.items()
    )
    left = [Prose(line(*_more(len(rows) - most)))] if most is not None and len(rows) > most else []
    return Section(Span("Unknown: columns that could not be established", "title"), (Facts(rows[:most]), *left))


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
