"""The verdict never contradicts the table: a column that disagrees with another has a finding or a printed excuse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from oracle.copies import Copies
from oracle.plans import plan
from tests.ledgers import stored

import frostline
from frostline.core.ledger import Ledger, TensorRow
from frostline.core.record import Excused, Finding, Record
from frostline.laws import judge


def disagreements(row: TensorRow, table: Ledger | Record, trained: set[str]) -> Iterator[str]:
    """Pairs of columns of a row that cannot both be as they were meant, read as a person reads the table."""
    flag, moved, is_weight = row.declared.trainable, row.changed.verdict, row.kind == "parameter" and row.size > 0
    held = [each.optimizer for each in row.optimizers if each.listed]
    stepped = any(each.steps_executed >= table.patience for each in table.optimizers if each.id in held)
    moves = row.changed.movements
    if row.expected == "frozen" and moved == "yes" and moves:
        yield "expected frozen, and changed"
    if row.expected == "trained" and moved == "no":
        yield "expected trained, and unchanged"
    if is_weight and flag is False and any(move.trainable is False for move in moves):
        yield "declared frozen, and changed"
    if is_weight and flag and not row.declared.flips and stepped and moved == "no":
        yield "declared trainable, held by an optimizer, and unchanged"
    if is_weight and flag and not row.optimizers and moved == "no" and row.model in trained:
        yield "declared trainable in a model that is trained, and held by no optimizer"
    if is_weight and any(move.place == "step" for move in moves) and _saved(row) in ("missing", "zero", "overflow"):
        yield f"trained by a step, and saved: {_saved(row)}"


def _saved(row: TensorRow) -> str:
    return row.saved.state if row.saved is not None else ""


def contradictions(
    table: Ledger | Record, findings: Sequence[Finding], excused: Sequence[Excused]
) -> list[tuple[str, str]]:
    """The tensors of which columns disagree, and nothing is said; files that a finding names are spoken of."""
    named = {name for each in findings for name in each.tensors} | {each.tensor for each in excused}
    files = {each.evidence.get("file") for each in findings}
    trained = {row.model for row in table.tensors if row.optimizers}
    return [
        (row.name, what)
        for row in table.tensors
        if row.name not in named and not row.gone
        for what in disagreements(row, table, trained)
        if not ("saved" in what and row.saved is not None and any(copy.file in files for copy in row.saved.copies))
    ]


@pytest.mark.parametrize("shelf", stored.SHELVES)
def test_where_columns_disagree_something_is_said(shelf: str) -> None:
    silent = {
        seen.program: left
        for seen in stored.load(shelf)
        for ledger in seen.ledgers
        if (left := contradictions(ledger, *judge(ledger)))
    }
    assert silent == {}


def test_a_verdict_that_leaves_out_a_finding_is_noticed() -> None:
    """Without its findings nearly every bug's table contradicts the verdict."""
    bugs = [
        seen for seen in stored.load("torch") if seen.program.startswith("bugs/") and not seen.program.endswith("fixed")
    ]
    silent = [seen for seen in bugs if not any(contradictions(ledger, [], judge(ledger)[1]) for ledger in seen.ledgers)]
    assert len(silent) < len(bugs) / 2


@pytest.mark.needs("torch")
def test_where_columns_of_random_trainings_disagree_something_is_said() -> None:
    """So it is of trainings that nobody wrote; without findings the tables of those that go wrong contradict."""
    from oracle import trainings

    silent, noticed = {}, 0
    for seed in range(20, 44):
        with frostline.watch() as seen:
            trainings.run(plan(seed), Copies())
        record = seen.report.record
        if left := contradictions(record, record.findings, record.excused):
            silent[seed] = left
        noticed += bool(contradictions(record, [], record.excused))
    assert silent == {}
    assert noticed > 6
