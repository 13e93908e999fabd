"""Files in the msgpack layout of flax.serialization: names, types, shapes and bytes; a changed element; bad files."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError


def packed(value: Any) -> Any:
    """A tree as flax packs it: an array is extension 1, around its shape, type and bytes."""
    if isinstance(value, dict):
        return {key: packed(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return msgspec.msgpack.Ext(1, msgspec.msgpack.encode((value.shape, value.dtype.name, value.tobytes())))
    return value


def save(path: Path, tree: dict[str, Any]) -> None:
    path.write_bytes(msgspec.msgpack.encode(packed(tree)))


def tree(largest: float = 5.0) -> dict[str, Any]:
    kernel = np.arange(6, dtype=np.float32).reshape(2, 3)
    kernel[1, 2] = largest
    dense = {"kernel": kernel, "bias": np.zeros(300, np.float16), "scale": np.array(2, np.int8)}
    return {"params": {"dense": dense, "none": np.zeros((0, 4), np.uint8)}, "step": 70_000, "name": "net", "rate": 0.5}


def test_arrays_are_found_under_the_keys_that_lead_to_them(tmp_path: Path, bytes_of: Any) -> None:
    save(tmp_path / "w.msgpack", tree())
    params = tree()["params"]
    arrays = {f"params.dense.{name}": array for name, array in params["dense"].items()} | {
        "params.none": params["none"]
    }
    with checkpoints.open(tmp_path / "w.msgpack") as found:
        assert found.kind == "flax"
        assert found.extras == {"name": "'net'"}
        assert found.tensors.keys() == {*arrays, "step", "rate"}
        assert bytes_of(found.tensors["step"]) == (70_000).to_bytes(8, "little")
        assert bytes_of(found.tensors["rate"]) == np.float64(0.5).tobytes()
        for name, array in arrays.items():
            tensor = found.tensors[name]
            assert (tensor.dtype, tensor.shape, bytes_of(tensor)) == (array.dtype.name, array.shape, array.tobytes())


def test_one_changed_element_is_found(tmp_path: Path, call: Any) -> None:
    one, other, lock = tmp_path / "one.msgpack", tmp_path / "other.msgpack", tmp_path / "w.lock"
    save(one, tree())
    save(other, tree(largest=6.0))
    assert call("diff", one, one).status == 0
    assert "1 of 6" in call("diff", one, other).out
    assert call("lock", one, "-o", lock).status == 0
    assert call("verify", one, lock).status == 0
    assert call("verify", other, lock).status == 1


@pytest.mark.parametrize("hidden", [b"raw", msgspec.msgpack.Ext(9, b"x"), np.array(["text"])])
def test_what_is_not_understood_is_no_proof(hidden: Any, tmp_path: Path, call: Any) -> None:
    save(tmp_path / "w.msgpack", {"a": np.ones(2), "hidden": hidden})
    found = call("lock", tmp_path / "w.msgpack", "-o", tmp_path / "w.lock")
    assert found.status == 2
    assert "1 of 2 entries could not be read: hidden" in found.err


ARRAY = msgspec.msgpack.encode(((2,), "float32", bytes(8)))
BAD = {
    "deep": (b"\x81\xa1a" + b"\x91" * 200 + b"\xc0", "more than 100 deep"),
    "a list of 4 billion": (b"\x81\xa1a\xdd\xff\xff\xff\xff", "are needed"),
    "a table of 4 billion": (b"\xdf\xff\xff\xff\xff\xa1a\xc0", "are needed"),
    "an array beyond the file": (b"\x81\xa1a\xc9\xff\xff\xff\xff\x01" + ARRAY, "ends at byte"),
    "an array beyond its frame": (b"\x81\xa1a\xc7\x05\x01" + ARRAY, "runs over the end"),
    "an array short of its frame": (b"\x81\xa1a\xc7\x18\x01" + ARRAY + bytes(9), "does not fill"),
    "a shape too large": (b"\x81\xa1a\xc7\x15\x01" + ARRAY.replace(b"\x91\x02", b"\x91\x03"), "does not fill 8 bytes"),
    "a negative shape": (b"\x81\xa1a\xc7\x14\x01" + ARRAY.replace(b"\x91\x02", b"\x91\xff"), "absurd shape"),
    "a key twice": (b"\x82\xa1a\xc0\xa1a\xc0", "twice"),
    "a name twice": (b"\x82\xa1a\x81\xa1b\xc0\xa3a.b\xc0", "stands for two"),
    "an unknown instruction": (b"\x81\xa1a\xc1", "0xc1"),
    "a tail": (b"\x81\xa1a\xc0\xc0", "its table ends at byte 4"),
    "a key that is a list": (b"\x82\xa1a\xc0\x90\xc0", "neither a short text"),
    "no UTF-8": (b"\x81\xa1\xff\xc0", "not UTF-8"),
    "values without end": (b"\x81\xa1a\xdd\x00\x0f\xff\xff" + bytes(2**20), "more than 500,000 values"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_each_lie_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.msgpack").write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        checkpoints.open(tmp_path / "w.msgpack")
    assert message in caught.value.message


def test_a_file_cut_anywhere(tmp_path: Path) -> None:
    save(tmp_path / "w.msgpack", tree())
    whole = (tmp_path / "w.msgpack").read_bytes()
    for length in range(len(whole)):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            checkpoints.open(tmp_path / "cut")
