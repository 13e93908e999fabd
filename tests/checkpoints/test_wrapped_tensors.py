"""Tensors inside other objects: subclasses that wrap plain tensors, arrays of objects, jax arrays."""

import pickle
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from frostline import checkpoints


def same_and_changed(call: Any, one: Path, same: Path, changed: Path) -> None:
    """The laws of all readers: equal content is the same, other content is different, and a lock tells them apart."""
    lock = one.with_suffix(".lock")
    assert call("lock", one, "-o", lock).status == 0
    assert (call("diff", one, same).status, call("verify", same, lock).status) == (0, 0)
    assert (call("diff", one, changed).status, call("verify", changed, lock).status) == (1, 1)


@pytest.mark.needs("torch")
class TestTorch:
    def test_a_whole_dtensor_is_its_local_tensor(self, tmp_path: Path, call: Any) -> None:
        torch = pytest.importorskip("torch")
        from torch.distributed.device_mesh import DeviceMesh
        from torch.distributed.tensor import DTensor, Shard

        torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
        try:
            mesh = DeviceMesh("cpu", [0])
            weights = torch.arange(8.0).reshape(4, 2)
            for name, values in (("one", weights), ("other", weights + 1)):
                sharded = DTensor.from_local(values, mesh, [Shard(0)])
                torch.save({"w": torch.nn.Parameter(sharded), "b": torch.zeros(1)}, tmp_path / f"{name}.pt")
            part = DTensor.from_local(weights, mesh, [Shard(0)], shape=(8, 2), stride=(2, 1), run_check=False)
            torch.save({"w": part, "b": torch.zeros(1)}, tmp_path / "part.pt")
        finally:
            torch.distributed.destroy_process_group()
        torch.save({"w": weights, "b": torch.zeros(1)}, tmp_path / "plain.pt")
        same_and_changed(call, tmp_path / "one.pt", tmp_path / "plain.pt", tmp_path / "other.pt")
        assert call("diff", tmp_path / "one.pt", tmp_path / "part.pt").status == 1
        with checkpoints.open(tmp_path / "part.pt") as found:
            assert list(found.tensors) == ["w", "w.placement", "b"]

    def test_what_a_subclass_wraps_and_its_plain_attributes(self, tmp_path: Path, call: Any, bytes_of: Any) -> None:
        torch = pytest.importorskip("torch")
        for name, number, scale in (("one", 1, 0.5), ("same", 1, 0.5), ("number", 2, 0.5), ("scale", 1, 0.25)):
            packed = quantised_class(torch)(torch.full((2, 2), number, dtype=torch.int8), scale)
            torch.save({"w": packed, "b": torch.zeros(1)}, tmp_path / f"{name}.pt")
        for other in ("number", "scale"):
            same_and_changed(call, tmp_path / "one.pt", tmp_path / "same.pt", tmp_path / f"{other}.pt")
        with checkpoints.open(tmp_path / "one.pt") as found:
            assert bytes_of(found.tensors["w.packed"]) == b"\1\1\1\1"
            assert found.tensors["w.attributes"].dtype == "text"

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("layout", ["strided", "jagged"])
    def test_nested_tensors(self, layout: str, tmp_path: Path, call: Any) -> None:
        torch = pytest.importorskip("torch")
        for name, value in (("one", 1.0), ("same", 1.0), ("other", 2.0)):
            parts = [torch.full((2, 3), value), torch.ones(1, 3)]
            nested = torch.nested.nested_tensor(parts, layout=getattr(torch, layout))
            torch.save({"w": nested, "b": torch.zeros(1)}, tmp_path / f"{name}.pt")
        same_and_changed(call, tmp_path / "one.pt", tmp_path / "same.pt", tmp_path / "other.pt")

    def test_what_stands_on_a_parameter_is_read_too(self, tmp_path: Path, call: Any) -> None:
        torch = pytest.importorskip("torch")
        for name, value in (("one", 1.0), ("same", 1.0), ("other", 2.0)):
            parameter = torch.nn.Parameter(torch.ones(2))
            parameter.ema = torch.full((2,), value)
            torch.save({"w": parameter}, tmp_path / f"{name}.pt")
        same_and_changed(call, tmp_path / "one.pt", tmp_path / "same.pt", tmp_path / "other.pt")


