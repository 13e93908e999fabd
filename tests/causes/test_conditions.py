"""Conditions of causes that no real run takes apart from one another: each by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as replaced
from tests.causes.test_mitigations import FROZEN, SGD, STEP, TRAINED, held, moved, row, run

from frostline.core.events import LabelUnmatched, NetworkContinued, NetworkInParallel, StepCompiled, UpdateShown
from frostline.core.ledger import Changed, Declared, Flip, Holding, Ledger, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge

OTHER = OptimizerRow("other", "optimizer", "SGD", steps_executed=8, last_step=16, checks=[1, 8], checked_at=[9, 16])


def of(slug: str, ledger: Ledger) -> list[Finding]:
    return [finding for finding in judge(ledger)[0] if finding.rule == slug]


@pytest.mark.parametrize("freezes", [True, False])
def test_a_label_that_would_freeze_says_so(freezes: bool) -> None:
    event = LabelUnmatched(step=0, labels=("kept",), used=("fast",), freezes=freezes)
    buffer = replace(row("net.mean"), kind="buffer")
    [found] = of("label-matches-nothing", run([TRAINED, buffer], event))
    assert ("which would freeze" in found.message, bool(found.tensors)) == (freezes, freezes)
    assert "net.mean" not in found.tensors  # labels are for parameters


def by(*optimizers: str) -> list[Holding]:
    return [Holding(each, 0, lr=0.1, gradients={"nonzero": 4}) for each in optimizers]


def network_of_another(*events: Any, inner: OptimizerRow = SGD, outer: OptimizerRow = OTHER) -> Ledger:
    """``base`` has an optimizer of its own and stands, entire, in that of ``model``, which has a head."""
    base = row("base.w", changed=moved(STEP), optimizers=by("sgd", "other"))
    head = row("model.head.w", changed=moved(STEP), optimizers=by("other"))
    return run([base, head], *events, optimizers=[inner, outer])


def test_a_network_in_the_optimizer_of_another_is_found() -> None:
    [found] = of("trained-by-another-optimizer", network_of_another(inner=replace(SGD, last_step=16)))
    assert (found.severity, found.tensors) == ("warning", ["base.w"])


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([], True),
        ([row("base.v", optimizers=by("sgd"))], False),  # a shared part alone
        ([row("base.v", optimizers=[*by("sgd"), Holding("other", 0, listed=False)])], False),
        ([row("base.v", optimizers=by("sgd"), declared=FROZEN)], True),
        ([row("base.mean", kind="buffer")], True),
        ([row("third.w", optimizers=by("sgd"))], False),  # then the first one is of no single network
    ],
)
def test_a_network_is_in_the_other_optimizer_as_a_whole(rows: list[TensorRow], found: bool) -> None:
    ledger = network_of_another(inner=replace(SGD, last_step=16))
    ledger.tensors.extend(rows)
    assert bool(of("trained-by-another-optimizer", ledger)) is found


def test_a_network_that_the_others_steps_do_not_move_is_not_trained_by_them() -> None:
    ledger = network_of_another(inner=replace(SGD, last_step=16))
    ledger.tensors[0].optimizers[1].gradients = {"none": 4}
    assert of("trained-by-another-optimizer", ledger) == []
    ledger.tensors[0].changed.during.append("other step")
    assert of("trained-by-another-optimizer", ledger)


def test_an_optimizer_of_all_networks_beside_one_of_all_but_this_one_is_meant() -> None:
    """As where an actor and a critic have one each, and a third trains both: who has the rest has it on purpose."""
    ledger = network_of_another(inner=replace(SGD, last_step=16))
    ledger.optimizers.append(replace(OTHER, id="third"))
    ledger.tensors[1].optimizers.extend(by("third"))
    assert of("trained-by-another-optimizer", ledger) == []


@pytest.mark.parametrize(
    ("own", "outer", "severity"),
    [
        ((8,), {}, "note"),
        ((10,), {}, "warning"),  # they step in turn
        ((8, 10), {}, "warning"),
        ((8,), {"checked_at": [], "checks": []}, "warning"),  # nobody saw when it began
    ],
)
def test_a_network_is_trained_further_where_all_its_own_optimizers_are_done(
    own: tuple[int, ...], outer: dict[str, Any], severity: str
) -> None:
    inner = [replace(SGD, id=f"sgd{number or ''}", last_step=last) for number, last in enumerate(own)]
    ledger = network_of_another(outer=replace(OTHER, **outer))
    ledger.optimizers[:1] = inner
    ledger.tensors[0].optimizers[:1] = by(*(each.id for each in inner))
    assert [each.severity for each in of("trained-by-another-optimizer", ledger)] == [severity]


def test_a_base_under_a_head_of_that_optimizer_is_trained_further() -> None:
    behind = NetworkContinued(step=8, network="base", tensors=("model.head.w",))
    assert of("trained-by-another-optimizer", network_of_another(behind)) == []
    assert of("trained-by-another-optimizer", network_of_another(replaced(behind, network="net")))
    assert of("trained-by-another-optimizer", network_of_another(replaced(behind, tensors=())))


def test_a_network_whose_own_steps_are_over_is_no_student() -> None:
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another())] == ["note"]
    beside = NetworkInParallel(step=8, tensors=("base.w",), beside=("model.head.w",))
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another(beside))] == ["warning"]
    held_elsewhere = [*by("other"), Holding("sgd", 0, listed=False)]
    ledger = network_of_another(beside)
    ledger.tensors[1].optimizers[:] = held_elsewhere
    assert [each.severity for each in of("trained-by-another-optimizer", ledger)] == ["warning"]
    ledger.tensors[1].optimizers[1].listed = True
    assert [each.severity for each in of("trained-by-another-optimizer", ledger)] != ["warning"]
    of_another = NetworkInParallel(step=8, tensors=("base.v",), beside=("model.head.w",))
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another(of_another))] == ["note"]
    trained_before = NetworkInParallel(step=8, tensors=("base.w",), beside=("base.w",))
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another(trained_before))] == [
        "note"
    ]


def parallel(training: bool | None, **more: Any) -> list[Finding]:
    declared = Declared(trainable=True, first=True, training=training, trainable_steps=8)
    known = {"changed": moved(STEP), "optimizers": by("sgd"), "declared": declared}
    part = row("net.before.w", **(known | more))
    now = row("net.now.w", changed=moved(STEP), optimizers=by("sgd"))
    event = NetworkInParallel(step=8, tensors=("net.before.w", "net.before.dropped"), beside=("net.now.w",))
    return of("trained-by-another-optimizer", run([part, now], event))


def test_a_part_in_eval_mode_is_trained_beside_one_in_training_mode() -> None:
    [found] = parallel(training=False)
    assert "of net.before are trained by sgd while it is in eval mode beside net.now" in found.message
    assert parallel(training=True) == parallel(training=None) == []
    assert parallel(training=False, changed=moved(replace(STEP, place="between"))) == []
    assert parallel(training=False, declared=replace(FROZEN, training=False)) == []
    assert parallel(training=False, optimizers=[]) == []


def late(**more: Any) -> TensorRow:
    """Unfrozen before step 4, and held by nobody."""
    flips = [Flip(4, True, "sgd")]
    declared = Declared(trainable=True, first=False, flip_count=1, flips=flips, trainable_steps=4, frozen_steps=4)
    return row("net.w", **({"declared": declared, "reached_by_backward": True} | more))


def test_what_was_unfrozen_and_is_in_no_optimizer_was_unfrozen_late() -> None:
    assert [each.severity for each in of("unfrozen-after-compile", run([late(), TRAINED]))] == ["error"]


@pytest.mark.parametrize(
    ("beside", "severity"),
    [
        ({"optimizers": held(nonzero=4), "changed": moved(STEP)}, "note"),
        ({"optimizers": []}, "error"),
        ({"optimizers": held(nonzero=4), "changed": moved(STEP), "declared": Declared(trainable=True)}, "error"),
    ],
)
def test_a_normalisation_may_be_left_out_where_all_else_is_held(beside: dict[str, Any], severity: str) -> None:
    norms = late(owner=Owner("norm", "BatchNorm1d", "normalisation"))
    other = replace(late(**beside), name="net.linear.weight")
    found = of("unfrozen-after-compile", run([norms, other, TRAINED]))
    assert {name: each.severity for each in found for name in each.tensors}["net.w"] == severity


@pytest.mark.parametrize(
    ("first", "compiled", "found"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_a_compiled_step_knows_the_flags_of_its_making(first: bool, compiled: bool, found: bool) -> None:
    declared = Declared(trainable=True, first=first, trainable_steps=8)
    tensor = row("net.w", declared=declared, optimizers=held(none=4), reached_by_backward=None)
    events = [StepCompiled(step=0, model="Net")] if compiled else []
    assert bool(of("unfrozen-after-compile", run([tensor, TRAINED], *events))) is found


def copied(name: str = "ema.w", shows: str = "passed-through", **more: Any) -> list[Finding]:
    """A copy from the first check that no step moved, beside the weight that it was copied from."""
    event = UpdateShown(step=1, optimizer="sgd", tensors=(name,), shows=shows)
    known = {"declared": Declared(), "copied_at": 0, "optimizers": []}
    original = row("net.w", **({"changed": moved(STEP), "optimizers": held(nonzero=4)} | more.pop("original", {})))
    return of("copy-never-follows", run([row(name, **(known | more)), original], event))


def test_a_copy_that_the_step_hands_back_as_it_was_is_a_warning_whatever_its_name() -> None:
    [found] = copied()
    assert (found.severity, found.tensors) == ("warning", ["ema.w"])
    assert found.message == "1 tensor (4 parameters) began as copies of trained weights and did not change in 8 steps"
    assert [each.severity for each in copied("before.w")] == ["warning"]
    assert copied(shows="gradient-unused") == []


@pytest.mark.parametrize(
    "other",
    [
        {"changed": moved(STEP)},
        {"copied_at": 3},
        {"size": 5},
        {"name": "ema.v"},
        {"original": {"optimizers": []}},  # what no optimizer moves is no source
        {"original": {"changed": Changed("no", checks=4)}},
    ],
)
def test_what_is_no_copy_that_should_follow(other: dict[str, Any]) -> None:
    assert copied(**other) == []


def test_a_weight_that_moved_though_it_was_expected_frozen_says_since_which_flip() -> None:
    flips = [Flip(2, False, "net"), Flip(4, True, "net"), Flip(6, False, "net"), Flip(7, True, "net")]
    declared = Declared(trainable=True, first=True, flip_count=4, flips=flips, trainable_steps=8)
    tensor = row("net.w", declared=declared, expected="frozen", expected_pattern="net.*", changed=moved(STEP))
    [found] = of("expected-frozen-but-changed", run([tensor]))
    assert found.message.endswith("declared trainable since a flip before step 7")
    off = replace(declared, flips=flips[:1])
    [found] = of("expected-frozen-but-changed", run([replace(tensor, declared=off)]))
    assert found.message.endswith("declared trainable")


def expert(number: int, **more: Any) -> TensorRow:
    owner = Owner(f"experts.{number}", "Linear")
    return row(f"net.experts.{number}.w", owner=owner, **({"optimizers": held(unknown=4)} | more))


def test_an_expert_without_a_gradient_that_was_seen_beside_a_trained_one_is_spared() -> None:
    trained = expert(1, changed=moved(STEP), optimizers=held(nonzero=4))
    [found] = of("trainable-but-unchanged", run([expert(0), trained]))
    assert (found.severity, str(found.evidence["excuse"]).partition(":")[0]) == ("note", "beside trained ones")
    [found] = of("trainable-but-unchanged", run([expert(0), expert(1), TRAINED]))
    assert found.severity == "warning"


def test_no_count_of_gradients_is_printed_where_none_was_looked_at() -> None:
    [found] = of("trainable-but-unchanged", run([row("net.w", optimizers=held(unknown=4))]))
    assert found.evidence["gradients_at_checks"] == "unknown 4"
    [found] = of("trainable-but-unchanged", run([row("net.w", optimizers=held())]))
    assert "gradients_at_checks" not in found.evidence
