"""Paths that climb, links that leave, and things that are no files."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from attack_files import refusal

from frostline import checkpoints
from frostline.errors import CheckpointError


@pytest.fixture(name="folder")
def folder_fixture(tmp_path: Path) -> Path:
    """A folder for an index, beside a file that no index in it may reach."""
    safetensors.numpy.save_file({"w": np.ones(2)}, tmp_path / "secret")
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


def index(folder: Path, table: object) -> Path:
    path = folder / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": table}))
    return path


@pytest.mark.parametrize(
    "shard",
    [
        "../secret",
        "a/../../secret",
        "..\\secret",
        "C:\\secret",
        "\\\\host\\share",
        "/etc/hostname",
        "w\0",
        "{absolute}",
    ],
)
def test_a_shard_outside_the_folder(shard: str, folder: Path) -> None:
    shard = shard.format(absolute=folder.parent / "secret")
    assert "a path that leaves its folder" in refusal(index(folder, {"w": shard}))


@pytest.mark.parametrize("target", ["../secret", "{absolute}", "/dev/zero", "/proc/self/mem"])
def test_a_link_out_of_the_folder(target: str, folder: Path) -> None:
    (folder / "shard").symlink_to(target.format(absolute=folder.parent / "secret"))
    assert "a link that leaves its folder" in refusal(index(folder, {"w": "shard"}))


def test_a_linked_folder_inside_the_folder(folder: Path) -> None:
    (folder / "sub").symlink_to("..")
    assert "a link that leaves its folder" in refusal(index(folder, {"w": "sub/secret"}))


def test_a_link_to_itself(folder: Path) -> None:
    (folder / "shard").symlink_to("shard")
    with pytest.raises(CheckpointError):
        checkpoints.open(index(folder, {"w": "shard"}))


def test_an_index_of_indexes(folder: Path) -> None:
    index(folder, {"w": "model.safetensors.index.json"})
    assert "no checkpoint of a known format" in refusal(folder / "model.safetensors.index.json")


def test_a_shard_that_is_absent(folder: Path) -> None:
    assert "there is no such file" in refusal(index(folder, {"w": "absent"}))


def test_a_tensor_that_is_elsewhere(folder: Path) -> None:
    safetensors.numpy.save_file({"w": np.ones(2)}, folder / "shard")
    assert "which does not hold it" in refusal(index(folder, {"w": "shard", "v": "shard"}))


def test_a_tensor_in_two_shards(folder: Path) -> None:
    for name in ("one", "two"):
        safetensors.numpy.save_file({"w": np.ones(2), name: np.ones(1)}, folder / name)
    assert "stands for two tensors" in refusal(index(folder, {"one": "one", "two": "two"}))


@pytest.mark.parametrize("table", [{}, [], "x", {"w": 3}, {"w": ""}, {"w": ["a", 3]}])
def test_a_table_that_is_none(table: object, folder: Path) -> None:
    refusal(index(folder, table))


def test_deep_json(folder: Path) -> None:
    (folder / "w").write_text('{"weight_map":' * 100_000)
    refusal(folder / "w")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert "not a regular file" in refusal(folder / "pipe")
    assert "not a regular file" in refusal(index(folder, {"w": "pipe"}))


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
def test_devices(path: str) -> None:
    with pytest.raises(CheckpointError, match="not a regular file"):
        checkpoints.open(path)


def test_a_path_that_cannot_be_one() -> None:
    with pytest.raises(CheckpointError):
        checkpoints.open("a\0b")
