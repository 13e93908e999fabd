"""Files of joblib, packed by every method and plain, and other pickles whose numbers stand outside of any array."""

import array
import collections
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError

VALUES = {
    "w": np.arange(12.0).reshape(3, 4),
    "turned": np.asfortranarray(np.arange(6, dtype=">f4").reshape(2, 3)),
    "empty": np.zeros((0, 3)),
    "records": np.zeros(3, dtype=[("a", "<f4"), ("b", "<i8")]),
    "objects": np.array([1, "a", None], object),
    "nested": {"k": np.int8(3), "list": [1.5, 2.5]},
    "step": 3,
}
METHODS = [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("lz4", 3)]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method[0] if method else "plain")
def test_every_method(method: Any, tmp_path: Path, bytes_of: Any, call: Any) -> None:
    joblib.dump(VALUES, tmp_path / "w.joblib", compress=method)
    with checkpoints.open(tmp_path / "w.joblib") as found:
        assert found.kind.startswith("joblib")
        tensors = found.tensors
        assert not [tensor.name for tensor in tensors.values() if tensor.unknown]
        assert bytes_of(tensors["w"]) == VALUES["w"].tobytes()
        assert (tensors["turned"].dtype, tensors["turned"].shape) == ("float32", (2, 3))
        assert bytes_of(tensors["turned"]) == VALUES["turned"].astype("<f4").tobytes(order="C")
        assert (tensors["nested.k"].dtype, bytes_of(tensors["nested.k"])) == ("int8", b"\3")
        assert bytes_of(tensors["nested.list"]) == np.array([1.5, 2.5]).tobytes()
        assert bytes_of(tensors["step"]) == (3).to_bytes(8, "little")
    joblib.dump(VALUES, tmp_path / "plain.joblib")
    assert call("lock", tmp_path / "plain.joblib", "-o", tmp_path / "lock").status == 0
    assert call("verify", tmp_path / "w.joblib", tmp_path / "lock").status == 0
    joblib.dump({**VALUES, "step": 4}, tmp_path / "w.joblib", compress=method)
    changed = call("verify", tmp_path / "w.joblib", tmp_path / "lock")
    assert (changed.status, "step" in changed.out) == (1, True)


@pytest.mark.needs("sklearn")
def test_a_model_of_scikit_learn(tmp_path: Path, bytes_of: Any) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    model = linear_model.LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])
    joblib.dump(model, tmp_path / "m.joblib", compress=3)
    with checkpoints.open(tmp_path / "m.joblib") as found:
        assert bytes_of(found.tensors["coef_"]) == model.coef_.tobytes()
        assert bytes_of(found.tensors["C"]) == np.float64(1.0).tobytes()


def test_a_cut_file_and_one_that_lies(tmp_path: Path) -> None:
    joblib.dump({"w": np.arange(100.0)}, tmp_path / "w")
    whole = (tmp_path / "w").read_bytes()
    for content in (whole[:-1], whole[: len(whole) // 2], whole.replace(b"K\x64", b"K\xff")):
        (tmp_path / "bad").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"not a sound pickle|ends inside"):
            checkpoints.open(tmp_path / "bad")


@pytest.mark.parametrize("protocol", range(6))
def test_numbers_outside_of_arrays_are_locked(protocol: int, tmp_path: Path, bytes_of: Any) -> None:
    values = {"a": array.array("d", [1.0, 2.5]), "i": array.array("i", [1, -2]), "rows": [[1.0], [3.0]], "x": 0.5}
    (tmp_path / "p").write_bytes(pickle.dumps(values, protocol))
    with checkpoints.open(tmp_path / "p") as found:
        assert {name: (tensor.dtype, tensor.shape) for name, tensor in found.tensors.items()} == {
            "a": ("float64", (2,)),
            "i": ("int32", (2,)),
            "rows.0": ("float64", (1,)),
            "rows.1": ("float64", (1,)),
            "x": ("float64", ()),
        }
        assert bytes_of(found.tensors["a"]) == values["a"].tobytes()
        assert bytes_of(found.tensors["i"]) == values["i"].tobytes()


def test_what_joblib_wrote_long_ago_is_named(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"ZF0x10                 " + bytes(20))
    with pytest.raises(CheckpointError, match=r"packed by joblib before 0\.10"):
        checkpoints.open(tmp_path / "old")


def test_numbers_inside_an_array_of_objects_are_locked(tmp_path: Path, bytes_of: Any, call: Any) -> None:
    np.savez(tmp_path / "one.npz", params=np.array({"w": [0.5, 1.5], "bias": 2}, object))
    np.savez(tmp_path / "other.npz", params=np.array({"w": [0.5, 1.25], "bias": 2}, object))
    with checkpoints.open(tmp_path / "one.npz") as found:
        assert bytes_of(found.tensors["params.w"]) == np.array([0.5, 1.5]).tobytes()
        assert bytes_of(found.tensors["params.bias"]) == (2).to_bytes(8, "little")
    assert call("diff", tmp_path / "one.npz", tmp_path / "other.npz").status == 1


def test_an_object_with_an_item_and_an_argument_of_one_name(tmp_path: Path) -> None:
    """Both are kept: no name may hide another value."""
    (tmp_path / "p").write_bytes(pickle.dumps({"d": collections.deque([1.0, 2.0], 5), "c": 1 + 2j, "s": {3}}))
    with checkpoints.open(tmp_path / "p") as found:
        assert found.tensors.keys() == {"d.0", "d.1", "d.1 (2)", "c.0", "c.1", "s"}
