"""The two tables of a report: parameters side by side, and the ledger folded by module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from frostline.core.agreement import who_was_right
from frostline.core.events import SummaryPrinted
from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record
from frostline.core.verdict import totals
from frostline.report.changes import BY_STEP, changed_by, copies_in, marks
from frostline.report.folding import Fold, folded
from frostline.report.form import ROLES, Column, Line, Prose, Role, Row, Section, Span, Table, line, shortened

SHORT_ROWS = 5
_GROUPS = 8
_NAME = 160
_COPIES = {
    "same": "yes",
    "older": "older",
    "first": "from before",
    "zero": "zeros",
    "overflow": "overflowed",
    "fewer-rows": "fewer rows",
    "other": "other values",
    "part": "part of it",
    "missing": "no",
}
_NOTHING = Span("–", "dim")


def reasons_of(row: TensorRow) -> dict[str, str]:
    """Say why columns of a tensor could not be established, by column.

    Args:
        row: of the tensor.
    """
    reasons = dict(row.unknown)
    if row.changed.verdict == "unknown":
        reasons.setdefault("changed", row.changed.reason or "its bits were not compared before the run ended")
    if row.kind == "parameter" and row.declared.trainable is None:
        reasons.setdefault("declared", "it has no flag, and no step that was seen updates it or takes its gradient")
    return reasons


def parameters_section(record: Record, models: Sequence[str]) -> Section:
    """Counts of parameters per model: printed by the framework, declared, held by an optimizer, changed."""
    title = Span("Parameters: printed, declared, in an optimizer, changed", "title")
    if not record.tensors and not record.events_of(SummaryPrinted):
        return Section(title, (Prose(line(Span("no model was found: there is nothing to count", "unknown"))),))
    rows: list[Row] = []
    answers: list[Prose] = []
    for subject, (tensor_rows, printed) in list(_subjects(record, models).items())[:_GROUPS]:
        rows.extend(_subject(subject, tensor_rows, printed))
        answer = who_was_right(tensor_rows, printed[-1].trainable if printed else None)
        if answer is not None and record.run.steps and not (" right" in answer and _contradicted(tensor_rows, record)):
            answers.append(Prose(line(Span(shortened(subject, _NAME), "name"), f": {answer}")))
    if len(models) > 1:
        rows.extend(_subject("all models together", record.tensors, []))
    columns = (
        Column(""),
        Column("total", right=True),
        Column("yes", right=True),
        Column("no", right=True),
        Column("unknown", right=True),
    )
    return Section(title, (Table(columns, tuple(rows)), *answers))


def _subjects(record: Record, models: Sequence[str]) -> dict[str, tuple[list[TensorRow], list[SummaryPrinted]]]:
    """Each model, and each part of one that was summarised, with its tensors and the summaries that were printed.

    A summary is of the model that has its tensors, whatever name it was printed under: a library may use the class's.
    """
    subjects: dict[str, tuple[list[TensorRow], list[SummaryPrinted]]] = {
        model: (_of(model, record.tensors), []) for model in models
    }
    wholes = {
        frozenset(row.name for row in rows if row.kind == "parameter"): model for model, (rows, _) in subjects.items()
    }
    for event in record.events_of(SummaryPrinted):
        printed = frozenset(event.tensors)
        subject = wholes.get(printed, event.model) if printed else event.model
        own = [row for row in record.tensors if row.name in printed]
        subjects.setdefault(subject, (own or _of(subject, record.tensors), []))[1].append(event)
    return subjects


def _contradicted(rows: Iterable[TensorRow], record: Record) -> bool:
    """Whether an error that is not about a printed summary names one of these tensors."""
    errors = (one for one in record.findings if one.severity == "error" and one.ignored is None and one.code[0] != "P")
    named = {name for finding in errors for name in finding.tensors}
    return any(row.name in named for row in rows)


def _of(subject: str, rows: Iterable[TensorRow]) -> list[TensorRow]:
    """The tensors of a model, also of one that is known only by the other names of another's tensors."""
    prefix = f"{subject}."
    return [row for row in rows if row.model == subject or any(alias.startswith(prefix) for alias in row.aliases)]


