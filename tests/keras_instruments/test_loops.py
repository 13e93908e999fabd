"""Loops that the script writes itself: what is a step, what it held, and what moved in it."""

from pathlib import Path

import pytest
from running import GENERATIONS, observed, plainly

PROGRAMS = {"jax": "train_step", "torch": "optimizer", "tensorflow": "train_step", "tf_keras": "train_step"}


@pytest.mark.parametrize("backend", GENERATIONS)
def test_a_loop_of_ones_own_is_seen_step_by_step(backend: str, tmp_path: Path) -> None:
    seen = observed("loop.py", backend, tmp_path)
    (optimizer,) = seen.record.optimizers
    assert (optimizer.id, optimizer.steps_executed, optimizer.holds) == (PROGRAMS[backend], 20, 2)
    assert {row.name: row.changed.verdict for row in seen.record.tensors} == {
        "model.base.kernel": "no",
        "model.base.bias": "no",
        "model.head.kernel": "yes",
        "model.head.bias": "yes",
    }
    assert seen.row("model.head.kernel").changed.during == [f"{optimizer.id} step"]
    assert seen.rules == set()


@pytest.mark.needs("keras", "torch")
def test_a_torch_optimizer_over_keras_variables_is_told_once_and_by_their_names(tmp_path: Path) -> None:
    seen = observed("torch_optimizer.py", "torch", tmp_path)
    assert {optimizer.id: optimizer.steps_executed for optimizer in seen.record.optimizers} == {
        "over_torch": 5,
        "over_keras": 5,
    }
    held = {row.name: [holding.optimizer for holding in row.optimizers] for row in seen.record.tensors}
    assert held == {
        "beside.weight": ["over_torch"],
        "beside.bias": ["over_torch"],
        "model.inner.kernel": ["over_keras"],
        "model.inner.bias": ["over_keras"],
        "model.outer.kernel": ["over_keras"],
        "model.outer.bias": ["over_keras"],
    }
    assert seen.row("model.inner.kernel").optimizers[0].gradients == {"nonzero": 1}


@pytest.mark.needs("keras", "jax")
def test_a_broken_fit_leaves_the_reason_why_nothing_can_be_read(tmp_path: Path) -> None:
    seen = observed("breaking.py", "jax", tmp_path, status=1)
    assert "frostline" not in seen.stderr.partition("Traceback")[2]
    assert seen.optimizer("model").steps_executed == 2
    row = seen.row("model.inner.kernel")
    assert row.changed.verdict == "yes"
    assert [flip.now for flip in row.declared.flips] == [False]
    assert seen.rules <= {"flag-flipped-during-run"}


@pytest.mark.needs("keras", "jax")
def test_a_step_that_the_script_compiled_itself_is_counted_and_left_as_it_is(tmp_path: Path) -> None:
    seen = observed("jitted.py", "jax", tmp_path, "--check-every", "1")
    assert seen.printed == plainly("jitted.py", "jax")
    optimizer = seen.optimizer("step")
    assert (optimizer.steps_executed, optimizer.checked_at) == (20, list(range(1, 21)))
    assert {row.name: row.changed.verdict for row in seen.record.tensors} == {
        "model.base.kernel": "no",
        "model.base.bias": "no",
        "model.head.kernel": "yes",
        "model.head.bias": "yes",
    }
    assert seen.rules <= {"frozen-random-weights"}
