"""What is looked up in a ledger and in a record: an optimizer by its id, events by their kind."""

import pytest

from frostline.core.columns.part import Part
from frostline.core.events import StepCompiled, SummaryPrinted
from frostline.core.ledger import Ledger, OptimizerRow, TensorRow
from frostline.core.record import FindingOrigin, Record, Totals, Verdict
from frostline.core.run import Run

EVENTS = [
    StepCompiled(step=0, model="a"),
    SummaryPrinted(step=1, summary=0, model="a"),
    StepCompiled(step=2, model="b"),
]


def test_an_optimizer_is_found_by_its_id() -> None:
    ledger = Ledger(optimizers=[OptimizerRow(each, "optimizer", each) for each in ("sgd", "adam")])
    assert ledger.optimizer("adam").id == "adam"
    with pytest.raises(KeyError, match="lion"):
        ledger.optimizer("lion")


def test_events_of_one_kind_stand_as_they_were_seen() -> None:
    record = Record(2, "0", Run(), [], [], Totals(), [], Verdict(), events=list(EVENTS))
    for holder in (Ledger(events=list(EVENTS)), record):
        assert holder.events_of(StepCompiled) == [EVENTS[0], EVENTS[2]]


@pytest.mark.parametrize(("values", "held"), [(None, 16), (4, 16), (1, 4), (0, 0)])
def test_what_a_process_holds_of_a_tensor(values: int | None, held: int) -> None:
    part = Part("0:1", values) if values is not None else None
    assert TensorRow("m.w", "m", "parameter", (4,), "float32", 16, 4, part=part).bytes_here == held
    assert TensorRow("m.w", "m", "parameter", (0,), "float32", 0, 0, part=part).bytes_here == 0


@pytest.mark.parametrize(
    ("file", "until", "text"),
    [
        ("train.py", None, "train.py:3"),
        ("/somebody/train.py", None, "train.py:3"),
        ("train.py", ("", 0), "after train.py:3"),
        ("train.py", ("train.py", 3), "between two steps of train.py:3"),
        ("train.py", ("train.py", 4), "between train.py:3 and train.py:4"),
        ("train.py", ("/somebody/other.py", 3), "between train.py:3 and other.py:3"),
    ],
)
def test_where_a_finding_points_to_is_said_without_folders_of_the_machine(
    file: str, until: tuple[str, int] | None, text: str
) -> None:
    assert FindingOrigin("written", file, 3, until=until).text == text
