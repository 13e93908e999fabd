"""What contradicts a declaration: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as replaced
from tests.causes.test_mitigations import FROZEN, STEP, moved, row, run

from frostline.core.events import FlagMisspelt, TensorReplaced, TieBroken
from frostline.core.events.files import LoadLeftOut
from frostline.core.ledger import Changed, Declared, Flip, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge

RESET = TensorReplaced(step=4, tensor=0, name="net.w", by="Net", flag_before=False, flag_now=True)
UNFROZEN = Declared(trainable=True, first=True, flip_count=1, flips=[Flip(4, True)], trainable_steps=8)


def of(slug: str, *rows: TensorRow, events: tuple[Any, ...] = ()) -> list[Finding]:
    return [finding for finding in judge(run(rows, *events))[0] if finding.rule == slug]


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({}, "note"),
        ({"kind": "buffer"}, None),
        ({"declared": replace(UNFROZEN, flips=[])}, None),
        ({"expected": "frozen"}, "error"),
        ({"expected": "trained"}, "note"),
        ({"expected": "frozen", "declared": replace(UNFROZEN, flips=[Flip(4, False)])}, "note"),
        ({"expected": "frozen", "changed": moved(STEP)}, "note"),  # its bits tell it already
    ],
)
def test_a_flip_weighs_by_what_was_expected(more: dict[str, Any], severity: str | None) -> None:
    found = of("flag-flipped-during-run", row("net.w", **({"declared": UNFROZEN} | more)))
    assert [each.severity for each in found] == [severity] * (severity is not None)


def test_flips_are_told_together_where_they_are_the_same() -> None:
    rows = [row(f"net.{name}", declared=UNFROZEN) for name in "ab"]
    [both] = of("flag-flipped-during-run", *rows)
    assert both.message == "the flag of 2 tensors (8 parameters) changed 1 time during the run"
    later = replace(UNFROZEN, flips=[Flip(5, True)])
    assert len(of("flag-flipped-during-run", rows[0], replace(rows[1], declared=later))) == 2
    assert len(of("flag-flipped-during-run", rows[0], row("other.b", declared=UNFROZEN))) == 2
    assert of("flag-flipped-during-run", row("net.w", declared=UNFROZEN), events=(RESET,)) == []


@pytest.mark.parametrize(
    ("event", "declared", "found"),
    [
        (RESET, FROZEN, True),
        (RESET, Declared(trainable=True, first=True, frozen_steps=1), True),
        (RESET, Declared(trainable=True, first=True), False),  # off while the model was rebuilt
        (replaced(RESET, step=0), Declared(trainable=True, first=True), True),
        (replaced(RESET, name="net.other"), FROZEN, False),
        (replaced(RESET, flag_before=True), FROZEN, False),
        (replaced(RESET, flag_before=None), FROZEN, False),
        (replaced(RESET, flag_now=False), FROZEN, False),
    ],
)
def test_what_was_frozen_and_came_back_trainable(event: TensorReplaced, declared: Declared, found: bool) -> None:
    findings = of("flags-reset-by-replacement", row("net.w", declared=declared), events=(event,))
    assert [each.severity for each in findings] == ["warning"] * found


def test_what_came_back_trainable_and_moved_is_an_error() -> None:
    rows = row("net.w", declared=FROZEN, changed=moved(STEP)), row("net.v", declared=FROZEN)
    events = RESET, replaced(RESET, name="net.v")
    [found] = of("flags-reset-by-replacement", *rows, events=events)
    assert (found.severity, found.evidence["moved"], found.tensors) == ("error", 1, ["net.w", "net.v"])
    assert found.message == "2 tensors (8 parameters) were replaced during the run and came back trainable"


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, True),
        ({"owner": Owner("linear", "Linear", default_initialised=False)}, False),
        ({"owner": Owner("linear", "Linear")}, False),
        ({"declared": Declared()}, False),
        ({"declared": Declared(trainable=True)}, False),
        ({"loaded": True}, False),
        ({"changed": Changed("yes", before_training=True)}, False),
        ({"changed": Changed("yes", followed="net.v")}, False),
    ],
)
def test_what_is_frozen_as_it_was_initialised(more: dict[str, Any], found: bool) -> None:
    known = {"declared": FROZEN, "owner": Owner("linear", "Linear", default_initialised=True)}
    findings = of("frozen-random-weights", row("net.w", **(known | more)))
    assert ["look" in each.message and "had nothing" not in each.message for each in findings] == [True] * found


def test_what_a_load_left_out_is_random_whatever_it_looks_like() -> None:
    left_out = LoadLeftOut(model="net", tensors=("net.w",))
    [found] = of("frozen-random-weights", row("net.w", declared=FROZEN, loaded=True), events=(left_out,))
    assert "what was loaded into the model had nothing for them" in found.message
    assert found.hint is not None
    assert found.hint.startswith("train them")


def misspelt(*rows: TensorRow, **more: Any) -> Finding:
    event = FlagMisspelt("net.trainabel", "trainabel", "net", ("net.w", "net.gone"), **more)
    [found] = of("stray-flag-attribute", *rows, events=(event,))
    return found


def test_a_flag_that_nothing_reads_weighs_by_what_moved_below_it() -> None:
    still, trained = row("net.w", declared=FROZEN), row("net.w", changed=moved(STEP))
    assert misspelt(trained).severity == "error"
    assert misspelt(trained).message.endswith("= False has no effect: 1 of 2 tensors below it moved")
    assert misspelt(still).severity == "warning"
    rate = misspelt(trained, value="0.1")
    assert rate.message.endswith("= 0.1 has no effect: 1 of 2 tensors that it holds moved")
    assert rate.hint is not None
    assert "learning_rate" in rate.hint
    assert rate.hint != misspelt(trained).hint


def test_what_a_loop_wrote_to_several_tensors_is_told_once() -> None:
    rows = [row("net.w", changed=moved(STEP)), row("net.v")]
    events = [FlagMisspelt(f"{one.name}.require_grad", "require_grad", "tensor", (one.name,)) for one in rows]
    [found] = of("stray-flag-attribute", *rows, events=events)
    assert found.tensors == ["net.w", "net.v"]
    assert found.message == "require_grad = False has no effect: 1 of 2 tensors that have it moved"
    assert found.hint is not None
    assert found.hint.startswith("write requires_grad")
    module = FlagMisspelt("net.requires_grad", "requires_grad", "module", ("net.w",))
    assert len(of("stray-flag-attribute", *rows, events=[*events, module])) == 2


def test_a_broken_tie_is_an_error_where_one_of_its_names_moved() -> None:
    broken = TieBroken(step=3, tensor=0, name="net.w", lost=("net.v", "net.gone"))

    def found(*rows: TensorRow) -> Finding:
        [finding] = of("tie-broken", *rows, events=(broken,))
        return finding

    both = found(row("net.w"), row("net.v"))
    assert (both.severity, both.tensors) == ("warning", ["net.w", "net.v", "net.gone"])
    assert both.message.endswith("shared one storage and no longer do (seen before step 4)")
    assert found(row("net.w", changed=moved(STEP)), row("net.v")).severity == "error"


@pytest.mark.parametrize(("intents", "found"), [(("net.part.w", "other.w"), True), (("net.part.w", "part.w"), False)])
def test_names_of_a_part_that_is_known_by_itself_are_not_tied(intents: tuple[str, str], found: bool) -> None:
    said = list(zip(intents, (True, False), strict=True))
    declared = Declared(trainable=False, first=True, intents=said)
    tied = row("net.part.w", aliases=["part.w", "other.w"], declared=declared)
    assert ("tied-names-disagree" in [each.rule for each in judge(run([tied]))[0]]) is found


@pytest.mark.parametrize(("kind", "found"), [("parameter", True), ("buffer", False)])
def test_tied_parameters_are_judged_by_what_is_beside_each_of_their_names(kind: str, found: bool) -> None:
    """Statistics have no flag of their own."""
    tied = row("net.a.w", kind=kind, aliases=["net.b.w"], declared=FROZEN)
    beside = row("net.a.v", declared=FROZEN), row("net.b.v")
    assert ("tied-names-disagree" in [each.rule for each in judge(run([tied, *beside]))[0]]) is found
