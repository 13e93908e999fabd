"""What optimizers hold, and what they do with it: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import FROZEN, SGD, STEP, held, moved, row, run

from frostline.core.events import GradientLeft, StateMisshapen, StateReset, SteppedTogether
from frostline.core.ledger import Changed, Holding, OptimizerRow, Owner, TensorRow
from frostline.core.record import Finding
from frostline.laws import judge

COMPILED = replace(SGD, kind="compiled-step", trains_model="net")


def of(
    slug: str, *rows: TensorRow, events: tuple[Any, ...] = (), optimizers: tuple[OptimizerRow, ...] = (SGD,)
) -> list[Finding]:
    return [finding for finding in judge(run(rows, *events, optimizers=optimizers))[0] if finding.rule == slug]


@pytest.mark.parametrize(
    ("more", "optimizer", "found"),
    [
        ({}, replace(SGD, holds=2), True),
        ({}, replace(SGD, holds=1), False),  # all that it holds is frozen: another cause tells that
        ({}, replace(SGD, kind="compiled-step", holds=2), False),
        ({"optimizers": [replace(held()[0], listed=False)]}, replace(SGD, holds=2), False),
        ({"declared": replace(FROZEN, flip_count=1)}, replace(SGD, holds=2), True),
        ({"declared": replace(FROZEN, flip_count=2)}, replace(SGD, holds=2), False),
        ({"declared": replace(FROZEN, trainable=None)}, replace(SGD, holds=2), False),
        ({"changed": moved(replace(STEP, trainable=False))}, replace(SGD, holds=2), False),
        ({"changed": Changed("unknown", reason="freed")}, replace(SGD, holds=2), False),
    ],
)
def test_a_frozen_tensor_that_an_optimizer_holds_beside_others(
    more: dict[str, Any], optimizer: OptimizerRow, found: bool
) -> None:
    frozen = row("net.w", **({"declared": FROZEN, "optimizers": held(none=4)} | more))
    findings = of("frozen-in-optimizer", frozen, optimizers=(optimizer,))
    assert [(each.severity, each.tensors) for each in findings] == [("note", ["net.w"])] * found


def test_who_stepped_on_one_backward_pass() -> None:
    twice = SteppedTogether(step=3, optimizer="adam", other="sgd", tensors=("net.w",))
    [found] = of("held-twice", row("net.w"), events=(twice,))
    assert found.message == "1 tensor was updated by sgd and by adam on the same backward pass"
    assert (
        of("held-twice", row("net.w"), events=(SteppedTogether(step=3, optimizer="adam", other="sgd", tensors=()),))
        == []
    )


@pytest.mark.parametrize(
    ("tensors", "together", "found"), [(("net.w",), False, 1), ((), False, 0), (("net.w",), True, 0)]
)
def test_gradients_of_another_phase(tensors: tuple[str, ...], together: bool, found: int) -> None:
    left = GradientLeft(step=3, optimizer="sgd", other="adam", tensors=tensors, together=together)
    assert len(of("gradients-accumulate-across-optimizers", row("net.w"), events=(left,))) == found


@pytest.mark.parametrize(
    ("state_of", "steps", "found"),
    [(None, 8, 0), ("net.w", 8, 0), ("net.alias", 8, 0), ("net.v", 8, 1), ("net.v", 0, 0)],
)
def test_state_of_another_tensor(state_of: str | None, steps: int, found: int) -> None:
    tensor = row("net.w", aliases=["net.alias"], optimizers=[Holding("sgd", 0, state_of=state_of)])
    findings = of("optimizer-state-misaligned", tensor, optimizers=(replace(SGD, steps_executed=steps),))
    assert [each.evidence["state"] for each in findings] == [["net.w with the state of net.v"]] * found


def test_state_of_another_shape() -> None:
    event = StateMisshapen(step=3, optimizer="sgd", tensors=("net.w",))
    [found] = of("optimizer-state-misaligned", row("net.w"), events=(event,))
    assert found.message == "sgd keeps state of another shape for 1 tensor"


@pytest.mark.parametrize(
    ("name", "aliases", "kind", "optimizer", "found"),
    [
        ("net.w", (), "parameter", COMPILED, True),
        ("net.w", (), "buffer", COMPILED, False),
        ("network.w", (), "parameter", COMPILED, False),
        ("gan.net.w", ("net.w",), "parameter", COMPILED, True),
        ("net", (), "parameter", COMPILED, True),
        ("sgd.w", (), "parameter", replace(COMPILED, trains_model=None), True),
        ("net.w", (), "parameter", replace(COMPILED, holds=1), False),
        ("net.w", (), "parameter", replace(COMPILED, steps_executed=0), False),
        ("net.w", (), "parameter", replace(COMPILED, kind="optimizer"), False),
    ],
)
def test_a_compiled_step_that_captured_nothing(
    name: str, aliases: tuple[str, ...], kind: str, optimizer: OptimizerRow, found: bool
) -> None:
    tensor = row(name, aliases=list(aliases), kind=kind)
    findings = of("optimizer-runs-empty", tensor, optimizers=(optimizer,))
    assert [each.tensors for each in findings] == [[name]] * found


@pytest.mark.parametrize(("times", "severity"), [(1, "note"), (2, "error")])
@pytest.mark.parametrize(("state", "how"), [(("mu",), "was left"), ((), "made anew inside each step")])
def test_a_state_that_begins_again(times: int, severity: str, state: tuple[str, ...], how: str) -> None:
    event = StateReset(step=2, optimizer="sgd", state=state, times=times)
    rows = row("net.w", changed=moved(STEP), optimizers=held(nonzero=4)), row("net.v", declared=FROZEN)
    [found] = of("optimizer-state-reset", *rows, events=(event,))
    assert (found.severity, found.tensors, how in found.message) == (severity, ["net.w"], True)


LORA = row("net.a.lora_a", owner=Owner("a.lora", "LoRA"), changed=moved(STEP), optimizers=held(nonzero=4))
BASE = row("net.a.kernel", owner=Owner("a.base_module", "Linear"), changed=moved(STEP), optimizers=held(nonzero=4))


@pytest.mark.parametrize(
    ("base", "lora", "found"),
    [
        ({}, {}, True),
        ({"owner": Owner("a", "Linear")}, {}, True),
        ({"owner": Owner("b", "Linear")}, {}, False),
        ({"kind": "buffer"}, {}, False),
        ({"changed": Changed("no")}, {}, False),
        ({"changed": moved(replace(STEP, place="outside"))}, {}, False),
        ({}, {"changed": Changed("no")}, False),
        ({}, {"name": "net.a.lora_b"}, True),
        ({}, {"name": "net.a.other"}, False),
        ({"name": "net.a.lora_b"}, {}, False),
    ],
)
def test_a_weight_that_trains_beside_its_adapter(base: dict[str, Any], lora: dict[str, Any], found: bool) -> None:
    rows = replace(BASE, **base), replace(LORA, **lora)
    assert [each.tensors for each in of("lora-base-trains", *rows)] == [[rows[0].name]] * found
