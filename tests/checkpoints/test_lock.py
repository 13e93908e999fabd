"""Locks: what they say, that they are stable, and what verify proves, refuses and lets pass."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from blake3 import blake3
from checkpoint_calls import names
from hypothesis import given
from hypothesis import strategies as st

from frostline import checkpoints
from frostline.checkpoints.lock import hashing, lock_file
from frostline.errors import CheckpointError

RANDOM = np.random.default_rng(0)
BASE = {
    "backbone.0.weight": RANDOM.standard_normal((16, 8)).astype("f4"),
    "backbone.0.bias": np.zeros(16, "f4"),
    "head.weight": RANDOM.standard_normal((2, 16)).astype("f4"),
}


@pytest.fixture(name="base")
def base_fixture(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """A checkpoint `base.safetensors` and its lock `base.lock` in the working folder."""
    monkeypatch.chdir(tmp_path)
    safetensors.numpy.save_file(BASE, "base.safetensors")
    assert call("lock", "base.safetensors", "-o", "base.lock").status == 0
    return {name: array.copy() for name, array in BASE.items()}


def test_a_lock_is_sorted_complete_and_has_no_path_in_it(base: Any, tmp_path: Path, call: Any) -> None:
    shape = {"backbone.0.weight": "[16,8]", "backbone.0.bias": "[16]", "head.weight": "[2,16]"}
    assert Path("base.lock").read_text().splitlines() == [
        "# frostline lock, format 1",
        *(f"{name} float32 {shape[name]} blake3:{blake3(BASE[name].tobytes()).hexdigest()}" for name in sorted(BASE)),
    ]
    assert str(tmp_path) not in Path("base.lock").read_text()
    assert call("lock", "base.safetensors").out == Path("base.lock").read_text()


@pytest.mark.needs("torch")
def test_a_change_of_format_or_of_sharding_keeps_the_lock(base: Any, call: Any) -> None:
    torch = pytest.importorskip("torch")
    torch.save({name: torch.from_numpy(array) for name, array in BASE.items()}, "base.pt")
    np.savez_compressed("base.npz", **BASE)
    Path("split").mkdir()
    for index, (name, array) in enumerate(BASE.items()):
        safetensors.numpy.save_file({name: array}, f"split/part{index}")
    table = {"weight_map": {name: f"part{index}" for index, name in enumerate(BASE)}}
    Path("split/model.safetensors.index.json").write_text(json.dumps(table))
    for path in ("base.pt", "base.npz", "split"):
        assert call("verify", path, "base.lock").status == 0, path
        assert call("lock", path).out == Path("base.lock").read_text()


def test_a_tuned_head_on_an_untouched_base(base: dict[str, np.ndarray], call: Any) -> None:
    base["head.weight"] = base["head.weight"] + 1
    safetensors.numpy.save_file(base, "tuned.safetensors")
    found = call("verify", "tuned.safetensors", "base.lock")
    assert found.status == 1
    assert "head.weight" in found.out
    assert found.out.splitlines()[-1] == "not verified: 2 tensors bit for bit the same, 1 differ"
    found = call("verify", "tuned.safetensors", "base.lock", "--may-differ", "head.**")
    assert found.status == 0
    assert found.out.splitlines()[-1] == "verified: 2 tensors bit for bit the same, 1 free to differ"


def test_one_bit_in_the_base_is_found(base: dict[str, np.ndarray], call: Any) -> None:
    base["backbone.0.bias"][3] = -0.0
    safetensors.numpy.save_file(base, "tuned.safetensors")
    found = call("verify", "tuned.safetensors", "base.lock", "--may-differ", "head.**", "--json")
    assert found.status == 1
    assert json.loads(found.out)["differ"] == [{"name": "backbone.0.bias", "reason": "its bytes differ"}]


def test_missing_new_retyped_and_reshaped(base: dict[str, np.ndarray], call: Any) -> None:
    del base["head.weight"]
    base |= {"extra": np.ones(1), "backbone.0.bias": base["backbone.0.bias"].astype("f8")}
    base["backbone.0.weight"] = base["backbone.0.weight"].reshape(8, 16)
    safetensors.numpy.save_file(base, "tuned.safetensors")
    found = json.loads(call("verify", "tuned.safetensors", "base.lock", "--json").out)
    assert names(found["missing"]) == ["head.weight"]
    assert names(found["new"]) == ["extra"]
    assert {entry["name"]: entry["reason"] for entry in found["differ"]} == {
        "backbone.0.bias": "float32 [16] became float64 [16]",
        "backbone.0.weight": "float32 [16, 8] became float32 [8, 16]",
    }
    everything = ["--may-differ", "**"]
    assert call("verify", "tuned.safetensors", "base.lock", *everything).status == 0


def test_a_base_under_lora(base: dict[str, np.ndarray], call: Any) -> None:
    """The whole model as peft holds it, then the adapter file alone, against the lock of the base."""
    adapter = {f"base_model.model.backbone.0.lora_{side}.weight": np.ones((4, 8), "f4") for side in "AB"}
    inner = {name.replace("backbone.0.", "backbone.0.base_layer."): array for name, array in base.items()}
    whole = {f"base_model.model.{name}": array for name, array in inner.items()} | adapter
    safetensors.numpy.save_file(whole, "whole.safetensors")
    assert call("verify", "whole.safetensors", "base.lock", "--may-differ", "**.lora_*.**").status == 0
    assert call("verify", "whole.safetensors", "base.lock").status == 1
    whole["base_model.model.backbone.0.base_layer.bias"] = np.ones(16, "f4")
    safetensors.numpy.save_file(whole, "whole.safetensors")
    found = call("verify", "whole.safetensors", "base.lock", "--may-differ", "**.lora_*.**", "--json")
    assert (found.status, names(json.loads(found.out)["differ"])) == (1, ["backbone.0.bias"])

    safetensors.numpy.save_file(adapter, "adapter.safetensors")
    partial = ["--partial", "--may-differ", "**.lora_*.**"]
    assert call("verify", "adapter.safetensors", "base.lock", *partial).status == 0
    kept = adapter | {"base_model.model.head.weight": base["head.weight"]}
    safetensors.numpy.save_file(kept, "adapter.safetensors")
    assert call("verify", "adapter.safetensors", "base.lock", *partial).status == 0
    kept["base_model.model.head.weight"] = base["head.weight"] + 1
    safetensors.numpy.save_file(kept, "adapter.safetensors")
    assert call("verify", "adapter.safetensors", "base.lock", *partial).status == 1


def test_nothing_verified_is_no_proof(base: Any, call: Any) -> None:
    Path("empty.lock").write_text("# frostline lock, format 1\n")
    safetensors.numpy.save_file({}, "empty.safetensors")
    assert call("verify", "empty.safetensors", "empty.lock").status == 2
    assert call("verify", "empty.safetensors", "base.lock", "--partial").status == 2


def test_a_pattern_that_matches_nothing_is_mentioned(base: Any, call: Any) -> None:
    found = call("verify", "base.safetensors", "base.lock", "--may-differ", "haed.**")
    assert found.status == 0
    assert "--may-differ haed.** matches nothing" in found.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a lock file"),
        (b"\xff\xfe", "is not a lock file"),
        (b"# frostline lock, format 99\n", "has lock format 99; this frostline reads formats 1 to 3"),
        (b"# frostline lock, format 1\nw float32\n", "its line 2 is not a tensor's"),
        (b"# frostline lock, format 1\n" + 2 * (b"w u1 [] blake3:" + b"0" * 64 + b"\n"), "its line 3 names 'w' again"),
    ],
)
def test_damaged_locks(content: bytes, message: str, base: Any, call: Any) -> None:
    Path("bad.lock").write_bytes(content)
    found = call("verify", "base.safetensors", "bad.lock")
    assert found.status == 2
    assert message in found.err


def test_a_place_that_cannot_be_written_to(base: Any, call: Any) -> None:
    found = call("lock", "base.safetensors", "-o", "absent/weights.lock")
    assert found.status == 2
    assert "cannot write absent/weights.lock" in found.err
    assert not os.path.exists("absent")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_name_survives_a_lock(name: str) -> None:
    entry = lock_file.Entry(name, "float32", (2, 3), "0" * 64)
    assert len(entry.line().splitlines()) == 1
    assert lock_file._parsed(entry.line()) == entry


@pytest.fixture(name="large")
def large_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, dict[str, np.ndarray]]:
    """A file that is hashed by a process of its own, with tensors of very different sizes."""
    monkeypatch.setattr(hashing, "WORTH_A_PROCESS", 0)
    data = RANDOM.integers(0, 256, 40_000_001, np.uint8)
    arrays = {"large": data, "middle": data[5:2_000_000], "small": data[:7], "empty": data[:0]}
    safetensors.numpy.save_file(arrays, tmp_path / "w.safetensors")
    return tmp_path / "w.safetensors", arrays


def test_a_process_of_its_own_gives_the_same_digests(large: tuple[Path, dict[str, np.ndarray]]) -> None:
    path, arrays = large
    with checkpoints.open(path) as found:
        digests = {entry.name: entry.digest for entry in lock_file.locked(found)}
    assert digests == {name: blake3(array).hexdigest() for name, array in arrays.items()}


def test_a_file_that_is_cut_before_it_is_mapped(large: tuple[Path, dict[str, np.ndarray]]) -> None:
    found = checkpoints.open(large[0])
    os.truncate(large[0], 1_000_000)
    with pytest.raises(CheckpointError, match="changed while it was being read"):
        lock_file.locked(found)
    found.close()


@pytest.mark.skipif(os.name != "posix", reason="signals of another kind")
def test_a_process_that_dies_of_a_file_is_one_line(
    large: tuple[Path, dict[str, np.ndarray]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system does to a process that reads a map of a file that was cut."""
    dying = tmp_path / "python"
    dying.write_text("#!/bin/sh\nkill -BUS $$\n")
    dying.chmod(0o755)
    monkeypatch.setattr(hashing.sys, "executable", str(dying))
    with checkpoints.open(large[0]) as found, pytest.raises(CheckpointError, match="cannot be mapped"):
        lock_file.locked(found)
