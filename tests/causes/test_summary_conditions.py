"""A printed count against what steps moved: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import FROZEN, SGD, STEP, held, moved, row, run

from frostline.core.events import SummaryPrinted
from frostline.core.ledger import MERGED, Changed, Declared, Flip, Movement, OptimizerRow, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge

PART = OptimizerRow(
    "part", "optimizer", "SGD", steps_executed=8, last_step=8, checks=[1], checked_at=[1], trains_model="d"
)


def weight(*moves: Movement, name: str = "net.w", **more: Any) -> TensorRow:
    """A weight that a step moved unless said otherwise."""
    return row(name, **({"changed": moved(*(moves or (STEP,))), "optimizers": held(nonzero=4)} | more))


def found(*rows: TensorRow, optimizers: tuple[OptimizerRow, ...] = (SGD,), **printed: Any) -> list[Finding]:
    """What is found of a summary of these tensors that called nothing trainable."""
    known = {"step": 0, "summary": 1, "model": "net", "tensors": tuple(each.name for each in rows), "trainable": 0}
    event = SummaryPrinted(**(known | printed))
    return [each for each in judge(run(rows, event, optimizers=optimizers))[0] if each.rule == "summary-disagrees"]


def test_a_count_below_what_steps_moved_is_wrong() -> None:
    [finding] = found(weight(declared=FROZEN), weight(name="net.v"))
    assert finding.message == (
        "the summary of net says 0 trainable; the steps after it changed 8 of 8: the summary is wrong"
    )
    assert finding.tensors == ["net.w"]  # those whose flag says frozen
    assert found(weight(), weight(name="net.v"))[0].tensors == ["net.w", "net.v"]
    contained = weight(declared=Declared(trainable=True, first=True, container_flag=False))
    assert found(contained, weight(name="net.v"))[0].tensors == ["net.w"]


@pytest.mark.parametrize(
    ("printed", "is_wrong"),
    [
        ({}, True),
        ({"trainable": 3}, True),
        ({"trainable": 4}, False),
        ({"trainable": None}, False),
        ({"tensors": ()}, False),
        ({"step": 8}, False),  # no step came after it
        ({"step": 7}, False),  # nor did one move the weight
    ],
)
def test_which_counts_are_wrong(printed: dict[str, Any], is_wrong: bool) -> None:
    assert bool(found(weight(), **printed)) is is_wrong


@pytest.mark.parametrize(
    ("tensor", "step", "counts"),
    [
        (weight(replace(STEP, since=4, until=5)), 4, True),
        (weight(replace(STEP, since=4, until=5)), 5, False),
        (weight(Movement("outside", 4, 5)), 4, True),
        (weight(Movement("outside", 3, 5)), 4, False),  # it may have been before
        (weight(Movement("forward", 4, 5)), 4, False),
        (weight(kind="buffer"), 0, False),
        (row("net.w", changed=Changed("yes"), optimizers=held(nonzero=4)), 0, True),  # a later sighting
        (row("net.w", changed=Changed("yes"), optimizers=held(nonzero=4)), 1, False),
        (row("net.w", changed=Changed("yes")), 0, False),
        (row("net.w", optimizers=held(nonzero=4)), 0, False),
        (weight(Movement("outside", 4, 5, event=MERGED), declared=FROZEN), 0, False),
    ],
)
def test_what_moved_after_the_summary(tensor: TensorRow, step: int, counts: bool) -> None:
    assert bool(found(tensor, step=step)) is counts


def test_what_the_optimizer_of_a_part_moved_is_for_the_summary_of_the_part() -> None:
    by_part = replace(STEP, optimizer="part")
    part = weight(by_part, optimizers=[replace(held(nonzero=4)[0], optimizer="part")])
    rest = weight(name="net.v")
    assert found(part, rest, optimizers=(SGD, PART), trainable=4) == []
    assert found(part, rest, optimizers=(SGD, replace(PART, trains_model=None)), trainable=4)
    assert found(part, rest, optimizers=(SGD, replace(PART, trains_model="net")), trainable=4)
    assert found(part, optimizers=(SGD, PART))  # it has all that was summarised
    both = replace(part, optimizers=[*part.optimizers, *rest.optimizers], changed=moved(Movement("between", 1, 2)))
    assert found(both, rest, step=1, optimizers=(SGD, PART)) == []  # either may have moved it
    assert found(both, rest, step=1, optimizers=(SGD, replace(PART, trains_model=None)))


FROZEN_STEP = replace(STEP, since=1, until=2, trainable=False)
SWITCHED = Declared(trainable=True, first=False, flip_count=1, flips=[Flip(4, True)], trainable_steps=4)


@pytest.mark.parametrize(
    ("tensor", "printed", "outdated"),
    [
        (weight(declared=SWITCHED), {}, True),
        (weight(declared=SWITCHED), {"step": 0, "trainable": 1}, True),
        (weight(replace(STEP, since=6, until=7), declared=SWITCHED), {"step": 4}, False),  # switched on before it
        (weight(replace(STEP, trainable=False), declared=SWITCHED), {}, False),
        (
            weight(FROZEN_STEP, replace(STEP, since=6, until=7), declared=SWITCHED),
            {"step": 3},
            True,
        ),
        (
            weight(FROZEN_STEP, replace(STEP, since=6, until=7), declared=SWITCHED),
            {"step": 2},  # right after the step that moved it with its flag off
            True,
        ),
        (weight(FROZEN_STEP, replace(STEP, since=6, until=7), declared=SWITCHED), {"step": 1}, False),
        (weight(declared=replace(SWITCHED, flip_count=9, flips=[])), {}, True),  # one of the flips that were not kept
        (weight(declared=replace(SWITCHED, flips=[Flip(4, False)])), {}, False),
        (weight(), {"flags_trainable": 0}, True),
        (weight(), {"flags_trainable": 4}, False),
        (weight(), {}, False),
    ],
)
def test_flags_that_were_changed_after_a_summary_excuse_it(
    tensor: TensorRow, printed: dict[str, Any], outdated: bool
) -> None:
    [finding] = found(tensor, **printed)
    assert (finding.severity, "outdated" in str(finding.evidence.get("excuse"))) == (
        ("note", True) if outdated else ("error", False)
    )
    assert ("flags were changed after it" in finding.message) is outdated


@pytest.mark.parametrize(
    ("printed", "is_wrong"),
    [
        ((9, 4, 4), True),
        ((8, 4, 4), False),
        ((None, 4, 4), False),
        ((9, None, 4), False),
        ((9, 4, None), False),
    ],
)
def test_a_total_that_does_not_add_up_is_a_note(printed: tuple[int | None, ...], is_wrong: bool) -> None:
    counts = dict(zip(("total", "trainable", "non_trainable"), printed, strict=True))
    assert [each.severity for each in found(weight(), **counts)] == ["note"] * is_wrong


def test_a_model_is_told_of_once_unless_a_later_summary_weighs_more() -> None:
    tensor = weight()

    def printed(number: int, **more: Any) -> SummaryPrinted:
        known = {"step": 0, "summary": number, "model": "net", "tensors": ("net.w",), "trainable": 0}
        return SummaryPrinted(**(known | more))

    def severities(*events: SummaryPrinted) -> list[str]:
        return [each.severity for each in judge(run([tensor], *events))[0] if each.rule == "summary-disagrees"]

    assert severities(printed(1), printed(2)) == ["error"]
    assert severities(printed(1, flags_trainable=0), printed(2)) == ["error", "note"]
    assert severities(printed(1), printed(2, model="other")) == ["error", "error"]
