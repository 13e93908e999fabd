"""What shows that decay alone made a move, and which rows moved that were to stay: each condition by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import STEP, held, moved, row, run

from frostline.core.ledger import Movement, RowsSeen, Shift
from frostline.core.record import Finding
from frostline.laws import judge
from frostline.laws.causes.frozen.decay import decay_alone, made_by_decay, made_by_hand

SHRUNK = Movement("step", 0, 1, "sgd", gradient="zero", shift=Shift(4, 4, ratio=0.9))
ADAM = Movement("step", 0, 1, "sgd", gradient="zero", weight_decay=0.1, shift=Shift(4, 4, shrunk=True))
UNSHOWN = replace(ADAM, shift=Shift(4, 4))


@pytest.mark.parametrize(
    ("move", "decayed"),
    [
        (SHRUNK, True),
        (replace(SHRUNK, shift=None), False),
        (replace(SHRUNK, shift=Shift(4, 4, ratio=1.1)), False),  # by a factor that grows it
        (replace(SHRUNK, shift=Shift(4, 4, ratio=-0.5)), False),
        (replace(SHRUNK, shift=Shift(4, 4, ratio=1.1), weight_decay=0.1), True),  # it has the name of decay
        (ADAM, True),
        (replace(ADAM, weight_decay=None), False),
        (replace(ADAM, gradient="nonzero"), False),
        (replace(ADAM, shift=Shift(4, 4, shrunk=False)), False),
        (UNSHOWN, True),  # too small to show it, and no gradient was ever seen
    ],
)
def test_a_step_decayed_the_tensor(move: Movement, decayed: bool) -> None:
    assert made_by_decay(row("net.w", changed=moved(move)), move) is decayed


@pytest.mark.parametrize(
    ("more", "decayed"),
    [
        ({"optimizers": held(zero=4)}, True),
        ({"optimizers": held(nonzero=1)}, False),
        ({"optimizers": [replace(held(nonzero=1)[0], optimizer="adam")]}, True),
        ({"changed": moved(replace(UNSHOWN, state=True), UNSHOWN)}, False),
        ({"changed": moved(replace(UNSHOWN, state=True, optimizer="adam"), UNSHOWN)}, True),
        ({"changed": moved(replace(UNSHOWN, state=True, place="outside"), UNSHOWN)}, True),
        ({"changed": moved(replace(UNSHOWN, place="outside"))}, False),
    ],
)
def test_what_is_too_small_to_show_decay_had_no_gradient_and_no_state(more: dict[str, Any], decayed: bool) -> None:
    assert made_by_decay(row("net.w", **({"changed": moved(UNSHOWN)} | more)), UNSHOWN) is decayed


BY_HAND = Movement("outside", 0, 1, shift=Shift(4, 4, ratio=0.99))


@pytest.mark.parametrize(
    ("move", "others", "by_hand"),
    [
        (BY_HAND, [BY_HAND], True),
        (BY_HAND, [], False),  # once is no decay
        (BY_HAND, [STEP], False),
        (replace(BY_HAND, place="between"), [BY_HAND], False),
        (replace(BY_HAND, shift=None), [BY_HAND], False),
        (replace(BY_HAND, shift=Shift(4, 4, ratio=0.9)), [BY_HAND], True),
        (replace(BY_HAND, shift=Shift(4, 4, ratio=0.89)), [BY_HAND], False),
        (replace(BY_HAND, shift=Shift(4, 4, ratio=1.0)), [BY_HAND], False),
    ],
)
def test_the_script_shrinks_a_tensor_a_little_and_again(move: Movement, others: list[Movement], by_hand: bool) -> None:
    assert made_by_hand(row("net.w", changed=moved(move, *others)), move) is by_hand


RESTORED = Movement("outside", 7, 8, shift=Shift(4, 4, max_ulp=8, grown=4))
SMALL = replace(SHRUNK, shift=Shift(4, 4, max_ulp=1, ratio=0.9))


@pytest.mark.parametrize(
    ("moves", "shows"),
    [
        ([SHRUNK], SHRUNK),
        ([SHRUNK, STEP], None),
        ([SHRUNK, Movement("outside", 7, 8)], None),
        ([SHRUNK, Movement("forward", 7, 8)], None),
        ([SHRUNK, Movement("between", 7, 8)], SHRUNK),
        ([SHRUNK, Movement("between", 7, 8, shift=Shift(4, 4, grown=1))], None),
        ([replace(SHRUNK, shift=None)], None),
        ([], None),
        ([replace(SHRUNK, shift=Shift(4, 4, ratio=1.1))], None),
        ([SMALL, RESTORED], SMALL),  # as of the best epoch
        ([SMALL, replace(RESTORED, shift=Shift(4, 4, max_ulp=9, grown=4))], None),  # more than steps took away
        ([SMALL, replace(RESTORED, shift=Shift(4, 4, max_ulp=8, grown=3))], None),
        ([SMALL, replace(RESTORED, shift=None)], None),
        ([ADAM], ADAM),
        ([UNSHOWN, ADAM], ADAM),
        ([UNSHOWN], None),
        ([replace(ADAM, weight_decay=None)], None),
        ([ADAM, replace(ADAM, gradient="unknown")], None),
        ([ADAM, replace(ADAM, shift=Shift(4, 4, shrunk=False))], None),
        ([ADAM, Movement("between", 7, 8, shift=Shift(4, 4, shrunk=False))], None),
    ],
)
def test_nothing_but_decay_moved_it(moves: list[Movement], shows: Movement | None) -> None:
    assert decay_alone(moves) == shows


# Rows

MOVED = RowsSeen("row", 4, 2, ["0:2"], "frozen", "net.w[:4]", first_step=3, place="step", optimizer="sgd")
MASKED = replace(MOVED, expected=None, pattern=None, how="a hook", checks=2)


def rows_found(seen: RowsSeen) -> list[Finding]:
    tensor = row("net.w", rows=[seen], changed=moved(STEP), optimizers=held(nonzero=4))
    return [each for each in judge(run([tensor]))[0] if each.rule == "frozen-rows-changed"]


@pytest.mark.parametrize(
    ("seen", "severity"),
    [
        (MOVED, "error"),
        (replace(MOVED, moved=0), None),
        (replace(MOVED, expected="trained"), None),
        (MASKED, "warning"),
        (replace(MASKED, checks=1), "note"),
    ],
)
def test_rows_that_moved_and_were_to_stay(seen: RowsSeen, severity: str | None) -> None:
    assert [each.severity for each in rows_found(seen)] == [severity] * (severity is not None)


DECAYED = {"ratio": 0.9, "weight_decay": 0.1}


@pytest.mark.parametrize(
    ("seen", "by"),
    [
        (MOVED, "by sgd)"),
        (replace(MOVED, place="between"), "at step 3)"),
        (replace(MOVED, **DECAYED), "by weight decay of sgd)"),
        (replace(MOVED, ratio=0.9), "by sgd)"),
        (replace(MOVED, weight_decay=0.1, state=True), "by sgd)"),
        (replace(MASKED, **DECAYED), "by weight decay of sgd)"),
        (replace(MASKED, weight_decay=0.1, state=True), "by weight decay or momentum of sgd)"),
        (replace(MASKED, state=True), "by momentum of sgd)"),
        (replace(MASKED, weight_decay=0.1), "by sgd)"),
    ],
)
def test_who_moved_rows_is_said(seen: RowsSeen, by: str) -> None:
    [found] = rows_found(seen)
    assert found.message.endswith(by)
    assert ("expected frozen (net.w[:4])" in found.message) is (seen.expected is not None)


@pytest.mark.parametrize(
    ("moves", "verdict", "found"), [(0, "yes", True), (0, "no", True), (0, "unknown", False), (1, "yes", False)]
)
def test_rows_that_were_to_be_trained_and_stayed(moves: int, verdict: Any, found: bool) -> None:
    seen = RowsSeen("row", 4, moves, [], "trained", "net.w[:4]")
    tensor = row("net.w", rows=[seen], changed=replace(moved(STEP), verdict=verdict), optimizers=held(nonzero=4))
    told = [each.message for each in judge(run([tensor]))[0] if each.rule == "expected-trained-but-unchanged"]
    assert told == ["4 rows of net.w expected trained (net.w[:4]) did not change"] * found
