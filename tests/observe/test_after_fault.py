"""What is taken back after an error inside: what stands on having seen nothing."""

from __future__ import annotations

from tests.observe.memory import Tensor, Training, buffer

from frostline.core.facts import Doubted
from frostline.observe.after_fault import doubt


def run(*, checked: bool = True) -> tuple[Training, dict[str, Tensor]]:
    """A weight that moved, and three tensors that did not: one of them no optimizer holds, one is a buffer."""
    tensors = {name: Tensor(f"m.{name}", range(1, 5)) for name in ("moved", "still", "free")}
    tensors["count"] = buffer("m.count", [1.0])
    training = Training(*tensors.values())
    training.optimizer(tensors["moved"], tensors["still"])
    training.optimizer(tensors["moved"], name="blind")
    with training.inside():
        tensors["moved"].values += 1
    training.observer.close()
    if not checked:
        training.observer.optimizers["blind"].steps_executed = 1
    return training, tensors


def doubts(training: Training, *, unclosed: bool) -> dict[str, dict[str, str]]:
    doubt(training.observer, "an error", unclosed)
    rows = (watched.row for watched in training.observer.tensors.values())
    return {
        row.name: {column: row.unknown[column] for column in ("changed", "optimizer") if column in row.unknown}
        for row in rows
    }


def test_where_the_last_check_failed_nothing_is_known_of_what_seemed_to_stay() -> None:
    training, _ = run()
    assert doubts(training, unclosed=True) == {
        "m.moved": {},
        "m.still": {"changed": "an error"},
        "m.free": {"changed": "an error"},
        "m.count": {"changed": "an error"},
    }


def test_what_was_compared_at_the_end_stays_known_unless_it_has_other_bits_than_at_first() -> None:
    training, tensors = run()
    assert set(map(str, doubts(training, unclosed=False).values())) == {"{}"}
    watched = training.watched(tensors["still"])
    watched.digest = None
    assert doubts(training, unclosed=False)["m.still"] == {"changed": "an error"}
    tensors["still"].row.changed.verdict = "yes"  # seen to move after all
    assert doubts(training, unclosed=False)["m.still"] == {}


def test_who_holds_a_parameter_is_unknown_where_an_optimizer_was_never_looked_at() -> None:
    training, _ = run(checked=False)
    found = doubts(training, unclosed=False)
    assert found == {"m.moved": {}, "m.still": {}, "m.free": {"optimizer": "an error"}, "m.count": {}}
    training.observer.optimizers["blind"].checks.append(1)
    assert doubts(training, unclosed=False)["m.free"] == {}


def test_a_doubt_is_told_once() -> None:
    training, _ = run()
    for _ in range(2):
        doubts(training, unclosed=True)
    facts = [fact for fact in training.observer.journal.facts() if isinstance(fact, Doubted)]
    assert len(facts) == len(set(map(repr, facts))) == 3
