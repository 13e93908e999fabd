"""GGUF files of the first version and of machines that put the big end first, laid out byte by byte."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError

WEIGHT = np.arange(6, dtype=np.float32).reshape(2, 3) - 2.5
COUNTS = np.array([1, 2, 3], np.int16)
UINT32, FLOAT32, STRING, ARRAY = 4, 6, 8, 9  # kinds of metadata values
F32, I16, Q8_0 = 0, 25, 8  # kinds of tensors


class Layout:
    """How one kind of file puts its numbers: ``size`` is the code of counts and lengths."""

    def __init__(self, version: int, order: str) -> None:
        self.version, self.order = version, order
        self.size = "I" if version == 1 else "Q"

    def put(self, codes: str, *values: int | float) -> bytes:
        return struct.pack(self.order + codes.replace("N", self.size), *values)

    def text(self, value: str) -> bytes:
        return self.put("N", len(value)) + value.encode()

    def tensor(self, name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
        return self.text(name) + self.put(f"I{len(shape)}NIQ", len(shape), *shape[::-1], kind, offset)

    def long_arrays(self, last: int) -> list[bytes]:
        """Arrays of texts and of numbers too long to be shown, which end with ``last``."""
        numbers = [*range(99), last]
        return [
            self.text("names") + self.put("IIN", ARRAY, STRING, 100) + b"".join(self.text(f"t{n}") for n in numbers),
            self.text("scores") + self.put("IIN100f", ARRAY, FLOAT32, 100, *numbers),
        ]

    def file(self, extra: list[bytes] = [], body: bytes = b"", more: list[bytes] = []) -> bytes:  # noqa: B006
        pairs = [
            self.text("general.architecture") + self.put("I", STRING) + self.text("llama"),
            self.text("llama.rope.scale") + self.put("If", FLOAT32, 0.5),
            self.text("tokens") + self.put("IIN", ARRAY, STRING, 2) + self.text("a") + self.text("bc"),
            self.text("general.alignment") + self.put("II", UINT32, 16),
            *more,
        ]
        tensors = [self.tensor("blk.0.weight", (2, 3), F32, 0), self.tensor("counts", (3,), I16, 32), *extra]
        head = b"GGUF" + self.put("INN", self.version, len(tensors), len(pairs)) + b"".join(pairs) + b"".join(tensors)
        head += bytes(-len(head) % 16)
        content = WEIGHT.astype(f"{self.order}f4").tobytes() + bytes(8) + COUNTS.astype(f"{self.order}i2").tobytes()
        return head + content + bytes(10) + body


LAYOUTS = [(1, "<"), (2, "<"), (3, "<"), (3, ">")]


@pytest.mark.parametrize(("version", "order"), LAYOUTS)
def test_every_layout(version: int, order: str, tmp_path: Path, bytes_of: Any) -> None:
    (tmp_path / "w.gguf").write_bytes(Layout(version, order).file())
    with checkpoints.open(tmp_path / "w.gguf") as found:
        assert found.metadata == {
            "general.architecture": "llama",
            "llama.rope.scale": "0.5",
            "tokens": "[a, bc] (2)",
            "general.alignment": "16",
        }
        weight, counts = found.tensors["blk.0.weight"], found.tensors["counts"]
        assert (weight.dtype, weight.shape, bytes_of(weight)) == ("float32", (2, 3), WEIGHT.tobytes())
        assert (counts.dtype, counts.shape, bytes_of(counts)) == ("int16", (3,), COUNTS.tobytes())


def test_the_same_numbers_in_any_layout_are_the_same(tmp_path: Path, call: Any) -> None:
    for version, order in LAYOUTS:
        (tmp_path / f"{version}{ord(order)}").write_bytes(Layout(version, order).file())
    first, *others = sorted(tmp_path.iterdir())
    assert [call("diff", first, other).status for other in others] == [0, 0, 0]


def test_long_arrays_differ_where_their_values_do_and_not_by_layout(tmp_path: Path, call: Any) -> None:
    for version, order in LAYOUTS:
        layout = Layout(version, order)
        (tmp_path / f"{version}{ord(order)}").write_bytes(layout.file(more=layout.long_arrays(99)))
    first, *others = sorted(tmp_path.iterdir())
    assert [call("diff", first, other).status for other in others] == [0, 0, 0]
    for version, order in LAYOUTS:
        layout = Layout(version, order)
        (tmp_path / "other").write_bytes(layout.file(more=layout.long_arrays(98)))
        assert [
            change["name"] for change in json.loads(call("diff", first, tmp_path / "other", "--json").out)["others"]
        ] == ["names", "scores"]


@pytest.mark.parametrize(("version", "order"), LAYOUTS)
def test_a_file_cut_anywhere(version: int, order: str, tmp_path: Path) -> None:
    whole = Layout(version, order).file()[:-10]
    for length in range(len(whole)):
        (tmp_path / "w.gguf").write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            checkpoints.open(tmp_path / "w.gguf")


def test_quantised_blocks_with_the_big_end_first_are_listed_and_not_compared(tmp_path: Path, call: Any) -> None:
    layout = Layout(3, ">")
    (tmp_path / "w.gguf").write_bytes(layout.file([layout.tensor("packed", (1, 32), Q8_0, 48)], bytes(34)))
    with checkpoints.open(tmp_path / "w.gguf") as found:
        assert found.tensors["packed"].unknown == "quantised and stored big end first"
    assert call("diff", tmp_path / "w.gguf", tmp_path / "w.gguf").status == 2


def test_the_writer_of_the_gguf_package_with_the_big_end_first(tmp_path: Path, bytes_of: Any) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(tmp_path / "w.gguf", "llama", endianess=gguf.GGUFEndian.BIG)
    writer.add_tensor("weight", WEIGHT.copy())
    writer.add_tensor("counts", COUNTS.copy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with checkpoints.open(tmp_path / "w.gguf") as found:
        assert bytes_of(found.tensors["weight"]) == WEIGHT.tobytes()
        assert bytes_of(found.tensors["counts"]) == COUNTS.tobytes()
