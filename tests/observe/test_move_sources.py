"""What the new bits of a frozen tensor came from: whom it follows, which copy it equals, which it resembles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, buffer, only

from frostline.core.ledger import MERGED, Movement, Owner
from frostline.observe.moves.attribution import SOURCES_SOUGHT
from frostline.observe.protocols import LiveTensor

RANDOM = np.random.default_rng(7)
DRAWN, OTHER = (RANDOM.standard_normal(64).astype("float32") for _ in range(2))


def training_of(*tensors: Tensor, **settings: Any) -> Training:
    """Steps that move a weight of another shape; every one of them is a check."""
    weight = Tensor("m.weight", [1.0])
    training = Training(weight, *tensors, **({"check_every": 1} | settings))
    training.optimizer(weight)
    training.step()
    return training


def target(values: Any = DRAWN, name: str = "target.w") -> Tensor:
    return Tensor(name, values, trainable=False)


def test_an_average_follows_its_source_at_its_rate() -> None:
    online, average = Tensor("online.w", DRAWN), target(OTHER)
    training = training_of(online, average)
    for _ in range(4):
        average.values += 0.25 * (online.values - average.values)
        training.step()
    assert average.row.changed.followed == "online.w"
    assert average.row.changed.movements[-1].rate == pytest.approx(0.25, abs=1e-3)


def test_what_follows_a_tensor_is_no_source_of_it() -> None:
    mine, other = target(), target(OTHER, "copy.w")
    training = training_of(mine, other)
    other.row.changed.followed = "target.w"
    for _ in range(2):
        mine.values += 0.25 * (other.values - mine.values)
        training.step()
    assert mine.row.changed.followed is None


@pytest.mark.parametrize(
    ("training_mode", "role", "named"),
    [(True, "normalisation", None), (False, "normalisation", "elsewhere"), (True, "other", "elsewhere")],
)
def test_statistics_of_a_layer_in_training_mode_move_by_themselves(
    training_mode: bool, role: Any, named: str | None
) -> None:
    mean = buffer("m.mean", DRAWN, frozen=True)
    training = training_of(mean)
    mean.row.owner = Owner("norm", "BatchNorm1d", role, frozen_subtree="norm")
    mean.row.declared.training = training_mode
    source = buffer("n.mean", OTHER)
    training.add(source)
    training.step()
    for _ in range(2):
        mean.values += 0.25 * (source.values - mean.values)
        training.step()
    assert (mean.row.changed.followed is not None) is (named is not None)


def test_no_search_is_made_for_what_statistics_came_from() -> None:
    mean = buffer("m.mean", DRAWN, frozen=True)
    training = training_of(mean)
    mean.row.owner = Owner("norm", "BatchNorm1d", "normalisation", frozen_subtree="norm")
    training.probe.elsewhere = {"copy": OTHER.tobytes()}
    mean.values[:] = OTHER
    training.step()
    assert only(mean).equals is None


@pytest.mark.parametrize(("places", "follows"), [(4, True), (5, False)])
def test_last_places_beside_an_equal_source_are_the_rounding_of_an_average(places: int, follows: bool) -> None:
    mine, source = target(DRAWN), Tensor("online.w", DRAWN)
    training = training_of(mine, source)
    watched = training.watched(mine)
    watched.keep = True
    watched.take_copy()
    mine.values.view("i4")[:] += places  # away from it: no average goes there but by rounding
    training.step()
    assert (mine.row.changed.followed, only(mine).rate) == (("online.w", 0.0) if follows else (None, None))


def equal(mine: Tensor, steps: int = 2, **elsewhere: Any) -> list[str | None]:
    """What is told to have the bits that the tensor takes in the last of these steps, of other tensors."""
    training = training_of(mine)
    for step in range(steps):
        mine.values[...] = OTHER[: mine.values.size].reshape(mine.values.shape) + step
        training.probe.elsewhere = {name: bytes(np.asarray(values, mine.dtype)) for name, values in elsewhere.items()}
        training.step()
    return [move.equals for move in mine.row.changed.movements]


def test_a_copy_elsewhere_is_named_and_searched_for_so_often_and_no_more() -> None:
    assert equal(target(), copy=OTHER + 1) == [None, "copy"]
    many = [target(DRAWN[number:], f"m.{number}") for number in range(SOURCES_SOUGHT + 2)]
    training = training_of(*many)
    training.probe.elsewhere = {tensor.name: OTHER[number:].tobytes() for number, tensor in enumerate(many)}
    for number, tensor in enumerate(many):
        tensor.values[:] = OTHER[number:]
    training.step()
    assert sum(only(tensor).equals == tensor.name for tensor in many) == SOURCES_SOUGHT


def test_of_many_that_moved_at_once_without_a_copy_so_many_are_compared_with_others() -> None:
    many = [target(DRAWN[number:], f"m.{number}") for number in range(SOURCES_SOUGHT + 2)]
    training = training_of(*many)
    asked: set[Any] = set()
    training.probe.kin = lambda entry: asked.add(entry.key) or []  # type: ignore[method-assign,func-returns-value]
    for number, tensor in enumerate(many):
        tensor.values[:] = OTHER[number:]
    training.step()
    assert len(asked) == SOURCES_SOUGHT


def test_a_source_that_has_moved_on_since_its_last_check_is_known_by_its_former_bits() -> None:
    mine, source = target(), Tensor("online.w", OTHER)
    training = training_of(mine)
    training.add(source)
    training.optimizer(source, name="theirs")
    training.step("theirs")
    former = source.values.copy()
    training.step("theirs")  # settled: nobody looks
    mine.values[:] = former
    training.step()
    assert (only(mine).follows, only(mine).rate, mine.row.changed.followed) == ("online.w", 1.0, "online.w")


def test_what_followed_by_rounding_alone_may_be_a_source_all_the_same() -> None:
    mine, other = target(), target(OTHER, "copy.w")
    training = training_of(mine, other)
    other.row.changed.followed = "target.w"
    other.row.changed.movements.append(Movement("outside", 0, 0, follows="target.w", rate=0.0))
    for _ in range(2):
        mine.values += 0.25 * (other.values - mine.values)
        training.step()
    assert mine.row.changed.followed == "copy.w"


def test_bits_that_a_follower_has_are_from_here() -> None:
    mine, copy = target(), target(OTHER, "copy.w")
    training = training_of(mine, copy)
    copy.row.changed.followed = "target.w"
    training.probe.elsewhere = {"copy": OTHER.tobytes()}
    mine.values[:] = OTHER
    training.step()
    assert (only(mine).equals, only(mine).follows) == (None, None)


def test_what_steps_move_may_have_any_bits() -> None:
    """Where a step may have made the move, and others made some with a gradient, equal bits elsewhere show nothing."""
    mine = target()
    training = training_of(mine, check_every=None)
    training.step()
    training.step()
    mine.row.changed.movements.append(Movement("step", 0, 1, "sgd", gradient="nonzero"))
    training.probe.elsewhere = {"copy": OTHER.tobytes()}
    mine.values[:] = OTHER
    training.step()
    assert (mine.row.changed.movements[-1].place, mine.row.changed.movements[-1].equals) == ("between", None)


def test_a_copy_resembles_what_is_nearest_and_only_what_is_near() -> None:
    mine, near, nearer = target(), Tensor("m.near", OTHER), Tensor("m.nearer", OTHER + 0.01 * DRAWN)
    training = training_of(mine, near, nearer)
    mine.values[:] = OTHER + 0.02 * DRAWN
    training.probe.elsewhere = {"average": mine.values.tobytes()}
    training.step()
    assert only(mine).resembles == "m.nearer"
    lone = target(OTHER)
    training = training_of(lone, Tensor("m.other", DRAWN))
    lone.values[:] = OTHER[::-1]
    training.probe.elsewhere = {"average": lone.values.tobytes()}
    training.step()
    assert (only(lone).equals, only(lone).resembles) == ("average", None)


def test_a_namesake_in_the_same_model_is_another_tensor() -> None:
    mine, other = target(), Tensor("target.v", OTHER)
    training = training_of(mine, other)
    mine.values[:] = OTHER + 0.01 * DRAWN
    training.probe.elsewhere = {"average": mine.values.tobytes()}
    training.step()
    assert (only(mine).resembles, mine.row.changed.followed) == ("target.v", None)


@pytest.mark.parametrize(("event", "follows"), [("load_state_dict", True), ("another", False)])
def test_loaded_state_may_be_an_average_of_another_tensor(event: str, follows: bool) -> None:
    mine, online = target(OTHER), Tensor("online.w", DRAWN)
    training = training_of(mine, online)
    watched = training.watched(mine)
    watched.keep = True
    watched.take_copy()
    mine.values += 0.25 * (online.values - mine.values)
    training.observer.look_now([mine.key], "outside", event=event)
    assert (mine.row.changed.followed == "online.w") is follows
    assert watched.pursuit == 0  # it may be followed later


def test_first_bits_that_come_back_are_told_as_such() -> None:
    mine = target()
    training = training_of(mine)
    for values in (OTHER, DRAWN):
        mine.values[:] = values
        training.step()
    assert [move.equals for move in mine.row.changed.movements] == [None, "its own bits at the first check"]


def test_the_optimizers_own_average_is_told_by_its_name() -> None:
    mine = target()
    training = training_of(mine)

    def states(entry: LiveTensor) -> Iterable[tuple[str, bytes]]:
        return [("slow weights", bytes(DRAWN * 3))]

    training.probe.states = states  # type: ignore[method-assign]
    for values in (OTHER, OTHER + 0.5 * (DRAWN * 3 - OTHER)):
        mine.values[:] = values
        training.step()
    assert [move.equals for move in mine.row.changed.movements] == [None, "slow weights"]


@pytest.mark.parametrize("values", [np.zeros(64), np.full(64, 3.0)])
def test_constants_tell_nothing(values: Any) -> None:
    mine = target()
    training = training_of(mine)
    training.probe.elsewhere = {"copy": bytes(np.asarray(values, "float32"))}
    mine.values[:] = values
    training.step()
    assert only(mine).equals is None


@pytest.mark.parametrize(("value", "named"), [(0.3, "copy"), (2.0, None), (0.5, None)])
def test_a_single_number_tells_something_where_it_is_no_short_fraction(value: float, named: str | None) -> None:
    mine = Tensor("target.w", 7.0, trainable=False)
    training = training_of(mine)
    training.probe.elsewhere = {"copy": np.float32(value).tobytes()}
    mine.values[...] = value
    training.step()
    assert only(mine).equals == named


def test_few_integers_tell_nothing() -> None:
    for size, named in ((16, "copy"), (15, None)):
        mine = Tensor("m.count", np.arange(size), trainable=False, dtype="int64")
        training = training_of(mine)
        training.probe.elsewhere = {"copy": np.arange(size, dtype="int64")[::-1].tobytes()}
        mine.values[:] = np.arange(size)[::-1]
        training.step()
        assert only(mine).equals == named


def test_a_copy_that_is_close_to_another_tensor_is_of_that_one() -> None:
    mine, astray = target(), Tensor("m.other", OTHER)
    training = training_of(mine, astray)
    mine.values[:] = OTHER + 0.01 * DRAWN
    training.probe.elsewhere = {"average": mine.values.tobytes()}
    training.step()
    assert (only(mine).equals, only(mine).resembles) == ("average", "m.other")


def test_a_copy_that_is_close_to_its_namesake_follows_it() -> None:
    mine, namesake = target(), Tensor("online.w", OTHER)
    training = training_of(mine, namesake)
    mine.values[:] = OTHER + 0.01 * DRAWN
    training.probe.elsewhere = {"average": mine.values.tobytes()}
    training.step()
    assert (only(mine).resembles, mine.row.changed.followed) == (None, "online.w")


def test_what_was_found_is_followed_no_longer() -> None:
    mine = target()
    training = training_of(mine, check_every=None)
    training.step()
    training.step()
    mine.values[:] = OTHER
    training.step()  # the check at step 4 finds it somewhere between
    watched = training.watched(mine)
    assert (watched.pursuit > 0, watched.keep, watched.copy is not None) == (True, True, True)
    assert training.observer.attribution.followed == [watched]
    mine.values[:] = OTHER * 2
    training.probe.elsewhere = {"copy": mine.values.tobytes()}
    training.step()
    assert (watched.pursuit, watched.keep, watched.copy) == (-1, False, None)
    assert mine.row.changed.movements[-1].equals == "copy"
    assert training.observer.attribution.followed == []
    assert not training.probe.forwards_watched[-1]


@pytest.mark.parametrize(("rank", "event"), [(1, MERGED), (8, None)])
def test_a_merge_outside_of_steps_is_told_as_such(rank: int, event: str | None) -> None:
    base = Tensor("m.layer.base.w", DRAWN.reshape(8, 8), trainable=False)
    down, up = Tensor("m.layer.down", OTHER[:8].reshape(1, 8)), Tensor("m.layer.up", OTHER[8:16].reshape(8, 1))
    training = training_of(base, down, up, check_every=None)
    for tensor in (base, down, up):
        tensor.row.owner.path = "layer.base" if tensor is base else "layer"
    training.step()
    training.step()
    for _ in range(2):
        base.values += (OTHER[: 8 * rank].reshape(8, rank) @ OTHER[-8 * rank :].reshape(rank, 8)).astype("float32")
        training.step()
    assert base.row.changed.movements[-1].event == event


# When it was


@pytest.mark.parametrize(("closing", "until"), [(False, 2), (True, 1)])
def test_a_move_is_told_until_the_step_that_showed_it(closing: bool, until: int) -> None:
    mine = target()
    training = training_of(mine)
    mine.values[:] = OTHER
    training.observer.close() if closing else training.step()
    assert (only(mine).place, only(mine).since, only(mine).until, only(mine).late) == ("outside", 1, until, closing)


def test_what_is_loaded_before_the_first_step_is_no_move_unless_steps_ran_unseen() -> None:
    for unseen, closes, count in ((False, True, 0), (True, True, 1), (True, False, 0)):
        mine, weight = target(), Tensor("m.weight", [1.0])
        training = Training(mine, weight)
        training.optimizer(weight)
        training.observer.clock.steps_unseen = unseen
        mine.values[:] = OTHER
        training.observer.close() if closes else training.step()
        assert len(mine.row.changed.movements) == count


def test_lines_are_told_of_what_nothing_known_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = target()
    training = training_of(mine)
    told: list[Any] = []
    monkeypatch.setattr(training.observer.lines, "tell_around", lambda moved: told.append({**moved}))
    mine.values[:] = OTHER
    training.observer.look_now([mine.key], "outside", event="loading")
    training.step()
    assert told == []
    mine.values[:] = DRAWN
    training.step()
    assert told == [{5: [mine.row.id]}]
    for _ in range(2):  # one of them moves it, or what is between
        training.observer.clock.after_step()
    mine.values[:] = OTHER
    training.step()
    assert (mine.row.changed.movements[-1].place, len(told)) == ("between", 1)
