"""The two tables of a report: numbers side by side, and the ledger folded by module."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from frostline.core.agreement import who_was_right
from frostline.core.events import SummaryPrinted
from frostline.core.ledger import LeafRow
from frostline.core.record import Record
from frostline.core.verdict import totals
from frostline.report.folding import Fold, folded
from frostline.report.form import ROLES, Column, Line, Prose, Role, Row, Section, Span, Table, line, shortened

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
    "missing": "no",
}
_NOTHING = Span("–", "dim")


def numbers_section(record: Record, models: Sequence[str]) -> Section:
    """Counts of numbers per model: as printed by the framework, declared, wired and changed, one under the other."""
    title = Span("Numbers: printed, declared, wired, changed", "title")
    if not record.leaves and not record.events_of(SummaryPrinted):
        return Section(title, (Prose(line(Span("no model was found: there is nothing to count", "unknown"))),))
    summaries: dict[str, list[SummaryPrinted]] = {}
    for event in record.events_of(SummaryPrinted):
        summaries.setdefault(event.model, []).append(event)
    subjects = [*models, *(subject for subject in summaries if subject not in models)]
    rows: list[Row] = []
    answers: list[Prose] = []
    for subject in subjects[:_GROUPS]:
        leaves, printed = _of(subject, record.leaves), summaries.get(subject, [])
        rows.extend(_subject(subject, leaves, printed))
        answer = who_was_right(leaves, printed[-1].trainable if printed else None)
        if answer is not None and record.run.steps:
            answers.append(Prose(line(Span(shortened(subject, _NAME), "name"), f": {answer}")))
    if len(models) > 1:
        rows.extend(_subject("all models together", record.leaves, []))
    columns = (
        Column(""),
        Column("total", right=True),
        Column("trained", right=True),
        Column("not trained", right=True),
        Column("unknown", right=True),
    )
    return Section(title, (Table(columns, tuple(rows)), *answers))


def _of(subject: str, leaves: Iterable[LeafRow]) -> list[LeafRow]:
    """The leaves of a model, also of one that is known only by the other names of another's leaves."""
    prefix = f"{subject}."
    return [leaf for leaf in leaves if leaf.model == subject or any(alias.startswith(prefix) for alias in leaf.aliases)]


def _subject(subject: str, leaves: Sequence[LeafRow], summaries: Iterable[SummaryPrinted]) -> list[Row]:
    rows = [Row((line(Span(shortened(subject, _NAME) or "outside any model", "name")),))]
    seen: list[Row] = []
    for event in summaries:
        seen.extend(row for row in _printed(event) if row not in seen)
    rows.extend(seen)
    if not leaves:
        rows.append(Row((line(Span("no leaf of this model was seen in the run", "unknown")),), depth=1))
        return rows
    parameters = [leaf for leaf in leaves if leaf.kind == "parameter"]
    buffers = [leaf for leaf in leaves if leaf.kind == "buffer"]
    count = totals(parameters)
    total = count.parameters
    undeclared = total - count.declared_trainable - count.declared_frozen
    unwired = sum(leaf.numbers for leaf in parameters if "wired" in leaf.unknown and not leaf.wired)
    rows.append(_numbers("declared by the flags", total, count.declared_trainable, count.declared_frozen, undeclared))
    rows.append(_numbers("wired to a step", total, count.wired, total - count.wired - unwired, unwired))
    rows.append(_numbers("changed in their bits", total, count.changed, count.unchanged, count.unknown, "changed"))
    if buffers:
        moved, still = (sum(b.numbers for b in buffers if b.changed.verdict == answer) for answer in ("yes", "no"))
        whole = sum(leaf.numbers for leaf in buffers)
        rows.append(_numbers("buffers, changed in their bits", whole, moved, still, whole - moved - still, "changed"))
    return rows


def _printed(event: SummaryPrinted) -> Iterable[Row]:
    yield _numbers(f"summary printed at step {event.step:,}", event.total, event.trainable, event.non_trainable, 0)
    if event.optimizer:
        yield _numbers("  of which the optimizer's own", event.optimizer, None, None, 0)


def _numbers(label: str, total: int | None, yes: int | None, no: int | None, unknown: int, role: Role = "plain") -> Row:
    cells = [line(label)]
    roles: tuple[Role, Role, Role] = ("plain", role, "plain")
    for number, own in zip((total, yes, no), roles, strict=True):
        cells.append(line(Span(f"{number:,}", own)) if number is not None else ())
    cells.append(line(Span(f"{unknown:,}", "unknown")) if unknown else ())
    return Row(tuple(cells), depth=1)


Cell = Callable[[Sequence[LeafRow]], Line]


