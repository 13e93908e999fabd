"""What nobody looked for is None in a row, and never False; what is established with the row itself may be False."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledgers import stored

import frostline.frameworks
from frostline.core import ledger
from frostline.core.columns.saved import Copy
from frostline.core.columns.unlooked import FACTS, NOT_LOOKED_FOR, why_unknown
from frostline.core.ledger import Changed, Declared, TensorRow
from frostline.report.tables import reasons_of

NO_FLAG = "it has no flag, and no step that was seen updates it or takes its gradient"
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


# Facts are told by instruments of the framework; gradients are looked at by the observer, for all of them.
FOLDERS = {
    "torch": ["torch"],
    "keras": ["keras_common", "keras"],
    "tf_keras": ["keras_common", "tf_keras"],
    "jax": ["jax"],
}
OF_ALL = {"reached_by_backward"}
SHELVES = {"torch": "torch", "tf_keras": "tf_keras", "jax": "jax"}  # of the others: Keras


def told(framework: str, root: Path = Path(frostline.frameworks.__file__).parent) -> set[str]:
    """The facts of which the source of a framework tells something, as an argument or as an entry."""
    files = [file for folder in FOLDERS[framework] for file in (root / folder).rglob("*.py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text("utf-8")))]
    words = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    words |= {
        key.value for node in nodes if isinstance(node, ast.Dict) for key in node.keys if isinstance(key, ast.Constant)
    }
    return (words & FACTS.keys()) | OF_ALL


def test_every_fact_that_may_be_unknown_has_a_reason() -> None:
    optional = {
        field.name
        for kind in (ledger.TensorRow, ledger.Owner)
        for field in dataclasses.fields(kind)
        if field.type == "bool | None"
    }
    assert optional == FACTS.keys()
    assert all(each.keys() <= FACTS.keys() for each in NOT_LOOKED_FOR.values())


@pytest.mark.parametrize("framework", FOLDERS)
def test_what_a_framework_does_not_look_for_is_listed_and_nothing_else(framework: str) -> None:
    assert FACTS.keys() - NOT_LOOKED_FOR[framework].keys() == told(framework)


def test_an_instrument_that_begins_to_look_is_seen(tmp_path: Path) -> None:
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "planted.py").write_text("tell(TensorSeen(tensor=1, zeros=False))", "utf-8")
    assert told("jax", tmp_path) == {"zeros", *OF_ALL}


def unreasoned(framework: str, rows: Iterable[ledger.TensorRow]) -> Iterator[str]:
    """Facts that are known though nobody looks, and columns that are unknown without a reason."""
    for row in rows:
        if row.changed.verdict == "unknown" and not row.unknown.get("changed"):
            yield f"{row.name}: changed is unknown without a reason"
        if row.kind == "parameter" and row.declared.trainable is None and framework != "jax":
            yield f"{row.name}: declared is unknown, and {framework} has flags"
        for fact in FACTS:
            known = getattr(row.owner if hasattr(row.owner, fact) else row, fact) is not None
            if known and fact in NOT_LOOKED_FOR[framework]:
                yield f"{row.name}: {fact} is known, and {why_unknown(fact, framework)}"


@pytest.mark.parametrize("shelf", stored.SHELVES)
def test_no_stored_run_knows_what_nobody_looked_for(shelf: str) -> None:
    framework = SHELVES.get(shelf, "keras")
    wrong = [
        (seen.program, each)
        for seen in stored.load(shelf)
        for each in unreasoned(framework, (row for run in seen.ledgers for row in run.tensors))
    ]
    assert wrong == []


def test_a_fact_without_a_look_and_an_unknown_without_a_reason_are_found() -> None:
    row = ledger.TensorRow("net.w", "net", "parameter", (1,), "float32", 4, 1, cleared=False)
    assert reasons_of(row).keys() == {"changed", "declared"}
    assert "net.w: declared is unknown, and keras has flags" in [*unreasoned("keras", [row])]
    row.declared = ledger.Declared(True)
    assert [*unreasoned("torch", [row])] == ["net.w: changed is unknown without a reason"]
    row.changed = ledger.Changed("unknown", reason="freed")
    row.unknown["changed"] = "freed"
    assert [*unreasoned("torch", [row])] == []
    assert reasons_of(row) == {"changed": "freed"}
    assert [*unreasoned("jax", [row])] == [f"net.w: cleared is known, and {why_unknown('cleared', 'jax')}"]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize(
    ("kind", "verdict", "reason", "flag", "told", "said"),
    [
        ("parameter", "no", None, True, {}, {}),
        ("parameter", "unknown", "freed", True, {}, {"changed": "freed"}),
        ("parameter", "unknown", None, True, {}, {"changed": "its bits were not compared before the run ended"}),
        ("parameter", "unknown", "freed", True, {"changed": "an error"}, {"changed": "an error"}),
        ("parameter", "no", None, None, {}, {"declared": NO_FLAG}),
        ("parameter", "no", None, None, {"declared": "an error"}, {"declared": "an error"}),
        ("buffer", "no", None, None, {"saved": "merged"}, {"saved": "merged"}),
    ],
)
def test_why_a_column_could_not_be_established(
    kind: Any, verdict: Any, reason: str | None, flag: bool | None, told: dict[str, str], said: dict[str, str]
) -> None:
    row = TensorRow("net.w", "net", kind, (4,), "float32", 16, 4, unknown=told)
    row.changed, row.declared = Changed(verdict, reason=reason), Declared(trainable=flag)
    assert reasons_of(row) == said


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
