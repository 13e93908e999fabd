"""The work of judging grows with the number of tensors and not with its square: reads of rows are counted."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

from frostline.core.ledger import Changed, Declared, Holding, Ledger, OptimizerRow, TensorRow
from frostline.core.run import Run
from frostline.laws import judge

FIELDS = {field.name for field in fields(TensorRow)}
PROGRAMS = ("generator", "discriminator")


class CountedRow(TensorRow):
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
        held = (
            []
            if frozen
            else [Holding(optimizer, 0, gradients={"nonzero": 3}) for optimizer in PROGRAMS[: 1 + index % 2]]
        )
        name, changed = f"{model}.layers.{index}.{part}.weight", Changed("no" if frozen else "yes")
        declared = Declared(trainable=not frozen, training=index % 5 != 0)
        rows.append(
            CountedRow(
                name, model, "parameter", (2,), "float32", 8, 2, declared=declared, optimizers=held, changed=changed
            )
        )
    optimizers = [
        OptimizerRow(name, "optimizer", "SGD", steps_executed=3, last_step=3, holds=count) for name in PROGRAMS
    ]
    return Ledger(rows, optimizers, run=Run(steps=3, complete=True))


def growth(judged: Callable[[Ledger], object]) -> float:
    """How many times more reads twice as many tensors take."""
    counts = []
    for count in (240, 480):
        made = ledger(count)
        CountedRow.reads = 0
        judged(made)
        counts.append(CountedRow.reads)
    return counts[1] / counts[0]


def test_twice_as_many_tensors_take_twice_as_many_reads() -> None:
    assert judge(ledger(240))  # there is something to be found
    assert growth(judge) < 2.2


def test_a_rule_that_looks_at_all_rows_for_each_row_is_noticed() -> None:
    def planted(ledger: Ledger) -> object:
        return [judge(ledger), [[row.model == each.model for row in ledger.tensors] for each in ledger.tensors]]

    assert growth(planted) > 2.2
