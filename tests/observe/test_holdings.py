"""What a program's holds and gradients say about a step."""

from typing import Any

import numpy as np
import pytest
from tests.observe.memory import Tensor, Training, only

from frostline.core.facts import Held, OptimizerChecked, OptimizerSeen
from frostline.core.ledger import Holding
from frostline.observe.protocols import Hold


@pytest.fixture
def weight() -> Tensor:
    return Tensor("m.weight", [1.0, 2.0, 3.0])


@pytest.fixture
def training(weight: Tensor) -> Training:
    training = Training(weight)
    training.optimizer(weight, lr=0.5, weight_decay=0.5)
    return training


def test_a_zero_gradient_is_counted_as_zero_and_the_decay_is_seen_on_a_copy(training: Training, weight: Tensor) -> None:
    training.step(gradient=0.0)
    assert weight.row.optimizers[0].gradients == {"zero": 1}
    assert weight.row.reached_by_backward is False
    movement = only(weight)
    assert (movement.gradient, movement.lr, movement.weight_decay) == ("zero", 0.5, 0.5)
    assert movement.shift is not None
    assert movement.shift.ratio == 0.75


def test_a_gradient_that_was_zero_before_a_step_without_a_closure_was_zero(training: Training, weight: Tensor) -> None:
    training.observer.holdings.made_inside = False
    weight.grad = np.float32([0, 0, 0])
    with training.inside() as optimizer:
        optimizer.step()
        weight.grad = weight.values * 0.5  # as optimizers do that add the decay to the gradient in place
    assert only(weight).gradient == "zero"


@pytest.mark.parametrize("made_inside", [True, None])
def test_a_closure_may_have_made_the_gradient_in_the_step(
    training: Training, weight: Tensor, made_inside: bool | None
) -> None:
    weight.grad = np.float32([0, 0, 0])
    with training.inside() as optimizer:
        weight.grad = np.float32([1, 1, 1])
        optimizer.step()
        training.observer.holdings.made_inside = made_inside
    assert only(weight).gradient == "nonzero"


@pytest.mark.parametrize(
    ("trainable", "gradient", "hold", "unexplained"),
    [
        (True, 0.0, Hold(), True),
        (True, 1.0, Hold(weight_decay=0.1), False),
        (True, None, Hold(), False),
        (True, None, Hold(weight_decay=0.1), True),
        (False, 0.0, Hold(), True),
        (False, 1.0, Hold(), True),
        (False, None, Hold(), False),
        (False, None, Hold(copied=True), True),
        (False, None, Hold(fills_gaps=True), True),
        (False, 1.0, None, False),
    ],
)
def test_a_copy_is_kept_where_the_gradient_does_not_explain_a_move(
    trainable: bool, gradient: float | None, hold: Hold | None, unexplained: bool
) -> None:
    weight = Tensor("m.weight", [1.0, 2.0, 3.0], trainable=trainable)
    training = Training(weight)
    weight.grad = None if gradient is None else np.full(3, gradient, "f4")
    watched = training.watched(weight)
    training.observer.holdings.note_gradient(watched)
    assert training.observer.holdings.unexplained(watched, hold) is unexplained


def test_the_largest_rate_of_a_group_is_remembered(training: Training, weight: Tensor) -> None:
    holdings, optimizer = training.observer.holdings, training.probe.optimizers["sgd"]
    for rate in (0.25, 0.5, 0.125):
        optimizer.lr = rate
        holdings.note_rates("sgd", training.observer.optimizers["sgd"])
    assert holdings.max_lr("sgd", 0) == 0.5
    assert holdings.max_lr("sgd", 1) is None  # there is no such group
    assert holdings.max_lr("sgd", None) is None  # nor one that is not told
    assert holdings.max_lr("adam", 0) is None


def facts(training: Training, kind: type[Any]) -> list[Any]:
    return [fact for fact in training.observer.journal.facts() if isinstance(fact, kind)]


