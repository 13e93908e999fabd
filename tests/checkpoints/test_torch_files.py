"""Files that torch itself writes: every kind of tensor has the bytes and the name that torch gives it."""

import argparse
import collections
import io
import json
from pathlib import Path
from typing import Any

import ml_dtypes  # noqa: F401  (numpy learns its types)
import numpy as np
import pytest

from frostline import checkpoints
from frostline.errors import CheckpointError

pytestmark = [pytest.mark.needs("torch"), pytest.mark.filterwarnings("ignore")]
torch = pytest.importorskip("torch")

TYPES = [
    *("float16", "bfloat16", "float32", "float64", "complex64", "complex128", "bool"),
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"),
]
SAVES = {
    "zip": {},
    "stream": {"_use_new_zipfile_serialization": False},
    "protocol 4": {"pickle_protocol": 4},
    "stream, protocol 4": {"_use_new_zipfile_serialization": False, "pickle_protocol": 4},
}


def raw(tensor: Any) -> bytes:
    """The bytes of a tensor in C order, as torch has them."""
    flat = tensor.detach().resolve_conj().contiguous().reshape(-1)
    return bytes(flat.view(torch.uint8).numpy().tobytes()) if flat.numel() else b""


def small_model() -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        collections.OrderedDict(
            body=torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3)), head=torch.nn.Linear(3, 2)
        )
    )


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
@pytest.mark.parametrize("name", TYPES)
def test_every_type(name: str, save: dict[str, Any], tmp_path: Path, bytes_of: Any) -> None:
    tensor = torch.arange(24).reshape(4, 6).to(getattr(torch, name))
    torch.save({"w": tensor}, tmp_path / "w.pt", **save)
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert (found.tensors["w"].dtype, found.tensors["w"].shape) == (name, (4, 6))
        assert bytes_of(found.tensors["w"]) == raw(tensor)


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_views(save: dict[str, Any], tmp_path: Path, bytes_of: Any) -> None:
    base = torch.arange(120.0).reshape(4, 5, 6)
    views = {
        "base": base,
        "rows": base[1:3],
        "transposed": base.permute(2, 0, 1),
        "stepped": base[::3, 1::2, ::4],
        "expanded": torch.arange(3.0).expand(7, 3),
        "scalar": base[1, 2, 3],
        "empty": base[:0],
    }
    torch.save(views, tmp_path / "views.pt", **save)
    with checkpoints.open(tmp_path / "views.pt") as found:
        for name, view in views.items():
            assert found.tensors[name].shape == tuple(view.shape)
            assert bytes_of(found.tensors[name]) == raw(view), name
        assert found.ties() == [["base", "rows", "transposed", "stepped", "scalar"]]


@pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
def test_a_module_has_the_names_of_its_state_dict(save: dict[str, Any], tmp_path: Path, bytes_of: Any) -> None:
    model = small_model()
    torch.save(model, tmp_path / "model.pt", **save)
    with checkpoints.open(tmp_path / "model.pt") as found:
        assert {name: bytes_of(tensor) for name, tensor in found.tensors.items()} == {
            name: raw(tensor) for name, tensor in model.state_dict().items()
        }


def test_a_torchscript_archive(tmp_path: Path, bytes_of: Any) -> None:
    model = small_model()
    torch.jit.save(torch.jit.script(model), tmp_path / "script.pt")
    with checkpoints.open(tmp_path / "script.pt") as found:
        assert {name: bytes_of(tensor) for name, tensor in found.tensors.items()} == {
            name: raw(tensor) for name, tensor in model.state_dict().items()
        }


def test_a_training_checkpoint_names_what_is_no_tensor(tmp_path: Path, bytes_of: Any) -> None:
    model = small_model()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    everything = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1),
        "history": [1.5, torch.ones(2)],
        "rng": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "best": np.float64(2.5),
    }
    torch.save(everything, tmp_path / "last.ckpt")
    with checkpoints.open(tmp_path / "last.ckpt") as found:
        assert bytes_of(found.tensors["model.head.weight"]) == raw(model.head.weight)
        moments = optimizer.state_dict()["state"][0]["exp_avg"]
        assert bytes_of(found.tensors["optimizer.state.0.exp_avg"]) == raw(moments)
        assert bytes_of(found.tensors["rng"]) == np.arange(6, dtype=np.float32).tobytes()
        assert bytes_of(found.tensors["history.1"]) == raw(torch.ones(2))
        assert found.extras["epoch"] == "3"
        assert found.extras["args"].startswith("not a tensor: names argparse.Namespace (")
        assert bytes_of(found.tensors["best"]) == np.float64(2.5).tobytes()
        assert found.extras["optimizer.param_groups.0.lr"] == "0.001"