def _subject(subject: str, tensor_rows: Sequence[TensorRow], summaries: Iterable[SummaryPrinted]) -> list[Row]:
    rows = [Row((line(Span(shortened(subject, _NAME) or "outside any model", "name")),))]
    seen: list[Row] = []
    for event in summaries:
        seen.extend(row for row in _printed(event) if row not in seen)
    rows.extend(seen)
    if not tensor_rows:
        rows.append(Row((line(Span("no tensor of this model was seen in the run", "unknown")),), depth=1))
        return rows
    parameters = [tensor_row for tensor_row in tensor_rows if tensor_row.kind == "parameter"]
    buffers = [tensor_row for tensor_row in tensor_rows if tensor_row.kind == "buffer"]
    count = totals(parameters)
    total = count.parameters
    undeclared = total - count.declared_trainable - count.declared_frozen
    unheld = sum(
        tensor_row.size for tensor_row in parameters if "optimizer" in tensor_row.unknown and not tensor_row.optimizers
    )
    rows.append(_parameters("declared trainable", total, count.declared_trainable, count.declared_frozen, undeclared))
    rows.append(
        _parameters("held by an optimizer", total, count.in_optimizer, total - count.in_optimizer - unheld, unheld)
    )
    rows.append(_parameters("changed", total, count.changed, count.unchanged, count.unknown, "changed"))
    if buffers:
        moved, still = (sum(b.size for b in buffers if b.changed.verdict == answer) for answer in ("yes", "no"))
        whole = sum(tensor_row.size for tensor_row in buffers)
        rows.append(_parameters("buffers changed", whole, moved, still, whole - moved - still, "changed"))
    return rows


def _printed(event: SummaryPrinted) -> Iterable[Row]:
    yield _parameters(
        f"printed as trainable, step {event.step:,}", event.total, event.trainable, event.non_trainable, 0
    )
    if event.optimizer:
        yield _parameters("  of which the optimizer's own", event.optimizer, None, None, 0)


def _parameters(
    label: str, total: int | None, yes: int | None, no: int | None, unknown: int, role: Role = "plain"
) -> Row:
    cells = [line(label)]
    roles: tuple[Role, Role, Role] = ("plain", role, "plain")
    for number, own in zip((total, yes, no), roles, strict=True):
        cells.append(line(Span(f"{number:,}", own)) if number is not None else ())
    cells.append(line(Span(f"{unknown:,}", "unknown")) if unknown else ())
    return Row(tuple(cells), depth=1)


Cell = Callable[[Sequence[TensorRow]], Line]


def ledger_section(record: Record, model: str, codes: Mapping[str, Sequence[Span]]) -> Section:
    """The ledger of one model as a tree of modules, parameters and buffers apart."""
    tensor_rows = [row for row in record.tensors if row.model == model]
    columns: list[tuple[Column, Cell]] = [
        (Column("params", right=True, spare=1), lambda rows: line(f"{_sum(rows):,}")),
        (Column("declared"), _declared),
        (Column("optimizer", spare=2), _optimizer),
        (Column("changed", right=True), _changed),
    ]
    if any(row.expected for row in tensor_rows):
        columns.append((Column("expected"), _meant))
    if any(row.saved for row in tensor_rows):
        columns.append((Column("saved"), _saved))
    if any(row.name in codes for row in tensor_rows):
        columns.append((Column("see"), lambda rows: _found(rows, codes)))

    mark = marks([cell for _, cell in columns[1:]], lambda row: tuple(codes.get(row.name, ())))
    name = model or "outside any model"
    folds: list[Fold] = []
    kept = not any(row.registered for row in tensor_rows)  # by the script, beside its models
    for kind, root in (("parameter", name), ("buffer", name if kept else f"buffers of {name}")):
        of_kind = [row for row in tensor_rows if row.kind == kind]
        if of_kind:
            folds.extend(folded(model, of_kind, mark, root))
    rows = tuple(_row(fold, columns) for fold in folds)
    table = Table((Column("module"), *(column for column, _ in columns)), rows, tree=True)
    return Section(Span(f"Ledger of {shortened(name, 60)}", "title"), (table, *_legend(rows)))


