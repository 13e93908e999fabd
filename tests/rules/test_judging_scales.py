"""The work of judging grows with the number of tensors and not with its square: reads of rows are counted."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

from frostline.core.ledger import Changed, Declared, LeafRow, Ledger, Program, Run, Wire
from frostline.rules import find

FIELDS = {field.name for field in fields(LeafRow)}
PROGRAMS = ("generator", "discriminator")


class CountedRow(LeafRow):
    """A row that counts how often anybody reads one of its fields, comparisons with other rows included."""

    reads: ClassVar[int] = 0

    def __getattribute__(self, name: str) -> Any:
        if name in FIELDS:
            CountedRow.reads += 1
        return super().__getattribute__(name)


def ledger(count: int) -> Ledger:
    """Two networks, a third of each frozen; some layers are called targets, and the second is trained by both."""
    rows = []
    for index in range(count):
        model = f"net{index % 2}"
        part = "target_proj" if index % 5 == 0 else "proj"
        frozen = index % 3 == 0
        wired = [] if frozen else [Wire(program, 0, gradients={"nonzero": 3}) for program in PROGRAMS[: 1 + index % 2]]
        name, changed = f"{model}.layers.{index}.{part}.weight", Changed("no" if frozen else "yes")
        declared = Declared(trainable=not frozen, training=index % 5 != 0)
        rows.append(
            CountedRow(name, model, "parameter", (2,), "float32", 8, 2, declared=declared, wired=wired, changed=changed)
        )
    programs = [Program(name, "optimizer", "SGD", steps_executed=3, last_step=3, holds=count) for name in PROGRAMS]
    return Ledger(rows, programs, run=Run(steps=3, complete=True))


def growth(judge: Callable[[Ledger], object]) -> float:
    """How many times more reads twice as many tensors take."""
    counts = []
    for count in (240, 480):
        made = ledger(count)
        CountedRow.reads = 0
        judge(made)
        counts.append(CountedRow.reads)
    return counts[1] / counts[0]


def test_twice_as_many_tensors_take_twice_as_many_reads() -> None:
    assert find(ledger(240))  # there is something to be found
    assert growth(find) < 2.2


def test_a_rule_that_looks_at_all_rows_for_each_row_is_noticed() -> None:
    def planted(ledger: Ledger) -> object:
        return [find(ledger), [[row.model == each.model for row in ledger.leaves] for each in ledger.leaves]]

    assert growth(planted) > 2.2
