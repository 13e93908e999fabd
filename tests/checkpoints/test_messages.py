"""What users are told: of folders, attacks, sound files that are unusual; and that nothing else is printed."""

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.numpy

from frostline import checkpoints
from frostline.errors import CheckpointError


class Attack:
    def __reduce__(self) -> Any:
        return subprocess.Popen, (["true"],)


@pytest.mark.parametrize("protocol", range(6))
def test_an_attack_by_the_name_it_has_today(protocol: int, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(pickle.dumps({"w": Attack()}, protocol))
    with pytest.raises(CheckpointError, match=r"names subprocess\.Popen, which loading it would run"):
        checkpoints.open(tmp_path / "w")


def test_a_folder_names_the_checkpoints_in_it(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        np.savez(tmp_path / name, w=np.ones(2))
    (tmp_path / "notes.txt").write_text("no checkpoint")
    with pytest.raises(CheckpointError, match="a folder without a checkpoint of a usual name") as caught:
        checkpoints.open(tmp_path)
    assert caught.value.hint == f"name one of its files: {tmp_path}/a.npz, {tmp_path}/b.npz"
    (tmp_path / "model.safetensors").write_bytes(safetensors.numpy.save({"w": np.ones(2)}))
    with checkpoints.open(tmp_path) as found:
        assert found.path.name == "model.safetensors"


def test_a_folder_of_several_checkpoints_of_one_kind(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"ck-{number}.index").touch()
    with pytest.raises(CheckpointError, match="a folder with 2 checkpoints") as caught:
        checkpoints.open(tmp_path)
    assert caught.value.hint == f"name one of its files: {tmp_path}/ck-1.index, {tmp_path}/ck-2.index"


FOLDERS = {
    "_CHECKPOINT_METADATA": "a folder of Orbax without arrays of its own",
    "Data/com.apple.CoreML/model.mlmodel": "a Core ML package",
    "__0_0.distcp": "a checkpoint of torch.distributed without its .metadata",
}


@pytest.mark.parametrize(("inside", "what"), FOLDERS.items())
def test_folders_that_are_not_read_are_named_with_a_way_out(inside: str, what: str, tmp_path: Path) -> None:
    (tmp_path / inside).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / inside).write_bytes(b"x")
    with pytest.raises(CheckpointError, match=what) as caught:
        checkpoints.open(tmp_path)
    assert caught.value.hint


def test_a_core_ml_model(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(b"\x08\x06\x12\x02\x0a\x00\xb2\x1f\x02\x0a\x00")
    with pytest.raises(CheckpointError, match="a Core ML model") as caught:
        checkpoints.open(tmp_path / "m")
    assert "coremltools" in caught.value.hint


def layers(path: Path, names: dict[str, str]) -> Path:
    """An HDF5 file of layers with the names that users gave them."""
    with h5py.File(path, "w") as file:
        for group, name in names.items():
            file[f"layers/{group}/vars/0"] = np.full(2, len(group))
            file[f"layers/{group}/vars"].attrs["name"] = name
    return path


@pytest.mark.parametrize(
    "names",
    [
        {"dense": "head", "dense_1": "head"},
        {"dense": "conv", "conv": "dense", "dense_1": "conv"},
        {"dense": "head", "head": "conv"},
    ],
)
def test_users_names_that_collide_stay_apart(names: dict[str, str], tmp_path: Path) -> None:
    with checkpoints.open(layers(tmp_path / "w.h5", names)) as found:
        assert len(found.tensors) == len(names)


KERAS = """
import keras
blocks = [keras.layers.Dense(700, name=f"block{3 * number}") for number in range(4)]
model = keras.Sequential([keras.layers.Input((64,)), *blocks, keras.layers.Dense(3, name="head")])
model.save_weights("w.weights.json", max_shard_size=0.003)
model.save_weights("w.weights.h5")
"""


@pytest.mark.needs("keras")
def test_shards_of_keras_keep_the_users_names(tmp_path: Path, call: Any) -> None:
    import os

    quiet = {**os.environ, "KERAS_BACKEND": "torch"}
    subprocess.run([sys.executable, "-c", KERAS], cwd=tmp_path, env=quiet, capture_output=True, check=True)
    assert len(list(tmp_path.glob("w_*.weights.h5"))) > 2
    call("lock", tmp_path / "w.weights.h5", "-o", tmp_path / "lock")
    assert "layers/block9/vars/0" in (tmp_path / "lock").read_text()
    assert call("verify", tmp_path / "w.weights.json", tmp_path / "lock").status == 0


def test_verify_against_a_folder_by_its_index(tmp_path: Path, call: Any) -> None:
    state = {"a": np.arange(4.0), "b": np.ones(3)}
    (tmp_path / "hub").mkdir()
    for number, name in enumerate(state):
        safetensors.numpy.save_file({name: state[name]}, tmp_path / f"hub/model-{number}.safetensors")
    index = '{"weight_map": {"a": "model-0.safetensors", "b": "model-1.safetensors"}}'
    (tmp_path / "hub/model.safetensors.index.json").write_text(index)
    np.savez(tmp_path / "mine.npz", **state)
    assert call("verify", tmp_path / "mine.npz", "--against", tmp_path / "hub").status == 0
    np.savez(tmp_path / "mine.npz", **{**state, "b": np.zeros(3)})
    changed = call("verify", tmp_path / "mine.npz", "--against", tmp_path / "hub")
    assert (changed.status, "its bytes differ" in changed.out) == (1, True)
    for words in ((), ("lock", "--against", tmp_path / "hub")):
        refused = call("verify", tmp_path / "mine.npz", *words)
        assert (refused.status, "one of them" in refused.err) == (2, True)


def test_numpy_warns_of_nothing(tmp_path: Path, call: Any) -> None:
    """Signalling NaNs, infinities and numbers whose difference is too large: the tests turn warnings into errors."""
    words = np.array([0x7FA00000, 0x7F800000, 0x7F7FFFFF, 0xFF7FFFFF], np.uint32)
    one, other = words.view(np.float32), words[::-1].copy().view(np.float32)
    np.savez(tmp_path / "a.npz", w=one, h=one.view(np.float16), c=one.view(np.complex64))
    np.savez(tmp_path / "b.npz", w=other, h=other.view(np.float16), c=other.view(np.complex64))
    assert call("diff", tmp_path / "a.npz", tmp_path / "b.npz").status == 1


def test_show_lists_the_first_thousand_of_many(tmp_path: Path, call: Any) -> None:
    safetensors.numpy.save_file({f"t{number}": np.ones(1) for number in range(1200)}, tmp_path / "w.safetensors")
    first, everything = call("show", tmp_path / "w.safetensors"), call("show", tmp_path / "w.safetensors", "--all")
    assert "… and 200 more; --all lists them" in first.out
    assert "1,200 tensors" in first.out
    assert everything.out.count("float64") == 1200
    assert call("show", tmp_path / "w.safetensors", "--json").out.count('"float64"') == 1200
