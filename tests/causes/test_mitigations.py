"""Nothing weighs less than its cause without a printed proof, and every mitigation is proven in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from tests.ledgers import stored

from frostline.core.columns.replica import ReplicaSample
from frostline.core.columns.saved import Copy, Saved
from frostline.core.events import LabelUnmatched, ResultDropped, StateReset, UpdateShown
from frostline.core.ledger import (
    UNMERGED,
    Changed,
    Declared,
    Holding,
    Ledger,
    Movement,
    OptimizerRow,
    Owner,
    RowsSeen,
    Shift,
    TensorRow,
)
from frostline.core.record import SEVERITIES, Finding
from frostline.core.run import Run
from frostline.core.suppressions import Policy
from frostline.judging import judged
from frostline.laws import judge
from frostline.laws.causes import CAUSES, ranks
from frostline.laws.causes.cause import Case, Cause

STEPS = 8
OF = {cause.slug: cause for cause in CAUSES}
FROZEN, TRAINABLE = Declared(trainable=False, first=False), Declared(trainable=True, first=True, trainable_steps=STEPS)
SGD = OptimizerRow("sgd", "optimizer", "SGD", steps_executed=STEPS, last_step=STEPS, checks=[1, 8], checked_at=[1, 8])
LINEAR = Owner("linear", "Linear")


def row(name: str, **fields: Any) -> TensorRow:
    """A parameter of a module, at rest unless said otherwise."""
    model = name.partition(".")[0]
    size, kind, dtype = fields.pop("size", 4), fields.pop("kind", "parameter"), fields.pop("dtype", "float32")
    known = {"declared": TRAINABLE, "changed": Changed("no", checks=4, checked_until=STEPS), "owner": LINEAR}
    return TensorRow(name, model, kind, (size,), dtype, 4 * size, size, **(known | fields))


def moved(*moves: Movement) -> Changed:
    first, last = moves[0], moves[-1]
    return Changed("yes", first.until, last.until, [f"{move.optimizer} step" for move in moves], movements=[*moves])


def held(**gradients: int) -> list[Holding]:
    return [Holding("sgd", 0, lr=0.1, max_lr=0.1, gradients=gradients)]


def run(rows: Iterable[TensorRow], *events: Any, optimizers: Iterable[OptimizerRow] = (SGD,), **fields: Any) -> Ledger:
    return Ledger([*rows], [*optimizers], [*events], run=Run(steps=STEPS, complete=True), **fields)


STEP = Movement("step", 0, 1, "sgd", trainable=True, gradient="nonzero")
DECAY = Movement("step", 0, 8, "sgd", True, gradient="zero", weight_decay=0.1, shift=Shift(4, 4, ratio=0.9))
OUTSIDE = Movement("outside", 3, 4, trainable=False, shift=Shift(4, 4), event=UNMERGED)
TRAINED = row("net.linear.bias", changed=moved(STEP), optimizers=held(nonzero=4))
LATE = Movement("between", 4, 8, trainable=False, late=True, unwritten_until=6)


def counted() -> Ledger:
    norm = Owner("norm", "BatchNorm1d", "normalisation", frozen_subtree="norm")
    count = Movement("forward", 0, 1, trainable=False)
    return run(
        [
            row("net.norm.running_mean", declared=FROZEN, owner=norm),
            row("net.norm.num_batches_tracked", declared=FROZEN, owner=norm, changed=moved(count)),
        ]
    )


def with_kinds(ledger: Ledger) -> Ledger:
    """The two buffers of ``counted``, of which one counts."""
    mean, count = ledger.tensors
    rows = [replace(mean, kind="buffer"), replace(count, kind="buffer", dtype="int64")]
    return replace(ledger, tensors=rows)


def listed(name: str, **fields: Any) -> TensorRow:
    """A weight that the optimizer holds and that never had a gradient."""
    return row(name, optimizers=held(none=4), **fields)


def expert(number: int, changed: Changed) -> TensorRow:
    owner = Owner(f"experts.{number}", "Linear")
    return row(f"net.experts.{number}.weight", owner=owner, changed=changed, optimizers=held(zero=4))


def saved(state: str, **fields: Any) -> Saved:
    copy = Copy("model.pt", "w", 8, state, "float32", **fields)  # type: ignore[arg-type]
    return Saved(state, [copy])  # type: ignore[arg-type]


def copies_of(name: str) -> list[TensorRow]:
    unknown = Declared()
    return [row(f"{name}.w", declared=unknown, copied_at=0), row("net.w", changed=moved(STEP), optimizers=held())]


PASSED = UpdateShown(step=1, optimizer="sgd", tensors=("ema.w",), shows="passed-through")
PROVEN: dict[tuple[str, str], Callable[[], Ledger]] = {
    ("frozen-but-statistics-moved", "counted"): lambda: with_kinds(counted()),
    ("frozen-but-rewritten-outside-step", "last digits"): lambda: run(
        [row("net.w", declared=FROZEN, changed=moved(OUTSIDE))]
    ),
    ("frozen-but-rewritten-outside-step", "near the end"): lambda: run(
        [row("net.w", declared=FROZEN, changed=moved(LATE))]
    ),
    ("frozen-rows-changed", "seen once"): lambda: run(
        [row("net.w", rows=[RowsSeen("row", 4, 1, ["0"], how="a hook", checks=1)])]
    ),
    ("trainable-but-unchanged", "hidden"): lambda: run([row("net.w", optimizers=held(unknown=4))]),
    ("not-in-any-optimizer", "a buffer"): lambda: run(
        [row("net.mask", as_buffer=True, reached_by_backward=True), TRAINED]
    ),
    ("no-gradient", "rest of the module"): lambda: run([listed("net.linear.weight"), TRAINED]),
    ("moved-by-decay-alone", "expert of many"): lambda: run([expert(0, moved(DECAY)), expert(1, moved(STEP))]),
    ("result-dropped", "once"): lambda: run(
        [row("net.w")], ResultDropped(step=1, optimizer="sgd", tensors=("net.w",), times=1)
    ),
    ("gradient-not-used", "frozen by hand"): lambda: run(
        [row("net.w"), TRAINED], UpdateShown(step=1, optimizer="sgd", tensors=("net.w",), shows="gradient-unused")
    ),
    ("optimizer-state-reset", "once"): lambda: run(
        [TRAINED], StateReset(step=2, optimizer="sgd", state=("mu",), times=1)
    ),
    ("label-matches-nothing", "freezes nothing"): lambda: run(
        [TRAINED], LabelUnmatched(step=0, labels=("slow",), used=("fast",), freezes=False)
    ),
    ("copy-never-follows", "few steps"): lambda: run(
        copies_of("ema"), PASSED, optimizers=[replace(SGD, steps_executed=2)], patience=3
    ),
    ("trained-but-not-saved", "a head alone"): lambda: run(
        [
            *(row(f"net.body.{n}.w", changed=moved(STEP), size=400, saved=Saved("missing", [])) for n in range(2)),
            row("net.head.w", changed=moved(STEP), saved=saved("same")),
            row("net.head.b", changed=moved(STEP), saved=saved("same")),
        ]
    ),
    ("saved-copy-is-older", "not all"): lambda: run(
        [
            row("net.a", changed=moved(STEP), saved=saved("first", put_back=True)),
            row("net.b", changed=moved(STEP), saved=saved("same")),
        ],
    ),
    ("saved-values-differ", "a later step"): lambda: run(
        [row("net.w", changed=moved(STEP), saved=saved("same", taken=4))]
    ),
}


def excuses(findings: Iterable[Finding]) -> set[tuple[str, str]]:
    """Of findings that a mitigation makes weigh less, the cause and the mitigation."""
    return {
        (each.rule, str(each.evidence["excuse"]).partition(": ")[0]) for each in findings if "excuse" in each.evidence
    }


@pytest.mark.parametrize(("slug", "name"), PROVEN, ids=lambda part: part.replace(" ", "-"))
def test_a_mitigation_is_proven(slug: str, name: str) -> None:
    findings, _ = judge(PROVEN[slug, name]())
    assert (slug, name) in excuses(findings)


def of_ranks(*rows: TensorRow) -> set[tuple[str, str]]:
    """The excuses of what the records of processes differ in, each of which has one tensor."""
    comparison = ranks.Comparison()
    for rank, tensor in enumerate(rows):
        known = judged(run([tensor]), Policy())
        comparison.add(replace(known, run=replace(known.run, rank=rank)))
    return excuses(comparison.findings())


def replica(first: str, last: str, **fields: Any) -> TensorRow:
    return row("net.w", changed=Changed("yes", digests=(first, last)), **fields)


def test_what_makes_ranks_that_differ_weigh_less() -> None:
    assert of_ranks(replica("x", "a"), replica("x", "b")) == set()
    assert of_ranks(replica("x", "a"), replica("y", "b")) == {("ranks-diverge", "never agreed")}
    averaged, own = [[Holding("sgd", first_gradient=of) for of in pair] for pair in (("g", "g"), ("g", "h"))]
    assert (
        of_ranks(*(replica(a, b, optimizers=[held]) for a, b, held in zip("xy", "ab", averaged, strict=True))) == set()
    )
    each = of_ranks(*(replica(a, b, optimizers=[held]) for a, b, held in zip("xy", "ab", own, strict=True)))
    assert each == {("ranks-diverge", "own gradients")}
    statistics = [replace(replica("x", last), kind="buffer") for last in "ab"]
    assert of_ranks(*statistics) == {("ranks-diverge", "statistics")}
    last = [ReplicaSample(4, (0.0,), (end,), size=1.0, travelled=0.1) for end in (0.0, 2**-23)]
    digits = [replica("x", each) for each in "ab"]
    digits = [replace(one, changed=replace(one.changed, sample=each)) for one, each in zip(digits, last, strict=True)]
    assert of_ranks(*digits) == {("ranks-diverge", "last digits")}
    flags = [replica("x", "a", declared=declared) for declared in (TRAINABLE, FROZEN)]
    assert of_ranks(*flags) == {("ranks-hold-different-tensors", "bits agree")}


@pytest.mark.parametrize(("last", "excuse"), [("a", "ended alike"), ("b", "bits agree")])
def test_other_numbers_of_steps_weigh_less_where_all_ends_alike(last: str, excuse: str) -> None:
    comparison = ranks.Comparison()
    for rank, (steps, end) in enumerate([(6, "a"), (8, last)]):
        known = judged(run([replica("x", end)], optimizers=[OptimizerRow("o", "optimizer", "SGD")]), Policy())
        known.optimizers[0] = replace(known.optimizers[0], steps_executed=steps)
        comparison.add(replace(known, run=replace(known.run, rank=rank, complete=True)))
    assert ("ranks-hold-different-tensors", excuse) in excuses(comparison.findings())


def test_every_mitigation_is_proven_in_a_stored_run_or_here() -> None:
    stored_runs = (seen for shelf in stored.SHELVES for seen in stored.load(shelf))
    found = {excuse for seen in stored_runs for excuse in _stored(seen)}
    of_ranks = {("ranks-diverge", name) for name in ("never agreed", "own gradients", "statistics", "last digits")}
    of_ranks |= {("ranks-hold-different-tensors", name) for name in ("bits agree", "ended alike")}
    known = {(cause.slug, each.name) for cause in CAUSES for each in cause.mitigations}
    assert known - found - of_ranks - PROVEN.keys() == set()
    assert {excuse for excuse in found if excuse[1] != "few steps" and excuse not in known} == set()


def _stored(seen: stored.Seen) -> set[tuple[str, str]]:
    findings = stored.judged(seen)["findings"]
    return {
        (each["rule"], each["evidence"]["excuse"].partition(": ")[0])
        for each in findings
        if "excuse" in each["evidence"]
    }


def lighter_without_proof(findings: Iterable[Any]) -> list[str]:
    """Findings that weigh less than their cause does, and do not say why."""
    return [
        each.rule
        for each in findings
        if each.rule in OF
        and SEVERITIES.index(each.severity) > SEVERITIES.index(OF[each.rule].severity)
        and "excuse" not in each.evidence
    ]


@pytest.mark.parametrize("shelf", stored.SHELVES)
def test_nothing_weighs_less_without_a_proof(shelf: str) -> None:
    for seen in stored.load(shelf):
        for ledger in seen.ledgers:
            assert lighter_without_proof(judge(ledger)[0]) == [], seen.program


def test_a_finding_that_weighs_less_without_a_proof_is_noticed() -> None:
    cause: Cause = OF["no-gradient"]
    planted = replace(cause.finding(Case(["net.w"], "did not change")), severity="note")
    assert lighter_without_proof([planted]) == ["no-gradient"]
