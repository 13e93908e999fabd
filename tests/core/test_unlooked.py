"""What nobody looked for is None in a row, and never False; what is established with the row itself may be False."""

from __future__ import annotations

import dataclasses

import pytest

from frostline.core import ledger
from frostline.core.columns.saved import Copy

# Whoever makes the row, the move or the copy knows these at that moment, in every framework.
ESTABLISHED = {
    ("OptimizerRow", "by_hand"),
    ("OptimizerRow", "stateless"),
    ("Holding", "gradient_inferred"),
    ("Holding", "gradient_inferred_from_neighbours"),
    ("Holding", "unassigned"),
    ("Changed", "before_training"),
    ("Movement", "late"),
    ("Copy", "put_back"),
    ("Copy", "rest_zero"),
}
ROWS = (ledger.TensorRow, ledger.Declared, ledger.Holding, ledger.Changed, ledger.Owner, ledger.OptimizerRow)


def assumed(*kinds: type) -> set[tuple[str, str]]:
    """The fields that read False where nothing was told."""
    return {
        (kind.__name__, field.name) for kind in kinds for field in dataclasses.fields(kind) if field.default is False
    }


def test_no_fact_is_false_before_anybody_looked() -> None:
    assert assumed(*ROWS, ledger.Movement, Copy) == ESTABLISHED


def test_a_fact_that_is_assumed_is_found() -> None:
    planted = dataclasses.make_dataclass("TensorRow", [("pruned", bool, False)])
    assert assumed(planted) == {("TensorRow", "pruned")}


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_a_gradient_that_was_cleared_one_that_never_came_and_one_nobody_watched(torch) -> None:
    import frostline

    cleared, apart, trained = (torch.nn.Linear(2, 1, bias=False) for _ in range(3))
    model = torch.nn.ModuleList([cleared, apart, trained])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with frostline.watch(model, optimizer) as seen:
        for _ in range(4):
            optimizer.zero_grad()
            (cleared(torch.ones(1, 2)) + trained(torch.ones(1, 2))).sum().backward()
            cleared.weight.grad = None
            optimizer.step()
    rows = {row.name: row for row in seen.report.record.tensors}
    assert [rows[f"model.{index}.weight"].cleared for index in range(3)] == [True, False, None]
    assert {row.gone for row in rows.values()} == {row.shared for row in rows.values()} == {False}