def short_table(record: Record) -> Table:
    """All models in few rows: which parameters are declared trainable, held, and changed, and by what."""
    codes = codes_of(finding for finding in record.findings if finding.severity != "note")
    copies = copies_in(record.tensors)
    columns: list[tuple[Column, Cell]] = [
        (Column("params", right=True, spare=1), lambda rows: line(f"{_sum(rows):,}")),
        (Column("declared"), _declared),
        (Column("optimizer", spare=2), _optimizer),
        (Column("changed", right=True), _changed),
    ]
    if any(changed_by(row, copies) not in ("", BY_STEP) for row in record.tensors):
        columns.append((Column("how"), lambda rows: _how(rows, copies)))
    if codes:
        columns.append((Column("see"), lambda rows: _found(rows, codes)))

    mark = marks([cell for _, cell in columns[1:]], lambda row: (changed_by(row, copies), *codes.get(row.name, ())))
    wholes = list(_wholes(record.tensors, codes))
    left = max(0, SHORT_ROWS - len(wholes))
    folds: list[Fold] = []
    for name, root, tensor_rows in wholes[:SHORT_ROWS]:
        own = folded(name, tensor_rows, mark, root, 1 + left)
        left -= len(own) - 1
        folds.extend(own)
    rows = [_row(fold, columns) for fold in folds]
    if len(wholes) > SHORT_ROWS:
        rows.append(Row((line(Span(f"and {len(wholes) - SHORT_ROWS:,} more", "dim")),)))
    return Table((Column("module"), *(column for column, _ in columns)), tuple(rows), tree=True)


def _wholes(
    tensor_rows: Sequence[TensorRow], codes: Mapping[str, Sequence[Span]]
) -> Iterable[tuple[str, str, list[TensorRow]]]:
    """Each model with its parameters, and with its buffers where these moved or a finding names them."""
    for model in dict.fromkeys(row.model for row in tensor_rows):
        own = [row for row in tensor_rows if row.model == model]
        name = model or "outside any model"
        if parameters := [row for row in own if row.kind == "parameter"]:
            yield model, name, parameters
        buffers = [row for row in own if row.kind == "buffer"]
        if any(row.changed.verdict != "no" or row.name in codes for row in buffers):
            yield model, f"buffers of {name}" if any(row.registered for row in buffers) else name, buffers


def _how(rows: Sequence[TensorRow], copies: Mapping[str, str]) -> Line:
    """What changed these tensors."""
    ways = list(dict.fromkeys(way for row in rows if (way := changed_by(row, copies))))
    return line(Span("mixed", "mixed") if len(ways) > 2 else ", ".join(ways) or _NOTHING)


def cells(rows: Sequence[TensorRow]) -> dict[str, Line]:
    """What each column says of some tensors together."""
    columns = {"declared": _declared, "optimizer": _optimizer, "changed": _changed, "expected": _meant, "saved": _saved}
    return {name: cell(rows) for name, cell in columns.items()}


def _legend(rows: Iterable[Row]) -> Iterable[Prose]:
    """What the marks in these rows mean, for those that occur."""
    texts = {span.text for row in rows for cell in row.cells[1:] for span in cell}
    meanings = {
        "~": "~ the flag changed during the run",
        "?": "+? and some that could not be established",
    }
    said = [meaning for mark, meaning in meanings.items() if any(text.endswith(mark) for text in texts)]
    if said:
        yield Prose(line(Span("; ".join(said), "dim")))


