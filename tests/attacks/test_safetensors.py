"""Bad safetensors files."""
# ruff: noqa: E501  (a table of bytes is read line by line)

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from attack_files import read_everything, refusal, refused_in_little_memory, safetensors_bytes

from frostline import checkpoints
from frostline.errors import CheckpointError

U8 = {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]}

BAD: dict[str, tuple[bytes, str]] = {
    "header longer than the file": (safetensors_bytes({}, length=99), "ends at byte"),
    "header longer than any": (safetensors_bytes({}, length=2**40), "at most 100,000,000"),
    "header length 2^55": (safetensors_bytes({}, length=2**55), "at most 100,000,000"),
    "header cut by its length": (safetensors_bytes({"w": U8}, bytes(4), length=20), "not JSON"),
    "no JSON": (safetensors_bytes(b"{nonsense"), "not JSON"),
    "not UTF-8": (safetensors_bytes(b'{"\xff": 1}'), "not UTF-8"),
    "deeply nested": (safetensors_bytes(b'{"a":' * 100_000), "not JSON"),
    "huge number": (safetensors_bytes(b'{"w":{"dtype":"U8","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,4]}}'), "JSON"),
    "name of half a character": (safetensors_bytes(b'{"\\ud800": ' + json.dumps(U8).encode() + b"}", bytes(4)), "UTF-8"),
    "same name twice": (
        safetensors_bytes(b'{"w": %b, "w": %b}' % (json.dumps(U8).encode(), json.dumps(U8).encode()), bytes(4)),
        "names the same thing twice",
    ),
    "overlap": (safetensors_bytes({"a": U8, "b": U8 | {"data_offsets": [2, 6]}}, bytes(6)), "the tensor before it"),
    "same bytes twice": (safetensors_bytes({"a": U8, "b": U8}, bytes(4)), "the tensor before it"),
    "gap": (safetensors_bytes({"a": U8, "b": U8 | {"data_offsets": [5, 9]}}, bytes(9)), "the tensor before it"),
    "bytes behind": (safetensors_bytes({"a": U8}, bytes(5)), "its tensors end at"),
    "bytes missing": (safetensors_bytes({"a": U8}, bytes(3)), "the file at"),
    "out of range": (safetensors_bytes({"a": U8 | {"data_offsets": [0, 2**62]}}, bytes(4)), "the file at"),
    "backwards": (safetensors_bytes({"a": U8 | {"data_offsets": [4, 0]}}, bytes(4)), "the tensor before it"),
    "negative": (safetensors_bytes({"a": U8 | {"data_offsets": [-4, 0]}}), "no usable data_offsets"),
    "offsets that are no numbers": (safetensors_bytes({"a": U8 | {"data_offsets": [0, True]}}), "no usable data_offsets"),
    "fractions": (safetensors_bytes({"a": U8 | {"data_offsets": [0.0, 4.0]}}, bytes(4)), "no usable data_offsets"),
    "no offsets": (safetensors_bytes({"a": {"dtype": "U8", "shape": [0]}}), "no usable data_offsets"),
    "no table": (safetensors_bytes({"a": 3}), "no usable data_offsets"),
    "no shape": (safetensors_bytes({"a": {"dtype": "U8", "data_offsets": [0, 4]}}, bytes(4)), "no usable dtype and shape"),
    "negative shape": (safetensors_bytes({"a": U8 | {"shape": [-2, -2]}}, bytes(4)), "no usable dtype and shape"),
    "absurd shape": (safetensors_bytes({"a": U8 | {"shape": [2**60] * 50}}, bytes(4)), "absurd shape"),
    "shape too large": (safetensors_bytes({"a": U8 | {"shape": [2**33]}}, bytes(4)), "does not fill 4 bytes"),
    "shape too small": (safetensors_bytes({"a": U8 | {"shape": [3]}}, bytes(4)), "does not fill 4 bytes"),
    "dtype that is no text": (safetensors_bytes({"a": U8 | {"dtype": 3}}, bytes(4)), "no usable dtype and shape"),
    "metadata that is no table": (safetensors_bytes({"__metadata__": [1]}), "no table of texts"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_each_lie_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(content)
    assert message in refusal(tmp_path / "w")


def test_a_file_cut_anywhere(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"a": np.ones(3), "b": np.zeros((2, 2), "u1")}, tmp_path / "whole")
    whole = (tmp_path / "whole").read_bytes()
    read_everything(tmp_path / "whole")
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        refusal(tmp_path / "cut")


def test_a_sparse_file_of_a_terabyte_with_an_absurd_header(tmp_path: Path) -> None:
    with (tmp_path / "w").open("wb") as file:
        file.write(safetensors_bytes({}, length=2**39))
        file.truncate(2**40)
    assert "at most 100,000,000" in refused_in_little_memory(tmp_path / "w")


def truncate(path: Path) -> None:
    os.truncate(path, 600_000)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def read_while(path: Path, change: Callable[[Path], None]) -> None:
    with checkpoints.open(path) as found:
        pieces = found.tensors["w"].source.pieces()
        next(pieces)
        change(path)
        for _ in pieces:
            pass


@pytest.mark.parametrize("change", [truncate, overwrite, append])
def test_a_file_that_changes_while_it_is_read(change: Callable[[Path], None], tmp_path: Path) -> None:
    safetensors.numpy.save_file({"w": np.ones(1_000_000)}, tmp_path / "w")
    read_while(tmp_path / "w", lambda path: None)
    time.sleep(0.02)  # a file system's clock ticks in steps
    with pytest.raises(CheckpointError, match="changed while it was being read"):
        read_while(tmp_path / "w", change)


def test_text_that_steers_a_terminal_stays_text(tmp_path: Path) -> None:
    header: dict[str, Any] = {"\x1b]0;title\x07\n": {"dtype": "U8", "shape": [4], "data_offsets": [0, 2]}}
    (tmp_path / "w").write_bytes(safetensors_bytes(header, bytes(2)))
    assert "\x1b" not in refusal(tmp_path / "w")
