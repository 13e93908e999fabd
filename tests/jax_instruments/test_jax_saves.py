"""The column saved in runs of JAX: what scripts usually write is quiet, what they lose is told."""

from pathlib import Path

import pytest
from jax_running import NEEDS, Seen, observed

from frostline.core.events.files import FileWritten

pytestmark = [NEEDS, pytest.mark.needs("orbax", "safetensors")]


def written(how: str, folder: Path, when: int = 6) -> tuple[Seen, list[tuple[str, int, int]]]:
    """The run, and of each file its name, how many tensors are in it and the step at which it was written."""
    seen = observed("saves.py", folder, how, str(when))
    assert seen.record.run.faults == []
    files = [event for event in seen.record.events if isinstance(event, FileWritten)]
    return seen, [(event.file, event.tensors, event.step) for event in files]


def states(seen: Seen) -> dict[str, str]:
    return {row.name: row.saved.state for row in seen.record.tensors if row.saved is not None}


BYTES = "flax.serialization.to_bytes"  # the script writes them by itself


@pytest.mark.parametrize(
    ("how", "file", "tensors"),
    [
        ("state", BYTES, 14),
        ("pickle", "model.pkl", 8),
        ("safetensors", "model.safetensors", 8),
        ("npz", "model.npz", 8),
        ("manager", "kept/300", 8),
        ("checkpointer", "one", 14),
        ("newest", "newest", 8),
        ("checkpoints", "checkpoint_3", 14),
        ("whole", "model.eqx", 4),
    ],
)
def test_a_whole_model_is_the_same(how: str, file: str, tensors: int, tmp_path: Path) -> None:
    seen, files = written(how, tmp_path)
    assert files == [(file, tensors, 6)]
    assert list(states(seen).values()) == ["same"] * tensors
    assert seen.rules == {}


def test_the_average_stands_for_the_weights(tmp_path: Path) -> None:
    seen, _ = written("averages", tmp_path)
    assert set(states(seen)) == {row.name for row in seen.record.tensors if ".params." not in row.name}
    assert seen.rules == {}


def test_half_precision_is_rounding_and_no_difference(tmp_path: Path) -> None:
    seen, _ = written("halves", tmp_path)
    assert set(states(seen).values()) == {"rounded"}
    assert seen.rules == {}


@pytest.mark.parametrize("when", [0, 4])
def test_one_save_before_the_end_is_a_note(when: int, tmp_path: Path) -> None:
    seen, files = written("state", tmp_path, when)
    assert [step for *_, step in files] == [when]
    assert set(states(seen).values()) == {"older"}
    assert seen.rules == {"saved-copy-is-older": "note"}


@pytest.mark.parametrize(
    ("how", "rule", "lost"),
    [
        ("no_statistics", "trained-but-not-saved", {"BatchNorm_0.mean", "BatchNorm_0.var"}),
        ("head", "trained-but-not-saved", {"Dense_0.kernel", "Dense_0.bias", "BatchNorm_0.scale", "BatchNorm_0.bias"}),
        (
            "first",
            "saved-copy-is-older",
            {f"{layer}.{name}" for layer in ("Dense_0", "Dense_1") for name in ("kernel", "bias")}
            | {"BatchNorm_0.scale", "BatchNorm_0.bias"},
        ),
        ("matrices", "trained-but-not-saved", {"0.bias", "1.bias"}),
        ("former", "saved-copy-is-older", {"0.weight", "0.bias", "1.weight", "1.bias"}),
    ],
)
def test_what_the_files_do_not_have(how: str, rule: str, lost: set[str], tmp_path: Path) -> None:
    seen, _ = written(how, tmp_path)
    assert seen.rules == {rule: "error"}
    assert {".".join(name.split(".")[-2:]) for name in seen.record.findings[0].tensors} == lost


def test_zeros_are_not_the_weights(tmp_path: Path) -> None:
    assert written("zeros", tmp_path)[0].rules == {"saved-values-differ": "error"}