def ledger_section(record: Record, model: str, codes: Mapping[str, Sequence[Span]]) -> Section:
    """The ledger of one model as a tree of modules, parameters and buffers apart."""
    leaves = [leaf for leaf in record.leaves if leaf.model == model]
    columns: list[tuple[Column, Cell]] = [
        (Column("numbers", right=True), lambda rows: line(f"{_sum(rows):,}")),
        (Column("declared"), _declared),
        (Column("wired"), _wired),
        (Column("changed", right=True), _changed),
    ]
    if any(leaf.meant for leaf in leaves):
        columns.append((Column("meant"), _meant))
    if any(leaf.saved for leaf in leaves):
        columns.append((Column("saved"), _saved))
    if any(leaf.name in codes for leaf in leaves):
        columns.append((Column("see"), lambda rows: _found(rows, codes)))

    def mark(leaf: LeafRow) -> Hashable:
        return tuple(cell([leaf]) for _, cell in columns[1:])

    name = model or "outside any model"
    folds: list[Fold] = []
    for kind, root in (("parameter", name), ("buffer", f"buffers of {name}")):
        of_kind = [leaf for leaf in leaves if leaf.kind == kind]
        if of_kind:
            folds.extend(folded(model, of_kind, mark, root))
    rows = tuple(_row(fold, columns) for fold in folds)
    table = Table((Column("module"), *(column for column, _ in columns)), rows, tree=True)
    return Section(Span(f"Ledger of {shortened(name, 60)}", "title"), (table, *_legend(rows)))


def cells(leaves: Sequence[LeafRow]) -> dict[str, Line]:
    """What each column says of some leaves together."""
    columns = {"declared": _declared, "wired": _wired, "changed": _changed, "meant": _meant, "saved": _saved}
    return {name: cell(leaves) for name, cell in columns.items()}


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
    return Row((label, *(cell(fold.leaves) for _, cell in columns)), fold.depth)


def _declared(leaves: Sequence[LeafRow]) -> Line:
    if leaves[0].kind == "buffer":
        return line(_NOTHING)
    answers = {_flag(leaf) for leaf in leaves}
    flipped = "~" if any(leaf.declared.flips or leaf.declared.flip_count for leaf in leaves) else ""
    return line(_agreed(answers), flipped)


def _flag(leaf: LeafRow) -> Role:
    if leaf.declared.trainable is None:
        return "unknown"
    return "trainable" if leaf.declared.trainable else "frozen"


def _agreed(answers: set[Role]) -> Span:
    role: Role = answers.pop() if len(answers) == 1 else "mixed"
    return Span(role, role)


def _wired(leaves: Sequence[LeafRow]) -> Line:
    programs = [frozenset(wire.program for wire in leaf.wired if wire.listed) for leaf in leaves]
    named = list(dict.fromkeys(wire.program for leaf in leaves for wire in leaf.wired if wire.listed))
    if not named:
        unknown = any("wired" in leaf.unknown for leaf in leaves)
        return line(Span("unknown", "unknown") if unknown else _NOTHING)
    return line(", ".join(named) if len(set(programs)) == 1 else Span("mixed", "mixed"))


def _changed(leaves: Sequence[LeafRow]) -> Line:
    """The numbers that moved: ``all``, ``none``, or how many of those in the row."""
    answers = {leaf.changed.verdict for leaf in leaves}
    if answers == {"unknown"}:
        return line(Span("unknown", "unknown"))
    if "yes" not in answers:
        text = Span("none", "still")
    else:
        moved = _sum(leaf for leaf in leaves if leaf.changed.verdict == "yes")
        text = Span("all" if answers == {"yes"} else f"{moved:,}", "changed")
    return line(text, Span(" +?", "unknown") if "unknown" in answers else "")


def _meant(leaves: Sequence[LeafRow]) -> Line:
    answers = {leaf.meant or "" for leaf in leaves}
    meant = answers.pop() if len(answers) == 1 else "mixed"
    roles: dict[str, Role] = {"frozen": "frozen", "trained": "trainable", "mixed": "mixed"}
    return line(Span(meant, roles.get(meant, "plain")) if meant else _NOTHING)


def _saved(leaves: Sequence[LeafRow]) -> Line:
    answers = {_copy(leaf) for leaf in leaves}
    return line(answers.pop() if len(answers) == 1 else Span("mixed", "mixed"))


def _copy(leaf: LeafRow) -> Span:
    """The best copy of the leaf in a word."""
    if leaf.saved is None:
        return Span("unknown", "unknown") if "saved" in leaf.unknown else _NOTHING
    if leaf.saved.state == "rounded":
        return Span(f"as {leaf.saved.copies[0].dtype}")
    return Span(_COPIES[leaf.saved.state], "error" if leaf.saved.state in ("first", "overflow", "zero") else "plain")


def _found(leaves: Sequence[LeafRow], codes: Mapping[str, Sequence[Span]]) -> Line:
    """The codes of the findings that point into the row, the gravest first."""
    distinct = {code for leaf in leaves for code in codes.get(leaf.name, ())}
    found = sorted(distinct, key=lambda code: (ROLES.index(code.role), code.text))
    more = Span(f" +{len(found) - 2}", "dim") if len(found) > 2 else ""
    return line(*found[:1], *(part for code in found[1:2] for part in (" ", code)), more)


def _sum(leaves: Iterable[LeafRow]) -> int:
    return sum(leaf.numbers for leaf in leaves)
