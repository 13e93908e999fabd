"""Conditions of causes that no real run takes apart from one another: each by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as replaced
from tests.causes.test_mitigations import FROZEN, SGD, STEP, TRAINED, held, moved, row, run, saved

from frostline.core.columns.saved import Saved
from frostline.core.events import LabelUnmatched, NetworkContinued, NetworkInParallel, StepCompiled
from frostline.core.events.files import FileWritten
from frostline.core.ledger import Declared, Flip, Holding, Ledger, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge

MISSING = Saved("missing", [])
OTHER = OptimizerRow("other", "optimizer", "SGD", steps_executed=8, last_step=16, checks=[1, 8], checked_at=[9, 16])


def of(slug: str, ledger: Ledger) -> list[Finding]:
    return [finding for finding in judge(ledger)[0] if finding.rule == slug]


@pytest.mark.parametrize("freezes", [True, False])
def test_a_label_that_would_freeze_says_so(freezes: bool) -> None:
    event = LabelUnmatched(step=0, labels=("kept",), used=("fast",), freezes=freezes)
    [found] = of("label-matches-nothing", run([TRAINED], event))
    assert ("which would freeze" in found.message, bool(found.tensors)) == (freezes, freezes)


def by(*optimizers: str) -> list[Holding]:
    return [Holding(each, 0, lr=0.1, gradients={"nonzero": 4}) for each in optimizers]


def network_of_another(*events: Any, inner: OptimizerRow = SGD) -> Ledger:
    """``base`` has an optimizer of its own and stands, entire, in that of ``model``, which has a head."""
    base = row("base.w", changed=moved(STEP), optimizers=by("sgd", "other"))
    head = row("model.head.w", changed=moved(STEP), optimizers=by("other"))
    return run([base, head], *events, optimizers=[inner, OTHER])


def test_a_network_in_the_optimizer_of_another_is_found() -> None:
    [found] = of("trained-by-another-optimizer", network_of_another(inner=replace(SGD, last_step=16)))
    assert (found.severity, found.tensors) == ("warning", ["base.w"])


def test_a_base_under_a_head_of_that_optimizer_is_trained_further() -> None:
    behind = NetworkContinued(step=8, network="base", tensors=("model.head.w",))
    assert of("trained-by-another-optimizer", network_of_another(behind)) == []
    assert of("trained-by-another-optimizer", network_of_another(replaced(behind, network="net")))
    assert of("trained-by-another-optimizer", network_of_another(replaced(behind, tensors=())))


def test_a_network_whose_own_steps_are_over_is_no_student() -> None:
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another())] == ["note"]
    beside = NetworkInParallel(step=8, tensors=("base.w",), beside=("model.head.w",))
    assert [each.severity for each in of("trained-by-another-optimizer", network_of_another(beside))] == ["warning"]
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


def norm(path: str, role: str = "normalisation", weight: str = "same") -> list[TensorRow]:
    """The weight of a layer, which a file has, and its running mean, which moved and is in none."""
    owner = Owner(path, "BatchNorm1d", role)  # type: ignore[arg-type]
    forward = moved(replace(STEP, place="forward", optimizer=None))
    mean = row(f"net.{path}.mean", owner=owner, changed=forward, saved=MISSING)
    kept = MISSING if weight == "missing" else saved(weight)
    return [row(f"net.{path}.weight", owner=owner, changed=moved(STEP), saved=kept), replace(mean, kind="buffer")]


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        (norm("a"), ["net.a.mean"]),
        (norm("a", role="plain"), []),
        ([*norm("a", weight="missing"), *norm("b")], ["net.b.mean"]),
        ([replace(each, saved=None) for each in norm("a")], []),
    ],
)
def test_statistics_are_lost_where_the_weights_beside_them_are_saved(rows: list[TensorRow], lost: list[str]) -> None:
    found = [name for each in of("trained-but-not-saved", run(rows)) for name in each.tensors if name.endswith("mean")]
    assert found == lost


def written(times: int = 1, files: int = 1) -> list[FileWritten]:
    names = [f"model{number}.pt" for number in range(files)]
    return [FileWritten(step=4, file=each, by="torch.save", times=times, entries=1, tensors=1) for each in names]


@pytest.mark.parametrize(
    ("events", "second", "found"),
    [
        (written(), None, True),
        (written(times=2), None, False),
        (written(files=2), None, False),
        (written(), saved("same"), False),
        ([replaced(each, tensors=0) for each in written()], None, False),
    ],
)
def test_a_file_written_once_and_trained_on_is_older(events: list[FileWritten], second: Any, found: bool) -> None:
    old = Saved("older", [replace(saved("older").copies[0], step=4)])
    rows = [row("net.w", changed=moved(STEP), saved=old)]
    rows += [row("net.v", changed=moved(STEP), saved=second)] if second else []
    assert bool(of("saved-copy-is-older", run(rows, *events))) is found


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
