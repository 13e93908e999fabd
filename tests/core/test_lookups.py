"""What is looked up in a ledger and in a record: an optimizer by its id, events by their kind."""

import pytest

from frostline.core.events import StepCompiled, SummaryPrinted
from frostline.core.ledger import Ledger, OptimizerRow
from frostline.core.record import Record, Totals, Verdict
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