def quantised_class(torch: Any) -> Any:
    """A subclass as quantising libraries write them: bytes, and a scale that is a plain attribute."""
    global Quantised

    class Quantised(torch.Tensor):  # type: ignore[misc, name-defined]
        @staticmethod
        def __new__(cls: Any, packed: Any, scale: float) -> Any:
            return torch.Tensor._make_wrapper_subclass(cls, packed.shape, dtype=torch.float32)

        def __init__(self, packed: Any, scale: float) -> None:
            self.packed, self.scale = packed, scale

        __torch_dispatch__ = classmethod(lambda *arguments: NotImplemented)

    Quantised.__qualname__ = "Quantised"
    return Quantised


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_dicts_and_arrays_of_objects_in_npz(save: Any, tmp_path: Path, call: Any, bytes_of: Any) -> None:
    def tree(number: float) -> dict[str, Any]:
        ragged = np.array([np.ones(2), np.full(3, number)], object)
        plain = np.array([["a", 1], [2.5, number]], object)
        values = np.asfortranarray(np.array([[1.5, number], [2.5, 3.5]], object))
        return {
            "params": {"fc": {"w": np.full((2, 2), number), ("a", 1): np.ones(1)}},
            "ragged": ragged,
            "plain": plain,
        } | {"numbers": values}

    for name, number in (("one", 1.0), ("same", 1.0), ("other", 2.0)):
        save(tmp_path / f"{name}.npz", **tree(number))
    for key in tree(0):
        for name, number in (("one", 1.0), ("same", 1.0), ("other", 2.0)):
            np.save(tmp_path / f"{name}.npy", tree(number)[key], allow_pickle=True)
        same_and_changed(call, *(tmp_path / f"{name}.npy" for name in ("one", "same", "other")))
    same_and_changed(call, *(tmp_path / f"{name}.npz" for name in ("one", "same", "other")))
    with checkpoints.open(tmp_path / "other.npz") as found:
        assert bytes_of(found.tensors["params.fc.w"]) == np.full((2, 2), 2.0).tobytes()
        assert {"params.fc.a.1", "ragged.0", "ragged.1"} <= set(found.tensors)
        assert bytes_of(found.tensors["numbers"]) == np.array([[1.5, 2], [2.5, 3.5]]).tobytes()


@pytest.mark.needs("jax")
@pytest.mark.parametrize("dtype", ["bfloat16", "float32", "int32", "float8_e5m2"])
def test_jax_arrays_in_a_pickle(dtype: str, tmp_path: Path, call: Any, bytes_of: Any) -> None:
    jnp = pytest.importorskip("jax.numpy")
    for name, value in (("one", 1), ("same", 1), ("other", 2)):
        state = {"w": jnp.full((2, 3), value, dtype), "open": np.ones(2)}
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(state))
    same_and_changed(call, tmp_path / "one.pkl", tmp_path / "same.pkl", tmp_path / "other.pkl")
    with checkpoints.open(tmp_path / "one.pkl") as found:
        assert (found.tensors["w"].dtype, found.tensors["w"].shape) == (dtype, (2, 3))
        assert bytes_of(found.tensors["w"]) == np.ones((2, 3), getattr(ml_dtypes, dtype, dtype)).tobytes()


@pytest.mark.parametrize(
    "array", [np.array(["ab"]), np.array([b"ab"]), np.array(["2020-01-01"], "M8[D]"), np.zeros(2, "f4,i8")]
)
def test_text_times_and_structures_in_a_pickle_are_compared_as_bytes(array: Any, tmp_path: Path, bytes_of: Any) -> None:
    (tmp_path / "w.pkl").write_bytes(pickle.dumps({"w": array}))
    with checkpoints.open(tmp_path / "w.pkl") as found:
        assert found.tensors["w"].unknown is None
        assert bytes_of(found.tensors["w"]) == array.tobytes()
