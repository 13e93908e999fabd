"""What moved a tensor that was declared frozen: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import FROZEN, SGD, STEP, STEPS, TRAINED, held, moved, row, run

from frostline.core.events import UpdateShown
from frostline.core.ledger import (
    CONVERTED,
    MERGED,
    UNMERGED,
    Changed,
    Declared,
    Flip,
    Holding,
    Ledger,
    Movement,
    Owner,
    Shift,
    TensorRow,
)
from frostline.core.record import Finding
from frostline.laws import judge
from frostline.laws.causes import expectations
from frostline.laws.causes.cause import proven
from frostline.laws.causes.frozen import in_step, module_state
from frostline.laws.causes.frozen.moved import Moved, moves_against_flags, never_declared
from frostline.laws.causes.frozen.written import (
    AFTERWARDS,
    AVERAGED,
    MISPLACED_AVERAGE,
    OVERWRITTEN,
    REWRITTEN_IN_FORWARD,
    REWRITTEN_OUTSIDE,
    WRITTEN,
)
from frostline.laws.observed_run import ObservedRun

BY_STEP = Movement("step", 0, 1, "sgd", trainable=False, gradient="nonzero")
OUTSIDE = Movement("outside", 3, 4, trainable=False, shift=Shift(4, 4))
FORWARD = Movement("forward", 0, 1, trainable=False)
NORM = Owner("norm", "BatchNorm1d", "normalisation")


def seen(*rows: TensorRow, events: tuple[Any, ...] = ()) -> ObservedRun:
    return ObservedRun(run(rows, *events))


def of_moved(ledger: Ledger, name: str = "net.w") -> Finding:
    """The finding of the frozen family about a tensor."""
    [finding] = [each for each in judge(ledger)[0] if each.code.startswith("F") and name in each.tensors]
    return finding


def frozen(name: str = "net.w", *moves: Movement, **more: Any) -> TensorRow:
    return row(name, **({"declared": FROZEN, "changed": moved(*moves)} | more))


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        ({}, True),
        ({"expected": "frozen"}, False),
        ({"kind": "buffer"}, False),
        ({"changed": Changed("no")}, False),
        ({"name": "other.w"}, False),
    ],
)
def test_a_weight_of_an_average_goes_with_its_source_where_it_was_to_be_trained(
    more: dict[str, Any], goes: bool
) -> None:
    follower = row("ema.v", changed=replace(moved(OUTSIDE), followed="net.v"))
    still = replace(row("ema.w", expected="trained", changed=Changed("no", near="net.w")), **more)
    assert expectations.goes_with_source(still, seen(follower, row("net.v", changed=moved(STEP)), still)) is goes


@pytest.mark.parametrize(("trainable", "where"), [(True, "sgd"), (False, None), (None, None)])
def test_a_storage_is_tied_to_what_is_trained(trainable: bool | None, where: str | None) -> None:
    other = row("net.v", declared=Declared(trainable=trainable), optimizers=held(nonzero=4))
    tied = frozen("net.w", BY_STEP, overlaps=["net.v", "net.gone"])
    assert in_step.TIED.explains(Moved(tied, BY_STEP, seen(tied, other))) == where
    unheld = seen(tied, replace(other, optimizers=[]))
    assert in_step.TIED.explains(Moved(tied, BY_STEP, unheld)) is None
    assert in_step.TIED.explains(Moved(tied, OUTSIDE, seen(tied, other))) is None


@pytest.mark.parametrize(("move", "where"), [(BY_STEP, "sgd"), (OUTSIDE, None)])
def test_a_raw_gradient_is_applied_in_steps(move: Movement, where: str | None) -> None:
    shown = UpdateShown(step=1, optimizer="sgd", tensors=("net.w",), shows="raw-gradient")
    assert in_step.RAW_GRADIENT.explains(Moved(frozen("net.w", move), move, seen(events=(shown,)))) == where
    assert in_step.RAW_GRADIENT.explains(Moved(frozen("net.w", move), move, seen())) is None


def test_a_merge_is_told_where_nothing_but_the_merge_moved_the_tensor() -> None:
    merge = replace(OUTSIDE, event=MERGED)
    assert of_moved(run([frozen("net.w", FORWARD, merge)])).code == "F108"
    between = Movement("between", 0, 1, trainable=False, equals="net.copy")
    assert of_moved(run([frozen("net.w", between, merge)])).code == "F109"
    assert of_moved(run([frozen("net.w", between)])).code == "F104"


@pytest.mark.parametrize(
    ("move", "more", "is_state"),
    [
        (FORWARD, {}, True),
        (OUTSIDE, {}, False),
        (replace(FORWARD, event=MERGED), {}, False),
        (FORWARD, {"kind": "buffer"}, False),
        (FORWARD, {"declared": Declared(trainable=False, first=True)}, False),
        (FORWARD, {"owner": replace(NORM, path="linear")}, False),
        (FORWARD, {"owner": Owner("alone", "Linear")}, False),
        (OUTSIDE, {"owner": Owner("linear", "Linear", "spectral")}, False),
        (OUTSIDE, {"owner": Owner("linear", "Linear", "spectral"), "changed": moved(OUTSIDE, OUTSIDE)}, True),
    ],
)
def test_what_a_module_with_weights_rewrites_in_its_forward_pass_is_state(
    move: Movement, more: dict[str, Any], is_state: bool
) -> None:
    state = replace(frozen("net.linear.mean", move), **more)
    assert module_state.is_state(state, seen(state, TRAINED)) is is_state


def test_state_of_a_copy_that_was_gone_soon_is_shown_by_its_namesake() -> None:
    state, shown = frozen("net.linear.mean", OUTSIDE), frozen("copy.linear.mean", FORWARD)
    bias = replace(TRAINED, name="copy.linear.bias", model="copy")
    assert module_state.is_state(state, seen(state, TRAINED, shown, bias))
    for other in (replace(shown, name="copy.linear.variance"), replace(shown, shape=(5,))):
        assert not module_state.is_state(state, seen(state, TRAINED, other, bias))


@pytest.mark.parametrize(("kind", "flips", "moves"), [("buffer", 2, 1), ("buffer", 3, 0), ("parameter", 3, 1)])
def test_statistics_of_what_takes_turns_are_not_frozen(kind: Any, flips: int, moves: int) -> None:
    declared = replace(FROZEN, flip_count=flips)
    assert len(moves_against_flags(frozen("net.w", FORWARD, kind=kind, declared=declared))) == moves


@pytest.mark.parametrize(
    ("declared", "moves"),
    [
        (Declared(trainable=True, container_flag=False), 1),
        (Declared(trainable=True, alias_flags=[("net.v", True), ("net.u", False)]), 1),
        (Declared(trainable=True, alias_flags=[("net.v", True)]), 0),
        (Declared(trainable=True), 0),
        (Declared(trainable=False, container_flag=False), 0),
    ],
)
def test_a_step_may_pass_over_the_flag_of_a_container_or_of_another_name(declared: Declared, moves: int) -> None:
    outside = replace(STEP, place="outside")
    assert moves_against_flags(row("net.w", declared=declared, changed=moved(STEP, outside))) == [STEP][:moves]


def test_only_a_count_of_batches_is_counted() -> None:
    mean = row("net.norm.mean", kind="buffer", owner=NORM, declared=FROZEN)
    count = frozen("net.norm.count", FORWARD, kind="buffer", owner=NORM, dtype="int64")
    assert of_moved(run([mean, count]), count.name).severity == "note"
    scale = frozen("net.norm.scale", FORWARD, owner=NORM)
    assert of_moved(run([mean, scale]), scale.name).severity == "error"
    assert of_moved(run([count]), count.name).severity == "error"


@pytest.mark.parametrize(
    ("owner", "move", "where"),
    [
        (Owner("e", "Embedding", "embedding"), OUTSIDE, "forward"),
        (Owner("e", "Embedding", "embedding", called=True), OUTSIDE, None),
        (Owner("e", "Embedding", "embedding", called=True, rewrites_in_forward=True), OUTSIDE, "forward"),
        (Owner("e", "Linear"), OUTSIDE, None),
        (Owner("e", "Embedding", "embedding"), replace(OUTSIDE, equals="net.copy"), None),
        (Owner("e", "Embedding", "embedding"), replace(OUTSIDE, event=MERGED), None),
        (Owner("e", "Linear", rewrites_in_forward=True), BY_STEP, "sgd"),
        (Owner("e", "Linear"), BY_STEP, None),
    ],
)
def test_what_a_forward_pass_rewrites_where_none_was_watched(owner: Owner, move: Movement, where: str | None) -> None:
    assert REWRITTEN_IN_FORWARD.explains(Moved(frozen("net.w", move, owner=owner), move, seen())) == where


def test_what_was_rewritten_late_says_when_it_was_last_looked_at() -> None:
    late = Movement("between", 4, 8, trainable=False, late=True)
    message = of_moved(run([frozen("net.w", late)])).message
    assert message.endswith("moved after step 4, when they were last looked at; the run had 8 steps")


@pytest.mark.parametrize(
    ("more", "ruled_out"),
    [
        ({}, ["no other tensor overlaps it", "no optimizer holds it", "its owner is a Linear"]),
        ({"owner": Owner()}, ["no other tensor overlaps it", "no optimizer holds it", "its owner is a plain tensor"]),
        ({"owner": Owner("linear", "Linear", "spectral")}, ["no other tensor overlaps it", "no optimizer holds it"]),
        ({"aliases": ["net.v"]}, ["no optimizer holds it", "its owner is a Linear"]),
        ({"overlaps": ["net.v"]}, ["no optimizer holds it", "its owner is a Linear"]),
        ({"optimizers": held(none=4)}, ["no other tensor overlaps it", "its owner is a Linear"]),
    ],
)
def test_what_is_ruled_out_of_a_move_without_a_cause(more: dict[str, Any], ruled_out: list[str]) -> None:
    between = Movement("between", 0, 1, trainable=False)
    declared = replace(FROZEN, flips=[Flip(1, False)])  # without which a tensor of no module was never declared
    found = of_moved(run([frozen("net.w", between, **({"declared": declared} | more))]))
    assert [str(each).partition(": ")[2] for each in found.evidence["ruled_out"]] == ruled_out  # type: ignore[union-attr]


def test_a_gradient_that_was_not_there_is_ruled_out() -> None:
    in_step = replace(BY_STEP, gradient="none", optimizer="adam")
    found = of_moved(
        run([frozen("net.w", in_step, optimizers=held(none=4))], optimizers=[SGD, replace(SGD, id="adam")])
    )
    assert "stale gradient: there was none" in found.evidence["ruled_out"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("more", "never"),
    [
        ({}, True),
        ({"owner": Owner("linear", "Linear")}, False),
        ({"declared": Declared(trainable=False)}, False),
        ({"declared": Declared(trainable=False, first=True)}, False),
        ({"declared": replace(FROZEN, flips=[Flip(1, False)])}, False),
    ],
)
def test_a_tensor_of_no_module_that_nobody_declared(more: dict[str, Any], never: bool) -> None:
    assert never_declared(row("net.w", **({"declared": FROZEN, "owner": Owner()} | more))) is never


AVERAGE = replace(BY_STEP, event=AVERAGED, resembles="net.v")


@pytest.mark.parametrize(
    ("move", "misplaced", "overwritten"),
    [
        (replace(OUTSIDE, equals="a copy", resembles="net.v"), "outside", "outside"),
        (replace(OUTSIDE, equals="a copy"), None, "outside"),
        (replace(OUTSIDE, resembles="net.v"), None, None),
        (replace(OUTSIDE, equals="a copy", event=MERGED), None, None),
        (AVERAGE, None, "sgd"),
        (replace(AVERAGE, event=None), None, None),
        (replace(BY_STEP, equals="a copy", gradient="zero", resembles="net.v"), "sgd", "sgd"),
        (replace(BY_STEP, equals="a copy", resembles="net.v"), None, None),  # its gradient moved it
        (Movement("between", 0, 1, equals="a copy", resembles="net.v"), "outside", "outside"),
        (Movement("forward", 0, 1, equals="a copy", resembles="net.v"), None, None),
        (Movement("between", 0, 1, resembles="net.v"), None, None),
    ],
)
def test_where_a_copy_was_written_over_a_tensor(move: Movement, misplaced: str | None, overwritten: str | None) -> None:
    seen_move = Moved(frozen("net.w", move), move, seen())
    assert MISPLACED_AVERAGE.explains(seen_move) == misplaced
    assert OVERWRITTEN.explains(seen_move) == overwritten
    by_hand = ObservedRun(run([], optimizers=[replace(SGD, by_hand=True)]))
    assert OVERWRITTEN.explains(replace(seen_move, run=by_hand)) == (None if move.place == "outside" else overwritten)


@pytest.mark.parametrize(
    ("moves", "proof"),
    [
        ([replace(OUTSIDE, event=MERGED)], "no step and no forward pass moved it"),
        ([replace(OUTSIDE, event=MERGED), FORWARD], "it was seen when it was done"),
        ([OUTSIDE], None),
    ],
)
def test_a_merge_says_how_it_was_seen(moves: list[Movement], proof: str | None) -> None:
    seen_move = Moved(frozen("net.w", *moves), moves[0], seen(), where=moves[0].event or "outside")
    found = proven(REWRITTEN_OUTSIDE.mitigations, seen_move)
    assert (found.proof if found is not None else None) == (
        f"an adapter was merged into it by step 4, and {proof}" if proof else None
    )


def late(until: int | None, where: str = AFTERWARDS, steps: int = STEPS) -> str | None:
    """What makes a write weigh less that was first seen after this step."""
    move = Movement("between", 4, steps, trainable=False, late=True, unwritten_until=until)
    found = proven(REWRITTEN_OUTSIDE.mitigations, Moved(frozen("net.w", move), move, seen(), where=where))
    return found.name if found is not None else None


def test_a_write_after_the_last_step_or_near_it_weighs_less() -> None:
    assert [late(until) for until in (None, 6, 7, 8)] == [None, "near the end", "near the end", "after training"]
    assert late(6, "outside") is late(8, "outside") is None


@pytest.mark.parametrize(
    ("where", "dtype", "found"),
    [
        (UNMERGED, "float32", "last digits"),
        (UNMERGED, "float64", "last digits"),
        (UNMERGED, "bfloat16", None),
        ("outside", "float32", None),
    ],
)
def test_only_a_merge_that_was_undone_in_full_precision_moves_last_digits(
    where: str, dtype: str, found: str | None
) -> None:
    mitigated = proven(
        REWRITTEN_OUTSIDE.mitigations, Moved(frozen("net.w", OUTSIDE, dtype=dtype), OUTSIDE, seen(), where=where)
    )
    assert (mitigated.name if mitigated is not None else None) == found


@pytest.mark.parametrize(
    ("move", "where", "otherwise"),
    [
        (OUTSIDE, "outside", "outside"),
        (replace(OUTSIDE, shift=None), None, "outside"),
        (replace(OUTSIDE, shift=None, event="loading"), "loading", "outside"),
        (Movement("between", 0, 1, event=CONVERTED), CONVERTED, None),
        (Movement("between", 0, 1, event=UNMERGED), UNMERGED, None),
        (Movement("between", 0, 1, event="loading"), None, None),
        (Movement("between", 0, 1, unwritten_until=0), None, WRITTEN),
        (Movement("step", 0, 1, unwritten_until=0), None, None),
        (Movement("between", 0, 8, late=True), None, AFTERWARDS),
        (Movement("between", 0, 8, late=True, unwritten_until=6), None, AFTERWARDS),
    ],
)
def test_where_something_else_than_a_step_wrote(move: Movement, where: str | None, otherwise: str | None) -> None:
    seen_move = Moved(frozen("net.w", move), move, seen())
    assert REWRITTEN_OUTSIDE.otherwise is not None
    assert (REWRITTEN_OUTSIDE.explains(seen_move), REWRITTEN_OUTSIDE.otherwise(seen_move)) == (where, otherwise)
    by_hand = replace(seen_move, run=ObservedRun(run([], optimizers=[replace(SGD, by_hand=True)])))
    assert REWRITTEN_OUTSIDE.explains(by_hand) == (move.event or "outside" if move.place == "outside" else where)


@pytest.mark.parametrize(("since", "listed", "where"), [(8, True, AFTERWARDS), (7, True, None), (7, False, AFTERWARDS)])
def test_what_moved_late_moved_after_the_last_step_of_its_holders(since: int, listed: bool, where: str | None) -> None:
    move = Movement("between", since, 8, late=True, unwritten_until=6)
    tensor = frozen("net.w", move, optimizers=[Holding("sgd", 0, listed=listed)])
    assert REWRITTEN_OUTSIDE.otherwise is not None
    assert REWRITTEN_OUTSIDE.otherwise(Moved(tensor, move, seen(tensor))) == where
    early = replace(move, late=False)
    assert REWRITTEN_OUTSIDE.otherwise(Moved(tensor, early, seen(tensor))) is None


@pytest.mark.parametrize(
    ("declared", "move", "where"),
    [
        (Declared(trainable=False, first=True), BY_STEP, "sgd"),
        (replace(FROZEN, flips=[Flip(4, False)]), BY_STEP, "sgd"),
        (replace(FROZEN, flips=[Flip(4, True)]), BY_STEP, None),
        (FROZEN, BY_STEP, None),
        (Declared(trainable=False, first=True), replace(BY_STEP, gradient="zero"), None),
        (Declared(trainable=False, first=True), OUTSIDE, None),
    ],
)
def test_a_gradient_is_stale_where_the_flag_was_on_before(
    declared: Declared, move: Movement, where: str | None
) -> None:
    assert in_step.STALE_GRADIENT.explains(Moved(frozen("net.w", move, declared=declared), move, seen())) == where
