"""What `frostline show` lists: names, types, shapes, digests, ties, totals; and that nothing in a name can steer it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from frostline.digest.blocks import blocks, tensor_digest


def test_the_digests_are_those_of_a_run(tmp_path: Path, call: Any) -> None:
    array = np.random.default_rng(0).standard_normal((700, 500)).astype("f4")
    safetensors.numpy.save_file({"w": array}, tmp_path / "w.safetensors", metadata={"format": "np"})
    found = json.loads(call("show", tmp_path / "w.safetensors", "--json").out)
    (tensor,) = found["tensors"]
    assert tensor["digest"] == tensor_digest(blocks(array), "float32", (700, 500))
    assert (tensor["name"], tensor["dtype"], tensor["shape"], tensor["bytes"]) == (
        "w",
        "float32",
        [700, 500],
        1_400_000,
    )
    assert found["totals"] == {"tensors": 1, "values": 350_000, "bytes": 1_400_000, "stored": 1_400_000, "unknown": 0}
    assert (found["kind"], found["metadata"]) == ("safetensors", {"format": "np"})


@pytest.mark.needs("torch")
def test_ties_are_shown_and_counted_once(tmp_path: Path, call: Any) -> None:
    torch = pytest.importorskip("torch")
    shared = torch.ones(10, 4)
    torch.save(
        {"embed.weight": shared, "head.weight": shared, "first": shared[:2], "own": torch.ones(3)}, tmp_path / "w.pt"
    )
    found = json.loads(call("show", tmp_path / "w.pt", "--json").out)
    assert found["ties"] == [["embed.weight", "head.weight", "first"]]
    assert {t["name"]: t["tied"] for t in found["tensors"]}["head.weight"] == ["embed.weight", "first"]
    assert (found["totals"]["bytes"], found["totals"]["stored"]) == (160 + 160 + 32 + 12, 160 + 12)
    text = call("show", tmp_path / "w.pt").out
    assert "embed.weight = head.weight = first" in text


def test_without_digests_no_number_is_read(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from frostline.checkpoints.files.file import File

    safetensors.numpy.save_file({"w": np.ones((1000, 1000))}, tmp_path / "w.safetensors")
    read = []
    original = File.read_into
    monkeypatch.setattr(
        File, "read_into", lambda self, at, buffer: (read.append(len(buffer)), original(self, at, buffer))
    )
    found = json.loads(call("show", tmp_path / "w.safetensors", "--no-digests", "--json").out)
    assert found["tensors"][0]["digest"] is None
    assert sum(read) < 10_000


def test_a_name_cannot_steer_the_terminal(tmp_path: Path, call: Any) -> None:
    safetensors.numpy.save_file({"evil\x1b[31m\nname": np.ones(2)}, tmp_path / "w.safetensors")
    out = call("show", tmp_path / "w.safetensors").out
    assert "\x1b" not in out
    assert "evil\\x1b[31m\\nname" in out