def test_of_what_is_frozen_no_update_is_sized() -> None:
    frozen = Tensor("m.frozen", [1.0, 2.0, 3.0], trainable=False)
    training = Training(frozen)
    training.optimizer(frozen, lr=0.0)
    training.step()
    assert frozen.row.optimizers[0].update_ulp is None


def test_how_many_tensors_are_held_is_told_when_it_is_news(training: Training, weight: Tensor) -> None:
    foreign = Tensor("m.foreign", [1.0])  # of no model
    held = training.probe.optimizers["sgd"].tensors
    for tensors in ([weight], [weight], [weight, foreign]):
        held[:] = tensors
        training.observer.holdings.note(training.observer.optimizers["sgd"], training.probe.holds("sgd"))
    assert [fact.holds for fact in facts(training, OptimizerSeen) if fact.holds is not None] == [1, 2]


def test_a_tensor_that_the_optimizer_does_not_list_is_not_among_those_held(training: Training, weight: Tensor) -> None:
    holds = {weight.key: Hold(listed=False)}
    training.observer.holdings.note(training.observer.optimizers["sgd"], holds)
    assert training.observer.optimizers["sgd"].holds == 0
    assert [holding.listed for holding in weight.row.optimizers] == [False]


@pytest.mark.parametrize(
    ("rates", "told"),
    [([0.5, None, 0.25], 0.5), ([None, None, None], None), ([0.25, 0.5, None], 0.5)],
)
def test_a_check_tells_the_largest_rate_that_is_known(rates: list[float | None], told: float | None) -> None:
    tensors = [Tensor(f"m.{number}", [1.0]) for number in range(3)]
    training = Training(*tensors)
    training.optimizer(*tensors)
    holds = {tensor.key: Hold(lr=rate) for tensor, rate in zip(tensors, rates, strict=True)}
    training.probe.holds = lambda optimizer: holds  # type: ignore[method-assign]
    training.step()
    assert [fact.lr for fact in facts(training, OptimizerChecked)] == [told]


def test_rates_that_are_not_known_or_not_there_yet_are_remembered_when_they_are(training: Training) -> None:
    holdings, optimizer = training.observer.holdings, training.observer.optimizers["sgd"]
    for rates in ([None], [0.0, 0.5], [None, 0.25]):
        training.probe.rates = lambda _, rates=rates: rates  # type: ignore[misc]
        holdings.note_rates("sgd", optimizer)
        assert holdings.rates_open("sgd")  # the first group has had no rate but zero
    assert [holdings.max_lr("sgd", group) for group in (0, 1)] == [0.0, 0.5]
    training.probe.rates = lambda _: [0.125, 0.5]  # type: ignore[method-assign]
    holdings.note_rates("sgd", optimizer)
    assert not holdings.rates_open("sgd")
    assert holdings.max_lr("sgd", 0) == 0.125


def test_the_largest_update_that_moved_nothing_is_told_when_it_grows(training: Training, weight: Tensor) -> None:
    holdings, optimizer, watched = (
        training.observer.holdings,
        training.observer.optimizers["sgd"],
        training.watched(weight),
    )
    weight.row.optimizers[:] = [Holding("adam", gradients={"nonzero": 1}), Holding("sgd", gradients={"nonzero": 1})]
    for size in (0.25, 0.125, 0.5, None):
        training.probe.update_ulp = lambda *_, size=size: size  # type: ignore[misc]
        holdings.note_stillness("sgd", optimizer, watched)
    assert [fact.update_ulp for fact in facts(training, Held) if fact.negligible is not None] == [0.25, 0.5, None]
    training.probe.negligible = lambda *_: True  # type: ignore[method-assign]
    holdings.note_stillness("sgd", optimizer, watched)
    assert weight.row.optimizers[1].negligible
    assert weight.row.optimizers[0].negligible is None


