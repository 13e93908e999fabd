"""Which weights follow others, and which of those are trained all the same."""

from dataclasses import replace
from typing import Any

import pytest

from frostline.core.averages import copies_alone_written, followers, follows, merely_follows
from frostline.core.ledger import Gradient, Movement, Place, TensorRow


def tensor_row(name: str, *places: Place, kind: str = "parameter", follows: str | None = None) -> TensorRow:
    row = TensorRow(name, name.partition(".")[0], "parameter", (3,), "float32", 12, 3)
    row.kind = "buffer" if kind != "parameter" else "parameter"
    row.owner.role = "normalisation" if kind == "statistics" else "other"
    row.owner.path = name.partition(".")[2].rpartition(".")[0]
    row.changed.followed = follows
    row.changed.movements = [Movement(place, 1, 2) for place in places]
    return row


FOLLOWER = tensor_row("m.target.weight", "outside", follows="m.online.weight")


def test_a_whole_is_what_has_the_names_of_its_source_inside() -> None:
    alone = tensor_row("average.weight", follows="m.weight")
    assert followers([FOLLOWER, tensor_row("m.online.weight", "step"), alone]) == {"m.target.", "average."}


@pytest.mark.parametrize(
    ("places", "kind", "copied"),
    [
        ((), "parameter", True),
        (("outside", "between", "forward"), "parameter", True),
        (("step",), "parameter", False),
        (("outside", "step"), "parameter", False),
        (("step", "outside"), "parameter", False),
        (("outside", "step"), "buffer", False),
        (("outside", "step"), "statistics", True),
    ],
)
def test_what_is_beside_a_follower_is_copied_with_it_unless_a_step_moved_it(
    places: tuple[Place, ...], kind: str, copied: bool
) -> None:
    beside = tensor_row("m.target.norm.scale", *places, kind=kind)
    assert follows(beside, followers([FOLLOWER])) is copied
    assert not follows(tensor_row("m.stem.norm.scale", *places, kind=kind), followers([FOLLOWER]))


@pytest.mark.parametrize("name", ["m.targets.weight", "m.stem.target.weight", "mm.target.weight"])
def test_a_name_that_merely_looks_alike_is_of_no_whole(name: str) -> None:
    assert not follows(tensor_row(name, "outside"), {"m.target."})


@pytest.mark.parametrize(
    ("gradient", "copied"), [("none", True), ("zero", False), ("unknown", False), ("nonzero", False)]
)
def test_what_moves_inside_a_step_without_a_gradient_is_moved_by_its_closure(gradient: Gradient, copied: bool) -> None:
    beside = tensor_row("m.target.norm.scale", "step")
    beside.changed.movements[0].gradient = gradient
    assert follows(beside, {"m.target."}) is copied


def test_a_follower_that_a_step_moves_by_a_gradient_is_trained() -> None:
    trained = tensor_row("m.target.bias", "outside", "step", follows="m.online.bias")
    copied = {"m.target."}
    assert merely_follows(trained, copied)
    assert not merely_follows(trained, set())
    trained.changed.movements[1].gradient = "zero"
    assert merely_follows(trained, copied)
    trained.changed.movements[1].gradient = "nonzero"
    assert not merely_follows(trained, copied)
    trained.changed.movements[1].place = "outside"
    assert merely_follows(trained, copied)


def test_one_of_several_wholes_is_enough() -> None:
    assert follows(tensor_row("m.target.weight", "outside"), {"other.target.", "m.target."})


def test_statistics_are_buffers() -> None:
    scale = tensor_row("m.target.norm.scale", "step")
    scale.owner.role = "normalisation"
    assert not follows(scale, {"m.target."})


def mutual(name: str, source: str, *, written: bool, rate: float | None = 1.0, **more: Any) -> TensorRow:
    """A tensor that was seen to take the values of another, and whether a write into it was seen."""
    row = tensor_row(name, "outside", follows=source)
    move = Movement("outside", 1, 2, follows=source, rate=rate, unwritten_until=1 if written else None)
    row.changed.movements = [replace(move, **more)]
    return row


NEVER_WRITTEN, ITS_COPY = mutual("m.w", "ema.w", written=False), mutual("ema.w", "m.w", written=True)


@pytest.mark.parametrize(
    ("row", "copy", "found"),
    [
        (NEVER_WRITTEN, ITS_COPY, {"m.w": "ema.w"}),
        (mutual("m.w", "ema.w", written=True), ITS_COPY, {}),
        (NEVER_WRITTEN, mutual("ema.w", "m.w", written=False), {}),
        (mutual("m.w", "ema.w", written=False, rate=0.5), ITS_COPY, {}),
        (mutual("m.w", "ema.w", written=False, follows="m.v"), ITS_COPY, {}),
        (mutual("m.w", "ema.w", written=False, event="loading"), ITS_COPY, {}),
        (mutual("m.w", "ema.w", written=False, place="step"), ITS_COPY, {}),
        (NEVER_WRITTEN, mutual("ema.w", "m.w", written=True, place="step"), {}),
        (mutual("m.w", "ema.w", written=False, place="step", gradient="none"), ITS_COPY, {"m.w": "ema.w"}),
        (tensor_row("m.w", "outside"), ITS_COPY, {}),
    ],
)
def test_of_two_with_the_same_bits_the_one_that_was_written_is_the_copy(
    row: TensorRow, copy: TensorRow, found: dict[str, str]
) -> None:
    assert copies_alone_written([row, copy]) == found


def test_who_leads_where_each_was_seen_to_follow_the_other() -> None:
    assert followers([NEVER_WRITTEN, ITS_COPY]) == {"ema."}
    unwritten = [mutual("m.w", "ema.w", written=False), mutual("ema.w", "m.w", written=False)]
    assert followers(unwritten) == {"m.", "ema."}
    stepped = tensor_row("m.b", "step")
    assert followers([*unwritten, stepped]) == {"ema."}  # what steps move leads
    assert followers([*unwritten, tensor_row("mm.b", "step")]) == {"m.", "ema."}


@pytest.mark.parametrize(
    ("rates", "places", "source_moves", "shown"),
    [
        ([], ["outside"], False, True),
        ([0.5], ["outside"], False, True),
        ([0.0], ["outside"], False, False),  # all of it may have been rounding
        ([0.0, 0.5], ["outside", "outside"], False, True),
        ([0.0], ["outside"], True, True),
        ([0.5], ["step"], True, True),
        ([0.5], ["step"], False, False),  # what steps move does not follow what none of them moves
        ([0.0], ["step"], True, False),
    ],
)
def test_what_shows_that_one_follows_another(
    rates: list[float], places: list[Place], source_moves: bool, shown: bool
) -> None:
    row = tensor_row("ema.w", *places, follows="m.w")
    for move, rate in zip(row.changed.movements, rates, strict=False):
        move.follows, move.rate = "m.w", rate
    source = tensor_row("m.w", *(["step"] if source_moves else []))  # type: ignore[list-item]
    assert (followers([row, source]) == {"ema."}) is shown
