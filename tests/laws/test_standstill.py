"""L2's second half from facts alone: for how long a tensor stood still, why, and what excuses it."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import checked, codes, held, moved, run, violated, weight

from frostline.core import facts
from frostline.core.columns.standstill import Standstill
from frostline.core.ledger import Ledger
from frostline.laws import judge

STEP = {"optimizer": "sgd", "trainable": True, "gradient": "nonzero"}


def still(gradient: str = "none", since: int = 8, until: int = 32, tensor: int = 0) -> facts.StoodStill:
    return facts.StoodStill(tensors=(tensor,), still=Standstill(4, since, until, gradient))  # type: ignore[arg-type]


def stopped(*more: facts.Fact, steps: int = 32, rates: tuple[float, ...] = (0.1,) * 6, **row: object) -> Ledger:
    """Tensor 0 moved, and tensor 1, in another kind of layer, goes on; 32 steps, with checks at 1, 2, 4, … 32."""
    goes_on = [*weight(1, "net.on", owner="net.on", owner_type="Other"), held(1), moved(1, **STEP)]
    first = [*weight(owner="net.list.0", owner_type="Linear", **row), held(lr=0.1), moved(0, **STEP)]
    last = facts.OptimizerSeen(optimizer="sgd", last_step=steps)
    return run(*first, *goes_on, *checked(*rates), last, *more, steps=steps)


def test_it_is_told_why() -> None:
    for gradient, severity, reason in (
        ("none", "warning", "no gradient arrived"),
        ("zero", "warning", "its gradient was zero"),
        ("unknown", "note", "its gradient was not seen"),
        ("nonzero", "note", "is not known of this optimizer"),
    ):
        (found,) = judge(stopped(still(gradient)))[0]
        assert (found.code, found.severity) == ("L2", severity)
        assert "no bit of them since step 8, in the last 24 steps of sgd" in found.message
        assert reason in found.message


def test_nan_is_no_gradient_of_zero() -> None:
    """Updates that are not finite have no size: the loss may be NaN, and nothing says that its gradient was zero."""
    for gradient, bound in (("nonzero", 0.0), ("nonzero", None), ("none", None), ("zero", 0.0)):
        broken = Standstill(4, 8, 32, gradient, finite=False)  # type: ignore[arg-type]
        bounded = facts.Held(optimizer="sgd", tensors=(0,), update_ulp=bound)
        (found,) = judge(stopped(facts.StoodStill(tensors=(0,), still=broken), bounded))[0]
        assert (found.code, found.severity) == ("L2", "warning")
        assert "values that are NaN or infinite" in found.message
        assert "zero" not in found.message
    (finite,) = judge(stopped(still("nonzero"), facts.Held(optimizer="sgd", tensors=(0,), update_ulp=0.0)))[0]
    assert "its gradient was zero" in finite.message


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        ([still(until=16)], 32),  # nobody looked at the end
        ([still(since=32, until=36)], 36),  # less than a third, and fewer than eight steps
        ([still(since=32, until=44)], 44),  # less than a third
        ([still(), facts.StoodStill(tensors=(0,), still=None)], 32),  # it went on
        ([still(), facts.FlagFlipped(step=12, tensor=0, flag=False, optimizer="sgd")], 32),  # it was frozen by then
        ([still(), *(facts.FlagFlipped(step=n, tensor=0, flag=n > 12, optimizer="sgd") for n in (12, 20))], 32),
        ([still(), facts.TensorSeen(tensor=0, gone=True)], 32),  # its model has it no longer
    ],
)
def test_it_is_no_violation(seen: list[facts.Fact], steps: int) -> None:
    assert violated("L2", stopped(*seen, steps=steps)) == set()


@pytest.mark.parametrize(("flipped", "found"), [(8, True), (9, False)])
def test_a_flag_that_was_set_before_its_last_steps_is_no_excuse(flipped: int, found: bool) -> None:
    on_again = [facts.FlagFlipped(step=step, tensor=0, flag=on, optimizer="sgd") for step, on in ((6, 0), (flipped, 1))]
    assert bool(violated("L2", stopped(still(), *on_again))) is found


@pytest.mark.parametrize(("since", "steps", "found"), [(8, 16, True), (8, 15, False)])
def test_eight_steps_are_the_fewest(since: int, steps: int, found: bool) -> None:
    assert bool(violated("L2", stopped(still(since=since, until=steps), steps=steps))) is found


def test_a_third_of_the_steps_is_one() -> None:
    assert codes(stopped(still(since=32, until=48), steps=48)) == [("L2", "warning")]


@pytest.mark.parametrize("gradient", ["unknown", "nonzero"])
def test_a_matrix_cannot_have_converged_alone(gradient: str) -> None:
    large = {"shape": (4, 4), "size": 16, "bytes": 64}
    assert codes(stopped(still(gradient), **large)) == [("L2", "warning")]
    assert codes(stopped(still(gradient), still(gradient, tensor=1), **large)) == [("L2", "note")]


def test_everything_without_a_gradient_is_an_error_and_with_one_of_zeros_a_warning() -> None:
    assert codes(stopped(still(), still(tensor=1))) == [("L2", "error")]
    assert codes(stopped(still("zero"), still("zero", tensor=1))) == [("L2", "warning")]


def test_a_rate_of_0_is_judged_by_the_law_of_steps_where_that_sees_it() -> None:
    (found,) = judge(stopped(still(), held(lr=0.0)))[0]
    assert (found.code, found.severity) == ("L2", "warning")
    assert found.message.endswith(": its learning rate was 0")
    assert codes(stopped(still(), rates=(0.1, 0.1, 0.1, 0.1, 0.0, 0.0))) == [("L4", "error")]


def test_converged_is_excused_in_full_precision_only() -> None:
    small = held(update_ulp=0.3)
    findings, excused = judge(stopped(still("nonzero"), small))
    assert (findings, [each.excuse for each in excused]) == ([], ["converged"])
    assert "0.3 of the last place of float32" in excused[0].proof
    (lost,) = judge(stopped(still("nonzero"), small, dtype="bfloat16"))[0]
    assert "lost in rounding in bfloat16" in lost.message
    assert [each.excuse for each in judge(stopped(still("nonzero"), held(update_ulp=0.5)))[1]] == ["converged"]
    (large,) = judge(stopped(still("nonzero"), held(update_ulp=0.7)))[0]
    assert (large.severity, large.message.endswith(": though a gradient arrived")) == ("warning", True)
    assert codes(stopped(still("nonzero"), small, held(lr=0.0))) == [("L2", "warning")]
    another = facts.OptimizerFound(optimizer="adam", kind="optimizer", name="Adam")
    both = facts.Held(optimizer="adam", tensors=(0,), lr=0.1, update_ulp=8.0)
    assert judge(stopped(still("nonzero"), small, another, both))[1] == []
    alike = facts.Held(optimizer="adam", tensors=(0,), lr=0.1, update_ulp=0.2)
    assert [each.excuse for each in judge(stopped(still("nonzero"), small, another, alike))[1]] == ["converged"]
    no_rate = facts.Held(optimizer="adam", tensors=(0,), lr=0.0, update_ulp=0.2)
    assert judge(stopped(still("nonzero"), small, another, no_rate))[1] == []
    assert codes(stopped(still("none"), small)) == [("L2", "warning")]
    (no_size,) = judge(stopped(still("nonzero"), held(update_ulp=0.0)))[0]
    assert "its gradient was zero" in no_size.message


def test_rows_that_no_batch_names_are_excused_in_embeddings_only() -> None:
    assert [each.excuse for each in judge(stopped(still("zero"), role="embedding"))[1]] == ["unnamed rows"]
    assert codes(stopped(still("nonzero"), held(update_ulp=8.0), role="embedding")) == [("L2", "warning")]
    assert codes(stopped(still("zero"))) == [("L2", "warning")]


def test_an_expert_is_excused_while_another_of_its_list_goes_on() -> None:
    other = [*weight(2, "net.list.1.w", owner="net.list.1", owner_type="Linear"), held(2), moved(2, **STEP)]
    assert [each.excuse for each in judge(stopped(*other, still("zero")))[1]] == ["unrouted"]
    assert codes(stopped(*other, still("nonzero"), held(update_ulp=8.0))) == [("L2", "warning")]
    both = stopped(*other, still("zero"), still("zero", tensor=2))
    assert codes(both) == [("L2", "warning")]


def test_the_script_that_updates_by_hand_and_another_optimizer_have_no_say() -> None:
    hand = facts.OptimizerFound(optimizer="script", kind="optimizer", name="no optimizer", by_hand=True)
    other = facts.OptimizerFound(optimizer="adam", kind="optimizer", name="Adam")
    for more in (hand, other):
        seen = facts.OptimizerSeen(optimizer=more.optimizer, steps_executed=32, last_step=32)
        held_by = facts.Held(optimizer=more.optimizer, tensors=(0,), lr=0.1, listed=more is hand)
        (found,) = judge(stopped(still(), more, seen, held_by))[0]
        assert found.evidence["optimizer"] == "sgd"


def test_of_several_tensors_the_last_move_is_said() -> None:
    later = facts.StoodStill(tensors=(1,), still=Standstill(6, 8, 32, "zero"))
    (found,) = judge(stopped(still("zero"), later))[0]
    assert (found.evidence["moved_until_step"], len(found.tensors)) == (6, 2)


def test_a_bias_that_cancels_out_is_excused_while_its_layer_goes_on() -> None:
    layer = [*weight(2, "net.list.0.kernel", owner="net.list.0", owner_type="Linear"), held(2), moved(2, **STEP)]
    (excused,) = judge(stopped(*layer, still("zero")))[1]
    assert (excused.excuse, excused.tensor) == ("cancelled", "net.w")
    assert "net.list.0.kernel, of the same module, goes on moving" in excused.proof
    assert codes(stopped(*layer, still("none"))) == [("L2", "warning")]
    assert codes(stopped(*layer, still("zero"), still("zero", tensor=2))) == [("L2", "warning")]
    buffer = [*weight(2, "net.list.0.kernel", owner="net.list.0", kind="buffer"), moved(2, **STEP)]
    assert codes(stopped(*buffer, still("zero"))) == [("L2", "warning")]
