"""Why no gradient arrived, and how grave that is: each condition by itself, on rows by hand."""

from __future__ import annotations

from typing import Any

import pytest
from tests.causes.test_mitigations import STEP, held, moved, row, run

from frostline.core.events import AddedLossUnread
from frostline.core.ledger import Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge
from frostline.laws.causes.trainable import no_gradient


def found(*rows: TensorRow, events: tuple[Any, ...] = ()) -> list[Finding]:
    return [finding for finding in judge(run(rows, *events))[0] if finding.rule == "no-gradient"]


def excuse(finding: Finding) -> str | None:
    """The name of what makes it weigh less."""
    return str(finding.evidence["excuse"]).partition(":")[0] if "excuse" in finding.evidence else None


def listed(name: str, **more: Any) -> TensorRow:
    """Held, without a gradient; its module was called."""
    path = name.partition(".")[2].rpartition(".")[0]
    return row(name, **({"optimizers": held(none=4), "owner": Owner(path, "Linear", called=True)} | more))


def trained(name: str, **more: Any) -> TensorRow:
    return listed(name, changed=moved(STEP), **({"optimizers": held(nonzero=4)} | more))


@pytest.mark.parametrize(
    ("beside", "severity"),
    [
        ([listed("net.b.w")], "error"),  # a whole network that is called
        ([trained("net.b.w")], "note"),  # a head to spare
        ([listed("net.b.w", kind="buffer", changed=moved(STEP))], "warning"),  # a single module
    ],
)
def test_a_whole_network_without_a_gradient_is_no_head_to_spare(beside: list[TensorRow], severity: str) -> None:
    findings = found(listed("net.a.w"), *beside)
    assert {each.severity for each in findings if "net.a.w" in each.tensors} == {severity}


def kept(**more: Any) -> Owner:
    return Owner("a", "Linear", **({"called": True, "in_training": False, "recorded": False} | more))


HEAD = trained("net.head.w", owner=Owner("head", "Linear", called=True, in_training=True))


@pytest.mark.parametrize(
    ("owner", "head", "excused"),
    [
        (kept(), HEAD, True),
        (kept(called=False), HEAD, False),
        (kept(in_training=True), HEAD, False),
        (kept(output_got_gradient=True), HEAD, False),
        (kept(), trained("net.head.w", owner=Owner("head", "Linear", called=True, in_training=False)), False),
        (kept(), listed("net.head.w", owner=HEAD.owner), False),
    ],
)
def test_a_network_that_is_kept_in_eval_mode_is_fixed(owner: Owner, head: TensorRow, excused: bool) -> None:
    names = {excuse(each) for each in found(listed("net.a.w", owner=owner), head) if "net.a.w" in each.tensors}
    assert (names == {"kept fixed"}) is excused


def test_a_gradient_that_was_taken_away_is_to_be_left_alone_unless_the_network_is_fixed() -> None:
    [cut] = found(listed("net.a.w", owner=kept(in_training=True), cleared=True), HEAD)
    assert cut.hint == no_gradient.LEAVE_ALONE
    [fixed] = found(listed("net.a.w", owner=kept(), cleared=True), HEAD)
    assert fixed.hint is not None
    assert fixed.hint.startswith("right for a fixed network")


def uncalled(*paths: str, **more: Any) -> Finding:
    """What is found of weights in these modules, which no forward pass called."""
    rows = [listed(f"net.{path}.w", owner=Owner(path, "Linear", called=False, **more)) for path in paths]
    trained = row(
        "net.head.w", owner=Owner("head", "Linear", called=True), changed=moved(STEP), optimizers=held(nonzero=4)
    )
    [finding] = found(*rows, trained)
    return finding


@pytest.mark.parametrize(
    ("paths", "named"),
    [
        (("a",), "net.a"),
        (("a", "a.b", "ab"), "net.a, net.ab"),
        (("a", "b", "c"), "net.a and 2 others"),
    ],
)
def test_the_outermost_modules_that_were_not_called_are_named(paths: tuple[str, ...], named: str) -> None:
    finding = uncalled(*paths)
    assert finding.message.endswith(f"no gradient arrived (forward() never called {named} in the passes watched)")
    assert finding.hint == f"call {named} in forward(), or take it out of the model"
    assert uncalled("a", sibling_called=True).message.endswith("another of its list was)")


@pytest.mark.parametrize(
    ("more", "how"),
    [
        ({}, "its output took no part in the loss"),
        ({"in_training": False, "recorded": False}, "called in eval mode, without gradient recording"),
        ({"recorded": False}, "its module was called without gradient recording"),
        ({"detached": True}, "its module was called and its output cut from the graph"),
        ({"output_got_gradient": True}, "a gradient reached its module's output and went no further"),
        ({"dropped": True}, "the module around it dropped what it returned"),
        ({"called": None}, "its layer was not called, or what it returned was cut from the loss"),
    ],
)
def test_how_a_gradient_was_lost_is_said(more: dict[str, Any], how: str) -> None:
    [finding] = found(listed("net.a.w", owner=Owner("a", "Linear", **({"called": True} | more))))
    assert how in finding.message


def test_a_loss_that_nothing_read_is_said_of_the_tensors_of_its_layer() -> None:
    unread = AddedLossUnread(step=1, layer="net.a", tensors=("net.a.w",))
    rows = listed("net.a.w"), trained("net.b.w"), listed("net.c.w")
    told = {each.tensors[0]: each for each in found(*rows, events=(unread,))}
    assert told["net.a.w"].message.endswith("(net.a gave a loss to add_loss, and nothing read the model's losses)")
    assert told["net.a.w"].hint == no_gradient.ADD_THEM
    assert "add_loss" not in told["net.c.w"].message + str(told["net.c.w"].hint)
