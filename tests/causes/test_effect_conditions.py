"""Steps that a tensor takes part in and that do not train it: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import DECAY, FROZEN, SGD, STEP, TRAINABLE, held, moved, row, run

from frostline.core.events import (
    LayersUntracked,
    ModulesRecreated,
    ResultDropped,
    UpdateShown,
    VariablesUntracked,
)
from frostline.core.ledger import Changed, Flip, Holding, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge
from frostline.laws.causes.trainable.neighbours import trained

ADAM = OptimizerRow("adam", "optimizer", "Adam", steps_executed=8, last_step=8, checks=[1], checked_at=[1])
OTHER = row("net.other.w", owner=Owner("other", "Other"), changed=moved(STEP), optimizers=held(nonzero=4))


def found(
    *rows: TensorRow,
    events: tuple[Any, ...] = (),
    optimizers: tuple[OptimizerRow, ...] = (SGD, ADAM),
    name: str = "net.w",
) -> Finding | None:
    """The finding of the trainable family about a tensor, beside one that is trained."""
    judged = judge(run([*rows, OTHER], *events, optimizers=optimizers))[0]
    return next((each for each in judged if each.code.startswith("T") and name in each.tensors), None)


def told(*rows: TensorRow, **more: Any) -> tuple[str, str, str | None] | None:
    """Its code, its severity, and the name of what makes it weigh less."""
    finding = found(*rows, **more)
    if finding is None:
        return None
    excuse = str(finding.evidence["excuse"]).partition(":")[0] if "excuse" in finding.evidence else None
    return finding.code, finding.severity, excuse


def still(name: str = "net.w", *, lr: float = 0.1, hold: dict[str, Any] | None = None, **more: Any) -> TensorRow:
    gradients = more.pop("gradients", {"zero": 4})
    holding = Holding("sgd", 0, **({"lr": lr, "max_lr": lr, "gradients": gradients} | (hold or {})))
    return row(name, **({"optimizers": [holding], "owner": Owner("alone", "Linear")} | more))


@pytest.mark.parametrize(
    ("declared", "changed", "is_trained"),
    [
        (TRAINABLE, moved(STEP), True),
        (FROZEN, moved(STEP), False),
        (replace(FROZEN, flips=[Flip(4, True)]), moved(STEP), True),
        (TRAINABLE, moved(DECAY), False),
        (TRAINABLE, Changed("no"), False),
    ],
)
def test_what_counts_as_trained(declared: Any, changed: Changed, is_trained: bool) -> None:
    assert trained(row("net.w", declared=declared, changed=changed)) is is_trained


# Gradients of zero, rates of zero


@pytest.mark.parametrize(
    ("tensor", "known"),
    [
        (still(), ("T204", "warning", None)),
        (still(gradients={"zero": 3, "none": 1}), ("T204", "warning", None)),
        (still(gradients={"zero": 3, "nonzero": 1}), ("T200", "error", None)),
        (still(gradients={"nonzero": 4}, hold={"negligible": True}), ("T204", "note", "rounding noise")),
        (still(gradients={}), ("T200", "warning", "hidden")),
        (
            still(optimizers=[*held(nonzero=4), Holding("adam", 0, lr=0.1, gradients={"nonzero": 4}, negligible=True)]),
            ("T204", "error", "rounding noise"),  # it is all that adam holds
        ),
        (still(gradients={"none": 4}), ("T203", "warning", "nothing cut it")),
        (still(gradients={"nonzero": 4}, lr=0.0), ("T206", "error", None)),
        (still(gradients={"nonzero": 4}, hold={"lr": 0.0}), ("T200", "error", None)),  # it was another one before
        (still(owner=OTHER.owner), ("T204", "note", "beside trained ones")),
        (still(optimizers=[]), ("T201", "note", "not reached")),
        (still(kind="buffer"), None),
        (still(size=0), None),
        (still(declared=FROZEN), None),
    ],
)
def test_which_cause_a_still_tensor_has(tensor: TensorRow, known: tuple[str, str, str | None] | None) -> None:
    assert told(tensor) == known


UNFROZEN = replace(TRAINABLE, first=False, flips=[Flip(4, True)], flip_count=1, trainable_steps=4)


@pytest.mark.parametrize(
    ("gradients", "declared", "lr", "code"),
    [
        ({"nonzero": 2}, UNFROZEN, 0.0, "T206"),
        ({"nonzero": 2}, UNFROZEN, 0.1, "T200"),
        ({"zero": 2}, UNFROZEN, 0.0, "T204"),
        ({"nonzero": 2}, replace(UNFROZEN, flips=[Flip(2, True), Flip(4, False)]), 0.0, "T200"),
    ],
)
def test_a_rate_that_is_zero_since_it_was_unfrozen(
    gradients: dict[str, int], declared: Any, lr: float, code: str
) -> None:
    finding = told(still(gradients=gradients, declared=declared, hold={"lr": lr}))
    assert finding is not None
    assert finding[0] == code


def test_one_rate_of_several_is_enough() -> None:
    both = [
        replace(held(nonzero=4)[0], lr=0.0, max_lr=0.0),
        Holding("adam", 0, lr=0.1, max_lr=0.1, gradients={"nonzero": 4}),
    ]
    finding = told(row("net.w", optimizers=both, owner=Owner("alone", "Linear")))
    assert finding is not None
    assert finding[0] == "T200"


def test_factors_of_zeros_are_told_as_such() -> None:
    halves = [still(f"net.{name}", zeros=True, owner=Owner("lora", "LoRA")) for name in "ab"]
    halves = [replace(half, shape=(2, 2)) for half in halves]
    finding = found(*halves, name="net.a")
    assert finding is not None
    assert finding.message.endswith("all zeros, and so is the weight they are multiplied with")
    assert finding.hint is not None
    assert finding.hint.startswith("draw one of the two at random again")
    for more in ({"shape": (4,)}, {"zeros": False}, {"declared": FROZEN}):
        finding = found(halves[0], replace(halves[1], **more), name="net.a")
        assert finding is not None
        assert "all zeros" not in finding.message


def test_how_a_gradient_came_to_be_zero_is_said() -> None:
    for tensor, ending in (
        (still(hold={"negligible": True}), ": the gradient is rounding noise beside the others"),
        (still(cleared=True), "nothing was left of it when the step came)"),
        (still(hold={"gradient_inferred": True}), ": the gradient, not seen itself, was zero or lost in rounding"),
        (still(), "held by sgd did not change"),
    ):
        finding = found(tensor)
        assert finding is not None
        assert finding.message.endswith(ending)


# Rounding

LOST = {"update_ulp": 0.5}
INFERRED = {"update_ulp": 9.0, "gradient_inferred": True}
BEHIND = {**INFERRED, "gradient_inferred_from_neighbours": True}


def hidden(hold: dict[str, Any], **more: Any) -> TensorRow:
    return still(gradients={"unknown": 4}, hold=hold, dtype="bfloat16", **more)


@pytest.mark.parametrize(
    ("tensor", "known"),
    [
        (still(gradients={"nonzero": 4}, hold=LOST, dtype="bfloat16"), ("T205", "error", None)),
        (still(gradients={"nonzero": 4}, hold={"update_ulp": 0.6}, dtype="bfloat16"), ("T200", "error", None)),
        (still(gradients={"nonzero": 4}, hold=LOST), ("T205", "note", "went flat")),
        (hidden(LOST), ("T200", "warning", "hidden")),
        (hidden({**INFERRED, **LOST}), ("T205", "warning", "inferred")),
        (
            still(
                gradients={"unknown": 4},
                hold={"update_ulp": 9.0, "gradient_inferred": True},
                owner=OTHER.owner,
                dtype="bfloat16",
            ),
            ("T205", "warning", "inferred"),
        ),
        (
            still(gradients={"unknown": 4}, hold={"update_ulp": 9.0, "gradient_inferred": True}, dtype="bfloat16"),
            ("T200", "warning", "hidden"),
        ),
        (
            still(
                gradients={"unknown": 4},
                hold={"update_ulp": 9.0, "gradient_inferred": True, "gradient_inferred_from_neighbours": True},
                dtype="bfloat16",
            ),
            ("T205", "warning", "inferred"),
        ),
    ],
)
def test_which_updates_were_lost_in_rounding(tensor: TensorRow, known: tuple[str, str, str | None]) -> None:
    assert told(tensor) == known


def test_why_updates_were_lost_is_said() -> None:
    for tensor, ending in (
        (hidden({**INFERRED, **LOST}, owner=OTHER.owner), "at lr 0.1 a gradient of 1 is lost in bfloat16"),
        (hidden(INFERRED, owner=OTHER.owner), "the rest of the layer moved, their steps are lost in rounding"),
        (hidden(BEHIND), "layers in front of it moved, its own steps are lost in rounding"),
    ):
        finding = found(tensor)
        assert finding is not None
        assert finding.message.endswith(ending)


# Decay


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, ("T211", "warning", None)),
        ({"owner": Owner("experts.0", "Linear", sibling_called=True)}, ("T211", "note", "expert of many")),
        ({"changed": moved(DECAY, STEP)}, None),
        ({"changed": replace(moved(DECAY), verdict="unknown")}, None),
    ],
)
def test_what_only_decayed(more: dict[str, Any], known: tuple[str, str, str | None] | None) -> None:
    assert told(still(**({"changed": moved(DECAY)} | more))) == known


# What a trace shows


def shown(what: str, name: str = "net.w") -> UpdateShown:
    return UpdateShown(step=1, optimizer="sgd", tensors=(name,), shows=what)


def dropped(times: int, name: str = "net.w") -> ResultDropped:
    return ResultDropped(step=1, optimizer="sgd", tensors=(name,), times=times)


MOVES, UNKNOWN = {"changed": moved(STEP)}, {"changed": Changed("unknown", reason="freed")}


@pytest.mark.parametrize(
    ("more", "events", "known"),
    [
        ({}, (shown("captured"),), ("T214", "error", None)),
        (UNKNOWN, (shown("captured"),), ("T214", "error", None)),
        (MOVES, (shown("captured"),), None),
        ({}, (shown("captured", "net.v"),), ("T200", "error", None)),
        ({}, (shown("not-returned"),), ("T213", "error", None)),
        (MOVES, (shown("not-returned"),), None),
        ({}, (dropped(2),), ("T213", "error", None)),
        ({}, (dropped(1),), ("T213", "note", "once")),
        ({}, (dropped(1), shown("not-returned")), ("T213", "error", None)),
        ({}, (dropped(2, "net.v"),), ("T200", "error", None)),
        ({}, (shown("gradient-unused"),), ("T215", "note", "frozen by hand")),
        (MOVES, (shown("gradient-unused"),), ("T215", "error", None)),
        ({"changed": moved(replace(STEP, optimizer="adam"))}, (shown("gradient-unused"),), None),
        (UNKNOWN, (shown("gradient-unused"),), None),
    ],
)
def test_what_a_trace_shows(more: dict[str, Any], events: tuple[Any, ...], known: Any) -> None:
    assert told(still(**({"gradients": {"nonzero": 4}} | more)), events=events) == known


def test_a_gradient_that_is_not_used_leaves_a_step_that_holds_nothing_without_an_excuse() -> None:
    unused = UpdateShown(step=1, optimizer="adam", tensors=("net.w",), shows="gradient-unused")
    assert told(still(gradients={"nonzero": 4}), events=(unused,)) == ("T215", "error", None)


@pytest.mark.parametrize(
    ("event", "why"), [(shown("not-returned"), "does not return them"), (dropped(2), "each next call")]
)
def test_where_new_values_were_left(event: Any, why: str) -> None:
    finding = found(still(), events=(event,))
    assert finding is not None
    assert why in finding.message


# What no model lists

UNTRACKED = LayersUntracked(step=0, layer="net.layers", tensors=("net.w", "net.v"))
STRAY = VariablesUntracked(step=0, model="net", tensors=("net.w",))
PRETRAINED = Owner("alone", "Linear", default_initialised=False)


def unlisted(name: str = "net.w", **more: Any) -> TensorRow:
    return row(name, **({"registered": False, "owner": Owner("alone", "Linear")} | more))


@pytest.mark.parametrize(
    ("more", "events", "known"),
    [
        ({"reached_by_backward": True}, (), ("T210", "error", None)),
        ({"reached_by_backward": True, "owner": PRETRAINED}, (), ("T210", "error", None)),
        ({"reached_by_backward": True, "registered": True}, (), ("T201", "error", None)),
        ({}, (), None),
        ({}, (STRAY,), ("T210", "warning", "not reached")),
        ({"owner": PRETRAINED}, (STRAY,), ("T210", "note", "pretrained")),
        ({"name": "net.u"}, (STRAY,), None),
        ({}, (UNTRACKED,), ("T212", "error", None)),
        ({"owner": PRETRAINED}, (UNTRACKED,), ("T212", "note", "pretrained")),
        ({"registered": True, "reached_by_backward": True}, (UNTRACKED,), ("T201", "error", None)),
        ({"reached_by_backward": True}, (UNTRACKED,), ("T212", "error", None)),
    ],
)
def test_what_no_model_lists(more: dict[str, Any], events: tuple[Any, ...], known: Any) -> None:
    tensor = unlisted(**more)
    assert told(tensor, events=events, name=tensor.name) == known


def test_a_pretrained_weight_of_an_untracked_layer_speaks_for_the_others() -> None:
    assert told(unlisted(), unlisted("net.v", owner=PRETRAINED), events=(UNTRACKED,)) == ("T212", "note", "pretrained")
    assert told(unlisted(), unlisted("net.u", owner=PRETRAINED), events=(UNTRACKED,)) == ("T212", "error", None)
    finding = found(unlisted(owner=PRETRAINED), events=(UNTRACKED,))
    assert finding is not None
    assert finding.message.endswith("which was trained before or loaded")


@pytest.mark.parametrize(
    ("beside", "lent"),
    [
        ({"loaded": True}, True),
        ({"loaded": None}, False),
        ({"loaded": True, "optimizers": held(none=4)}, False),
        ({"loaded": None, "kind": "buffer"}, True),
    ],
)
def test_a_model_that_was_loaded_and_is_in_no_optimizer_is_lent(beside: dict[str, Any], lent: bool) -> None:
    stray = unlisted("guide.w", reached_by_backward=True)
    known = row("guide.v", loaded=True, declared=FROZEN), row("guide.u", **({"declared": FROZEN} | beside))
    assert (told(stray, *known, name="guide.w") is None) is lent


@pytest.mark.parametrize(("passes", "count"), [(1, 0), (2, 1)])
def test_layers_that_are_made_in_every_pass(passes: int, count: int) -> None:
    event = ModulesRecreated(step=0, type="Linear", passes=passes)
    findings = [each for each in judge(run([OTHER], event))[0] if each.code == "T210"]
    assert [each.message.startswith("a new Linear with weights of its own") for each in findings] == [True] * count
