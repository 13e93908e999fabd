"""The journal: facts take effect as they are told, and steps are told when somebody asks."""

from frostline.core import facts as told
from frostline.core.journal import Journal

FOUND = [told.OptimizerFound(optimizer=each, kind="optimizer", name=each) for each in ("sgd", "adam")]


def test_everything_that_facts_number_is_counted_from_nought() -> None:
    journal = Journal()
    counts = (journal.tensors, journal.moves, journal.comparisons, journal.summaries)
    assert [(next(each), next(each)) for each in counts] == [(0, 1)] * 4


def test_steps_are_told_once_by_name_when_they_are_asked_for() -> None:
    journal = Journal()
    for fact in FOUND:
        journal.tell(fact)
    for at, optimizer in enumerate(("sgd", "adam", "sgd"), 1):
        journal.step(optimizer, at)
    counted = [
        told.OptimizerSeen(optimizer="adam", steps_executed=1, last_step=2),
        told.OptimizerSeen(optimizer="sgd", steps_executed=2, last_step=3),
    ]
    assert journal.facts() == [*FOUND, *counted]
    assert journal.facts() == [*FOUND, *counted]
    journal.step("adam", 4)
    assert journal.facts() == [*FOUND, *counted, told.OptimizerSeen(optimizer="adam", steps_executed=2, last_step=4)]


def test_nothing_is_told_of_an_optimizer_that_was_dropped_or_never_stepped() -> None:
    journal = Journal()
    for fact in FOUND:
        journal.tell(fact)
    journal.step("sgd", 1)
    dropped = told.OptimizerDropped(optimizer="sgd")
    journal.tell(dropped)
    assert journal.facts() == [*FOUND, dropped]


def test_facts_are_never_written_to() -> None:
    kinds = [kind for kind in vars(told).values() if isinstance(kind, type) and issubclass(kind, told.Fact)]
    assert len(kinds) > 50
    assert [kind.__name__ for kind in kinds if not kind.__struct_config__.frozen] == []


def test_what_is_told_of_each_tensor_stands_together_and_behind_what_it_is_about() -> None:
    journal = Journal()
    shape = {"shape": (2,), "dtype": "float32", "bytes": 8, "size": 2}
    found = [
        told.TensorFound(tensor=at, framework="torch", name=f"w{at}", model="net", kind="parameter", **shape)
        for at in range(2)
    ]
    flags = [told.FlagDeclared(tensor=at, flag=True) for at in range(2)]
    bits = [told.BaselineTaken(tensor=at, blocks=1) for at in range(2)]
    off = told.FlagDeclared(tensor=0, flag=False, again=True)
    lost = told.Unread(tensor=1, reason="gone")
    for fact in (found[0], flags[0], bits[0], found[1], flags[1], off, bits[1], lost, flags[0]):
        journal.tell(fact)
    assert journal.facts() == [*found, *flags, off, *bits, lost, flags[0]]
