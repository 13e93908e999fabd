"""L4 and L5 of Keras from facts alone: a fit that ran no epoch, statistics that kept the values they were made with."""

from __future__ import annotations

import pytest
from tests.laws.test_every_law import held, moved, run, violated, weight

from frostline.core import facts
from frostline.laws import judge

STEP = {"optimizer": "sgd", "trainable": True, "gradient": "unknown"}


@pytest.mark.parametrize(("tensors", "expected"), [(("net.w",), ["error"]), ((), [])])
def test_a_fit_without_an_epoch_is_an_error(tensors: tuple[str, ...], expected: list[str]) -> None:
    call = facts.TrainingCallEmpty(step=8, model="net", tensors=tensors, first_epoch=5, epochs=5)
    findings = [each for each in judge(run(*weight(), held(), moved(**STEP), call))[0] if each.code == "L4"]
    assert [each.severity for each in findings] == expected
    assert all("it was to go from epoch 5 to 5" in each.message for each in findings)


@pytest.mark.parametrize(("zeros", "expected"), [(True, {"net.mean"}), (False, set()), (None, set())])
def test_statistics_of_a_layer_whose_calls_are_not_seen_must_be_zeros(zeros: bool | None, expected: set[str]) -> None:
    norm = {"owner": "norm", "role": "normalisation"}
    gamma = [
        *weight(0, "net.gamma", **norm),
        held(0),
        moved(0, **STEP),
        facts.FlagHeld(tensors=(0,), flag=True, steps=8),
    ]
    mean = [*weight(1, "net.mean", kind="buffer", **norm), facts.TensorSeen(tensor=1, zeros=zeros)]
    assert violated("L5", run(*gamma, *mean)) == expected