def test_sparse_quantised_and_absent_tensors_are_said_plainly(tmp_path: Path, bytes_of: Any) -> None:
    sparse = torch.eye(3).to_sparse().coalesce()
    quantised = torch.quantize_per_tensor(torch.tensor([0.5, 1.0]), 0.1, 2, torch.qint8)
    channels = torch.quantize_per_channel(torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.quint8)
    odd = {"s": sparse, "csr": torch.eye(3).to_sparse_csr(), "q": quantised, "c": channels}
    torch.save({**odd, "m": torch.zeros(2, device="meta")}, tmp_path / "odd.pt")
    with checkpoints.open(tmp_path / "odd.pt") as found:
        assert bytes_of(found.tensors["s.indices"]) == raw(sparse.indices())
        assert bytes_of(found.tensors["s.values"]) == raw(sparse.values())
        assert np.frombuffer(bytes_of(found.tensors["s.size"]), "<i8").tolist() == [3, 3]
        assert {"csr.crow_indices", "csr.col_indices", "csr.values", "csr.size"} <= set(found.tensors)
        assert bytes_of(found.tensors["q"]) == raw(quantised.int_repr())
        assert np.frombuffer(bytes_of(found.tensors["q.scale"]), "<f8")[0] == 0.1
        assert np.frombuffer(bytes_of(found.tensors["q.zero_point"]), "<i8")[0] == 2
        assert bytes_of(found.tensors["c.scale"]) == raw(torch.ones(2, dtype=torch.float32))
        assert found.tensors["m"].unknown == "a tensor on the meta device has no bytes"


def test_packed_four_bit_numbers_are_counted_as_numbers(tmp_path: Path, bytes_of: Any) -> None:
    packed = torch.arange(6, dtype=torch.uint8).reshape(2, 3).view(torch.float4_e2m1fn_x2)
    torch.save({"w": packed}, tmp_path / "w.pt")
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert (found.tensors["w"].dtype, found.tensors["w"].shape) == ("float4_e2m1fn", (2, 6))
        assert bytes_of(found.tensors["w"]) == bytes(range(6))


@pytest.mark.parametrize("lazily", [lambda w: w.conj(), lambda w: w.conj().imag, lambda w: w.t().conj()])
def test_what_torch_left_to_be_done_to_the_bytes_is_done(lazily: Any, tmp_path: Path, call: Any) -> None:
    values = torch.tensor([[1 + 2j, 3 - 1j], [0 + 0j, complex("nan")]])
    lazy = lazily(values)
    assert lazy.is_conj() or lazy.is_neg()
    torch.save({"w": lazy}, tmp_path / "lazy.pt")
    torch.save({"w": lazy.resolve_conj().resolve_neg().contiguous()}, tmp_path / "done.pt")
    torch.save({"w": lazily(values.conj().resolve_conj())}, tmp_path / "other.pt")
    assert call("diff", tmp_path / "lazy.pt", tmp_path / "done.pt").status == 0
    assert call("diff", tmp_path / "lazy.pt", tmp_path / "other.pt").status == 1


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_of_arrays(protocol: int, tmp_path: Path, bytes_of: Any) -> None:
    import pickle

    array = np.arange(6, dtype=">i4").reshape(2, 3)
    (tmp_path / "arrays.pkl").write_bytes(pickle.dumps({"w": array, "n": 3}, protocol=protocol))
    with checkpoints.open(tmp_path / "arrays.pkl") as found:
        assert found.tensors["w"].dtype == "int32"
        assert bytes_of(found.tensors["w"]) == array.astype("<i4").tobytes()


def test_an_archive_that_was_packed_again_is_read(tmp_path: Path, bytes_of: Any) -> None:
    import zipfile

    buffer = io.BytesIO()
    weights = torch.arange(60.0).reshape(6, 10)
    torch.save({"w": weights.t()}, buffer)
    with zipfile.ZipFile(buffer) as plain, zipfile.ZipFile(tmp_path / "w.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert bytes_of(found.tensors["w"]) == raw(weights.t())


def test_big_endian_archives_are_turned_round(tmp_path: Path, bytes_of: Any) -> None:
    import zipfile

    buffer = io.BytesIO()
    torch.save({"w": torch.arange(4, dtype=torch.int32), "c": torch.tensor([1 + 2j])}, buffer)
    with zipfile.ZipFile(buffer) as plain, zipfile.ZipFile(tmp_path / "w.pt", "w") as turned:
        for name in plain.namelist():
            data = b"big" if name.endswith("byteorder") else plain.read(name)
            turned.writestr(name, np.frombuffer(data, "<u4").byteswap().tobytes() if "/data/" in name else data)
    with checkpoints.open(tmp_path / "w.pt") as found:
        assert bytes_of(found.tensors["w"]) == raw(torch.arange(4, dtype=torch.int32))
        assert bytes_of(found.tensors["c"]) == raw(torch.tensor([1 + 2j]))


def test_a_file_of_numbers_alone_says_so(tmp_path: Path) -> None:
    torch.save({"epoch": 3}, tmp_path / "n.pt")
    with pytest.raises(CheckpointError, match="holds no tensor; its 'epoch' is 3"):
        checkpoints.open(tmp_path / "n.pt")


def test_a_split_checkpoint_equals_the_whole(tmp_path: Path, call: Any) -> None:
    state = {f"layers.{index}.weight": torch.randn(3, 3) for index in range(4)}
    torch.save(state, tmp_path / "whole.bin")
    for part in (0, 1):
        piece = {name: tensor for index, (name, tensor) in enumerate(state.items()) if index % 2 == part}
        torch.save(piece, tmp_path / f"pytorch_model-{part}.bin")
    index = {"weight_map": {name: f"pytorch_model-{i % 2}.bin" for i, name in enumerate(state)}}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert call("diff", tmp_path / "whole.bin", tmp_path / "pytorch_model.bin.index.json").status == 0
    assert call("diff", tmp_path / "whole.bin", tmp_path).status == 0  # the folder