def _row(fold: Fold, columns: Sequence[tuple[Column, Cell]]) -> Row:
    label = line(Span(shortened(fold.label, _NAME) or "''", "name"))
    return Row((label, *(cell(fold.tensors) for _, cell in columns)), fold.depth)


def _declared(rows: Sequence[TensorRow]) -> Line:
    if rows[0].kind == "buffer":
        return line(_NOTHING)
    answers = {_flag(row) for row in rows}
    flipped = "~" if any(row.declared.flips or row.declared.flip_count for row in rows) else ""
    return line(_agreed(answers), flipped)


def _flag(row: TensorRow) -> Role:
    if row.declared.trainable is None:
        return "unknown"
    return "trainable" if row.declared.trainable else "frozen"


def _agreed(answers: set[Role]) -> Span:
    role: Role = answers.pop() if len(answers) == 1 else "mixed"
    return Span(role, role)


def _optimizer(rows: Sequence[TensorRow]) -> Line:
    optimizers = [frozenset(holding.optimizer for holding in row.optimizers if holding.listed) for row in rows]
    named = list(dict.fromkeys(holding.optimizer for row in rows for holding in row.optimizers if holding.listed))
    if not named:
        unknown = any("optimizer" in row.unknown for row in rows)
        return line(Span("unknown", "unknown") if unknown else _NOTHING)
    return line(", ".join(named) if len(set(optimizers)) == 1 else Span("mixed", "mixed"))


def _changed(rows: Sequence[TensorRow]) -> Line:
    """The parameters that moved: ``all``, ``none``, or how many of those in the row."""
    answers = {row.changed.verdict for row in rows}
    if answers == {"unknown"}:
        return line(Span("unknown", "unknown"))
    if "yes" not in answers:
        text = Span("none", "still")
    else:
        moved = _sum(row for row in rows if row.changed.verdict == "yes")
        text = Span("all" if answers == {"yes"} else f"{moved:,}", "changed")
    return line(text, Span(" +?", "unknown") if "unknown" in answers else "")


def _meant(rows: Sequence[TensorRow]) -> Line:
    answers = {row.expected or "" for row in rows}
    expected = answers.pop() if len(answers) == 1 else "mixed"
    roles: dict[str, Role] = {"frozen": "frozen", "trained": "trainable", "mixed": "mixed"}
    return line(Span(expected, roles.get(expected, "plain")) if expected else _NOTHING)


def _saved(rows: Sequence[TensorRow]) -> Line:
    answers = {_copy(row) for row in rows}
    return line(answers.pop() if len(answers) == 1 else Span("mixed", "mixed"))


def _copy(row: TensorRow) -> Span:
    """The best copy of the tensor in a word."""
    if row.saved is None:
        return Span("unknown", "unknown") if "saved" in row.unknown else _NOTHING
    if row.saved.state == "rounded":
        return Span(f"as {row.saved.copies[0].dtype}")
    return Span(_COPIES[row.saved.state], "error" if row.saved.state in ("first", "overflow", "zero") else "plain")


def _found(rows: Sequence[TensorRow], codes: Mapping[str, Sequence[Span]]) -> Line:
    """The codes of the findings that point into the row, the gravest first."""
    distinct = {code for row in rows for code in codes.get(row.name, ())}
    found = sorted(distinct, key=lambda code: (ROLES.index(code.role), code.text))
    more = Span(f" +{len(found) - 2}", "dim") if len(found) > 2 else ""
    return line(*found[:1], *(part for code in found[1:2] for part in (" ", code)), more)


def _sum(rows: Iterable[TensorRow]) -> int:
    return sum(row.size for row in rows)


def codes_of(findings: Iterable[Finding]) -> dict[str, list[Span]]:
    """The codes of the findings that point at each tensor, by its name."""
    codes: dict[str, list[Span]] = {}
    for finding in findings:
        code = Span(finding.code, finding.severity if finding.ignored is None else "dim")
        for name in finding.tensors:
            codes.setdefault(name, []).append(code)
    return codes