@pytest.mark.parametrize("gradients", [{}, {"nonzero": 0}, {"zero": 3}])
def test_without_a_gradient_there_is_no_update_to_size(
    training: Training, weight: Tensor, gradients: dict[str, int]
) -> None:
    weight.row.optimizers[:] = [Holding("sgd", gradients=gradients)]
    training.observer.holdings.note_stillness("sgd", training.observer.optimizers["sgd"], training.watched(weight))
    assert weight.row.optimizers[0].update_ulp is None


def test_a_gradient_is_looked_at_until_its_tensor_is_settled_and_once_for_each_optimizer(
    training: Training, weight: Tensor
) -> None:
    looks: list[int] = []
    weight.gradient = lambda: looks.append(1) or "nonzero"  # type: ignore[method-assign,func-returns-value,assignment]
    optimizer, holds = training.observer.optimizers["sgd"], training.probe.holds("sgd")
    for settled, looked in ((False, 1), (False, 2), (True, 2)):
        training.watched(weight).settled = settled
        training.observer.holdings.note(optimizer, holds)
        assert len(looks) == looked
        assert weight.row.optimizers[0].gradients == {"nonzero": looked}  # told at once
    training.optimizer(weight, name="adam")
    training.observer.holdings.note(training.observer.optimizers["adam"], training.probe.holds("adam"))
    assert len(looks) == 3  # of this one nothing was known


def test_an_optimizer_that_takes_a_missing_gradient_for_zeros_found_zeros(training: Training, weight: Tensor) -> None:
    watched = training.watched(weight)
    training.observer.holdings.note_gradient(watched)
    assert training.observer.holdings.gradient_of(watched, Hold(fills_gaps=True)) == "zero"
    assert training.observer.holdings.gradient_of(watched, Hold()) == "none"


@pytest.mark.parametrize(("before", "left", "told"), [(1.0, None, "none"), (0.0, None, "zero"), (None, 0.0, "none")])
def test_what_a_step_with_a_closure_leaves_tells_what_went_into_it(
    training: Training, weight: Tensor, before: float | None, left: float | None, told: str
) -> None:
    holdings, watched = training.observer.holdings, training.watched(weight)
    weight.grad = None if before is None else np.full(3, before)
    holdings.note_gradient(watched)
    weight.grad = None if left is None else np.full(3, left)
    holdings.made_inside = True
    assert holdings.gradient_of(watched, Hold()) == told


@pytest.mark.parametrize(
    ("before", "made_inside", "left", "told"),
    [
        (1.0, None, 0.0, "nonzero"),  # it was there for the step
        (1.0, False, None, "nonzero"),
        (1.0, True, 0.0, "zero"),  # the step made its own
        (0.0, False, 1.0, "zero"),  # an optimizer may add the decay to it
        (0.0, None, 1.0, "nonzero"),
        (0.0, True, 1.0, "nonzero"),
        (None, None, 1.0, "nonzero"),
        (None, False, 0.0, "none"),
    ],
)
def test_which_gradient_went_into_a_step(
    training: Training, weight: Tensor, before: float | None, made_inside: bool | None, left: float | None, told: str
) -> None:
    holdings, watched = training.observer.holdings, training.watched(weight)
    weight.grad = None if before is None else np.full(3, before)
    holdings.note_gradient(watched)
    weight.grad = None if left is None else np.full(3, left)
    holdings.made_inside = made_inside
    assert holdings.gradient_of(watched, Hold()) == told
    assert holdings.gradient_of(watched, None) == weight.gradient()  # another optimizer's: what there is now


def test_rates_are_looked_at_at_every_step_while_one_was_never_seen_and_then_at_checks(weight: Tensor) -> None:
    training = Training(weight)
    training.optimizer(weight)
    asked: list[int] = []
    rates = iter([0.0, 0.0, 0.0, 0.0, 0.5, 0.25, 1.0, 0.75])
    training.probe.rates = lambda _: asked.append(training.observer.steps) or [next(rates)]  # type: ignore[method-assign,func-returns-value]
    for _ in range(17):
        training.step()
    assert asked == [1, 2, 3, 4, 5, 8, 16]
    assert training.observer.holdings.max_lr("sgd", 0) == 1.0
