"""Which steps are checks."""

import pytest
from tests.observe.memory import Tensor, Training

from frostline.observe.schedule import due


@pytest.mark.parametrize(
    ("every", "checks"),
    [(None, [1, 2, 4, 8, 16]), (1, list(range(1, 21))), (2, [1, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]), (7, [1, 7, 14])],
)
def test_checks_are_the_first_step_and_then_powers_of_two_or_every_nth(every: int | None, checks: list[int]) -> None:
    assert [step for step in range(1, 21) if due(step, every)] == checks


def test_the_observer_keeps_to_it() -> None:
    weight = Tensor("m.weight", [1.0])
    training = Training(weight, check_every=3)
    training.optimizer(weight)
    for _ in range(7):
        training.step()
    assert training.checks == [1, 3, 6]
