"""Which weights follow others, and which of those are trained all the same."""

import pytest

from frostline.core.averages import followers, follows, merely_follows
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
