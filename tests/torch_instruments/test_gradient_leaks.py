"""Gradients that one optimizer's phase leaves for another are told as they were seen; the rules judge them."""

import pytest
import torch
from toy import rows, watched

from frostline.core.facts import GradientLeft


def left(second_step: bool):
    """Two optimizers in turn, the gradients of the first never cleared before its own phase."""

    def run():
        body, head = torch.nn.Linear(4, 2), torch.nn.Linear(2, 1)
        one = torch.optim.SGD(head.parameters(), 0.01)
        two = torch.optim.SGD(body.parameters(), 0.01)
        for batch in rows(6):
            two.zero_grad()
            head(body(batch[0])).sum().backward()
            two.step()
            head(body(batch[0])).square().sum().backward()
            one.step()
            if second_step:
                two.step()

    record = watched(run)
    told = [event.together for event in record.events if isinstance(event, GradientLeft)]
    return told, [finding.code for finding in record.findings if finding.code == "W405"]


def test_gradients_left_for_another_phase_are_judged():
    assert left(second_step=False) == ([False], ["W405"])


def test_where_both_step_together_that_is_told_and_not_judged():
    assert left(second_step=True) == ([True], [])


@pytest.mark.parametrize(
    ("given", "codes"),
    [("left", ["W402"]), ("replaced", []), ("rewritten", [])],
)
def test_two_steps_on_gradients_of_one_backward_pass(given: str, codes: list[str]) -> None:
    """An outer step of local training applies what the script puts in the gradients' place, and no pass made."""

    def run():
        model = torch.nn.Linear(4, 2)
        inner = torch.optim.SGD(model.parameters(), 0.01)
        outer = torch.optim.SGD(model.parameters(), 0.7)
        for batch in rows(6):
            before = [each.detach().clone() for each in model.parameters()]
            inner.zero_grad()
            model(batch[0]).square().sum().backward()
            inner.step()
            for each, first in zip(model.parameters(), before, strict=True):
                if given == "replaced":
                    each.grad = first - each.detach()
                elif given == "rewritten":
                    each.grad.copy_(first - each.detach())
            outer.step()

    assert [finding.code for finding in watched(run).findings if finding.code == "W402"] == codes
