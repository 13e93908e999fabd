"""Steps by a method that the script put in the place of an optimizer's own: seen, and counted once."""

import copy
import types
from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import frostline  # noqa: E402
from frostline.core.record import Record  # noqa: E402
from frostline.settings import Settings  # noqa: E402

pytestmark = pytest.mark.needs("torch")


def by_hand(optimizer: Any, closure: Any = None) -> None:
    with torch.no_grad():
        for parameter in optimizer.param_groups[0]["params"]:
            parameter.sub_(0.1 * parameter.grad)


def on_the_object(optimizer: Any) -> None:
    optimizer.step = types.MethodType(by_hand, optimizer)


def on_the_class(optimizer: Any) -> None:
    type(optimizer).step = by_hand


def around_its_own(optimizer: Any) -> None:
    own = optimizer.step
    optimizer.step = lambda: own()


def before_a_schedule(optimizer: Any) -> None:
    on_the_object(optimizer)
    torch.optim.lr_scheduler.ConstantLR(optimizer)


class Own(torch.optim.SGD):
    """A class of the test, whose method can be replaced without harm to others."""


def trained(replace: Callable[[Any], None]) -> tuple[Record, list[bool]]:
    torch.manual_seed(0)
    model = torch.nn.Linear(4, 2)
    with frostline.watch(settings=Settings()) as seen:
        optimizer = type("Own", (Own,), {})(model.parameters(), lr=0.1)
        replace(optimizer)
        put = vars(optimizer).get("step")
        for _ in range(6):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimizer.step()
        copy.deepcopy(optimizer.state_dict())
    return seen.report.record, [vars(optimizer).get("step") is put]


@pytest.mark.parametrize("replace", [on_the_object, on_the_class, around_its_own, before_a_schedule])
def test_its_steps_are_seen_and_counted_once(replace: Callable[[Any], None]) -> None:
    record, restored = trained(replace)
    assert [(optimizer.steps_executed, optimizer.holds) for optimizer in record.optimizers] == [(6, 2)]
    assert record.totals.changed == 10
    assert [finding for finding in record.findings if finding.severity != "note"] == []
    assert all("step" in during for row in record.tensors for during in row.changed.during)
    assert restored == [True]
