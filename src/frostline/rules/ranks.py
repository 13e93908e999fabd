"""R: what the processes of one run disagree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from frostline.core.ledger import TensorRow
from frostline.core.record import Finding, Record, Severity
from frostline.rules.rule import Rule, several

DIVERGED = Rule(
    "R701",
    "ranks-diverge",
    "error",
    means="A tensor began with the same bits in every process and ended with different ones.",
    matters="The copies of a model are no longer copies: what is saved depends on which process saves it.",
    remedy="let every gradient be reduced (wrap the whole model, no unsynchronised step), and load in every process",
    tells_apart="The first checks agree and the last ones do not; nobody holds the tensor in shards.",
)
HELD_APART = Rule(
    "R702",
    "ranks-hold-different-tensors",
    "error",
    means="The processes differ in which leaves there are, which are trainable, or which an optimizer holds.",
    matters="One process trains what another keeps frozen, or waits for a gradient that never comes.",
    remedy="set flags and make optimizers alike in every process, not by rank, data or random numbers",
    tells_apart="Flags, wires or numbers of steps differ; where bits differ too, this is why.",
)

RULES = (DIVERGED, HELD_APART)

Answers = dict[str, list[int]]


def find(records: Sequence[Record]) -> list[Finding]:
    """Compare the records of several processes, tensor by tensor.

    Args:
        records: one of each process, in the order of their ranks.
    """
    rows = [{row.name: row for row in record.tensors} for record in records]
    names = list(dict.fromkeys(name for each in rows for name in each))
    common = [name for name in names if all(name in each for each in rows)]
    found = [*_missing(records, rows, names), *_steps(records)]
    apart = _by_answer(records, rows, common, _wiring)
    found += [_held_apart(tensor_rows, answers, records) for tensor_rows, answers in apart]
    explained = {row for finding in found for row in finding.tensors}
    return found + _diverged(records, rows, [name for name in common if name not in explained])


def _rank(record: Record, index: int) -> int:
    return index if record.run.rank is None else record.run.rank


def _missing(records: Sequence[Record], rows: Sequence[dict[str, TensorRow]], names: list[str]) -> list[Finding]:
    """Tensors that some processes do not have; processes that share none hold the parts of one model."""
    if not any(all(name in each for each in rows) for name in names):
        return []
    groups: dict[tuple[int, ...], list[str]] = {}
    for name in names:
        without = tuple(_rank(records[index], index) for index, each in enumerate(rows) if name not in each)
        if without:
            groups.setdefault(without, []).append(name)
    return [
        HELD_APART.found(
            tensor_rows,
            f"{several(len(tensor_rows), 'tensor')} are not there in {_ranks(list(without))}",
            {"missing_in": list(map(str, without))},
            severity="warning",
        )
        for without, tensor_rows in groups.items()
    ]


def _steps(records: Sequence[Record]) -> list[Finding]:
    """Optimizers of one name that made other numbers of steps."""
    found = []
    for optimizer in dict.fromkeys(each.id for record in records for each in record.optimizers):
        counts: Answers = {}
        for index, record in enumerate(records):
            steps = sum(each.steps_executed for each in record.optimizers if each.id == optimizer)
            counts.setdefault(several(steps, "step"), []).append(_rank(record, index))
        if len(counts) > 1 and all(record.run.complete for record in records):
            fact = f"{optimizer} executed {_told(counts)}"
            found.append(HELD_APART.found([], fact, {"optimizer": optimizer}, severity="warning"))
    return found


def _wiring(row: TensorRow) -> str:
    flag = {True: "trainable", False: "frozen", None: ""}[row.declared.trainable]
    optimizers = sorted({holding.optimizer for holding in row.optimizers if holding.listed})
    return f"{flag}, held by {' and '.join(optimizers) or 'nothing'}"


def _held_apart(rows: list[TensorRow], answers: Answers, records: Sequence[Record]) -> Finding:
    moved = {_verdict(record, row.name) for record in records for row in rows}
    severity: Severity = "error" if len(moved) > 1 else "warning"
    return HELD_APART.found(
        rows,
        f"{several(len(rows), 'tensor')} are {_told(answers)}",
        {"changed": sorted(moved), "by_rank": [f"{_ranks(ranks)}: {said}" for said, ranks in answers.items()]},
        severity=severity,
    )


def _verdict(record: Record, name: str) -> str:
    return next(row.changed.verdict for row in record.tensors if row.name == name)


def _diverged(records: Sequence[Record], rows: Sequence[dict[str, TensorRow]], names: list[str]) -> list[Finding]:
    whole = [
        name
        for name in names
        if not any(each[name].sharded or each[name].shared or each[name].changed.digests is None for each in rows)
    ]
    groups: dict[tuple[Severity, bool], list[str]] = {}
    for name in whole:
        first = {digests[0] for each in rows if (digests := each[name].changed.digests)}
        last = {digests[1] for each in rows if (digests := each[name].changed.digests)}
        if len(last) > 1 and rows[0][name].owner.role != "random-state":
            groups.setdefault((_severity(rows[0][name], len(first) == 1), len(first) == 1), []).append(name)
    return [
        _finding(severity, began_equal, tensor_rows, records, rows)
        for (severity, began_equal), tensor_rows in groups.items()
    ]


def _severity(row: TensorRow, began_equal: bool) -> Severity:
    """Statistics of a process's own data differ in healthy runs; weights that never agreed may be meant to differ."""
    if row.kind == "buffer":
        return "note"
    return "error" if began_equal else "warning"


def _finding(
    severity: Severity,
    began_equal: bool,
    names: list[str],
    records: Sequence[Record],
    rows: Sequence[dict[str, TensorRow]],
) -> Finding:
    answers: Answers = {}
    for index, each in enumerate(rows):
        digests = each[names[0]].changed.digests
        answers.setdefault(digests[1][:8] if digests else "", []).append(_rank(records[index], index))
    how = "began with the same bits in all processes and ended apart" if began_equal else "never had the same bits"
    return DIVERGED.found(
        [rows[0][name] for name in names],
        f"{several(len(names), 'tensor')} {how}",
        {
            "tensor": names[0],
            "digests": [f"{_ranks(ranks)}: {digest}…" for digest, ranks in answers.items()],
            "first_looks": "equal" if began_equal else "different",
        },
        severity=severity,
    )


def _by_answer(
    records: Sequence[Record], rows: Sequence[dict[str, TensorRow]], names: list[str], ask: Callable[[TensorRow], str]
) -> list[tuple[list[TensorRow], Answers]]:
    """The tensors of which processes say different things, those with the same answers together."""
    groups: dict[tuple[str, ...], list[TensorRow]] = {}
    for name in names:
        said = tuple(ask(each[name]) for each in rows)
        if len(set(said)) > 1:
            groups.setdefault(said, []).append(rows[0][name])
    found = []
    for said, tensor_rows in groups.items():
        answers: Answers = {}
        for index, answer in enumerate(said):
            answers.setdefault(answer, []).append(_rank(records[index], index))
        found.append((tensor_rows, answers))
    return found


def _ranks(ranks: list[int]) -> str:
    return f"rank{'s' if len(ranks) > 1 else ''} {', '.join(map(str, ranks))}"


def _told(answers: Answers) -> str:
    return "; ".join(f"{said} in {_ranks(ranks)}" for said, ranks in answers.items())
