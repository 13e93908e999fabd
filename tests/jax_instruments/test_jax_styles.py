"""The rarer styles of JAX: nothing of a run changes, and its weights are seen under the names that the script has."""

from pathlib import Path

import pytest
from jax_running import NEEDS, observed, plainly

pytestmark = [NEEDS, pytest.mark.needs("haiku")]
TREE = {"body.kernel", "body.bias", "head.kernel"}
HAIKU = {"linear.w", "linear.b", "batch_norm.scale", "batch_norm.offset", "linear_1.w", "linear_1.b"}
EQUINOX = {f"{layer}.{name}" for layer in ("body", "norm", "head") for name in ("weight", "bias")}


@pytest.mark.parametrize(
    ("style", "optimizer", "trained"),
    [
        ("pmap", "averaged", {f"params.{name}" for name in TREE}),
        ("shard_map", "averaged", {f"params.{name}" for name in TREE}),
        ("sharded", "update", {f"params.{name}" for name in TREE}),
        ("if_finite", "step", {f"weights.{name}" for name in TREE}),
        ("injected", "step", {f"weights.{name}" for name in TREE}),
        ("lookahead", "step", {f"weights.{pace}.{name}" for pace in ("fast", "slow") for name in TREE}),
        ("sharpness_aware", "step", {f"weights.{name}" for name in TREE}),
        ("haiku", "train_step", {f"weights.{name}" for name in HAIKU}),
        ("nnx_filter", "step", {"model.head.kernel", "model.head.bias"}),
        ("nnx_adapter", "step", {"model.body.lora.lora_a", "model.body.lora.lora_b"}),
        ("nnx_surgery", "step", {"model.body.kernel", "model.head.kernel", "model.head.bias"}),
        ("equinox_stateful", "step", {f"model.{name}" for name in EQUINOX}),
    ],
)
def test_a_style_is_undisturbed_and_seen(style: str, optimizer: str, trained: set[str], tmp_path: Path) -> None:
    alone = plainly("more_styles.py", style)
    assert "compiled" in alone
    seen = observed("more_styles.py", tmp_path, style, options=("--check-every", "1"))
    assert seen.printed == alone
    assert seen.record.run.faults == []
    rows = [row for row in seen.record.tensors if row.declared.trainable]
    assert {row.name for row in rows} == trained
    assert {row.changed.verdict for row in rows} == {"yes"}
    assert {holding.optimizer for row in rows for holding in row.optimizers} == {optimizer}
    others = {row.changed.verdict for row in seen.record.tensors if row.declared.trainable is False}
    assert others <= {"no"}
    assert seen.optimizer(optimizer).steps_executed == 12
    assert seen.rules == {}


@pytest.mark.parametrize(("style", "count"), [("haiku", 4), ("equinox_stateful", 2)])
def test_statistics_are_buffers_that_move(style: str, count: int, tmp_path: Path) -> None:
    seen = observed("more_styles.py", tmp_path, style)
    buffers = [row.changed.verdict for row in seen.record.tensors if row.kind == "buffer"]
    assert buffers == ["yes"] * count
