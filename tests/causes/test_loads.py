"""S605 is judged from which tensor of a file each tensor holds: exchanged ones are an error, a student's are not."""

from __future__ import annotations

import pytest

from frostline.core.events.files import LoadMatched
from frostline.core.ledger import Ledger
from frostline.core.record import Finding
from frostline.laws.causes import loads
from frostline.laws.causes.cause import findings
from frostline.laws.observed_run import ObservedRun


def matched(file: str = "published.pt", step: int = 0, **held: str) -> LoadMatched:
    """Tensors of a file by their names, with the names of what they hold."""
    names = tuple(f"model.{name}" for name in held)
    return LoadMatched(step=step, file=file, tensors=names, own=tuple(held), held=tuple(held.values()))


def found_in(*events: LoadMatched) -> list[Finding]:
    return findings(loads.CAUSES, ObservedRun(Ledger(events=[*events])))


def test_tensors_that_changed_places_are_an_error() -> None:
    (found,) = found_in(matched(a="b", b="a", c="d"))
    assert (found.code, found.tensors) == ("S605", ["model.a", "model.b"])
    assert "model.a holds the file's b, though the file has a" in found.message


@pytest.mark.parametrize("held", [{"a": "b", "b": "d", "c": "e"}, {"a": "b"}])
def test_a_student_with_every_second_layer_of_its_teacher_is_none(held: dict[str, str]) -> None:
    assert not found_in(matched(**held))


def test_a_file_that_is_read_twice_is_said_once_and_another_too() -> None:
    events = [matched(a="b", b="a"), matched(step=3, a="c", b="a", c="b"), matched("other.pt", a="b", b="a")]
    found = found_in(*events)
    assert [each.evidence["file"] for each in found] == ["published.pt", "other.pt"]
    assert [each.evidence["before_step"] for each in found] == [1, 1]
