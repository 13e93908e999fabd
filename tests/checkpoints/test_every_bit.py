"""One bit of any tensor, anywhere in a nested file, changes a digest or ends in "could not tell"; never a proof."""

import functools
import pickle
import tempfile
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import checkpoint_calls
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")

DTYPES = ("u1", "<i4", ">i2", "<f4", ">f8", "<c8", "S3")


class Holder:
    """An object with attributes, as scripts pickle them."""

    def __init__(self, value: Any) -> None:
        self.value = value


def boxed(value: Any) -> Any:
    found = np.empty(1, object)
    found[0] = value
    return found


# Each makes a tensor of a file from the bytes of an array, or wraps a value in another.
LEAVES: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda array: array,
    "fortran": np.asfortranarray,
    "bytes": lambda array: array.tobytes(),
    "bytearray": lambda array: bytearray(array.tobytes()),
    "scalar": lambda array: array.reshape(-1)[0],
    "hidden": lambda array: Holder(array.tobytes()),
}
TENSORS: dict[str, Callable[[np.ndarray], Any]] = {
    "tensor": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.uint8),
    "turned": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.uint8).reshape(2, -1).t(),
    "parameter": lambda array: torch.nn.Parameter(TENSORS["tensor"](array).reshape(2, -1), requires_grad=False),
    "conjugate": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.complex64).conj(),
}


def noted(value: Any) -> OrderedDict[str, Any]:
    """A dict that has the value as an attribute, as state dicts have the versions of modules."""
    found: OrderedDict[str, Any] = OrderedDict(o=1)
    found.hidden = value  # type: ignore[attr-defined]
    return found


def float_of(array: np.ndarray) -> float:
    return float(np.frombuffer(array.tobytes()[:8], "<f8")[0])


VALUES: dict[str, Callable[[np.ndarray], Any]] = {
    "integer": lambda array: int.from_bytes(array.tobytes()[:8], "little", signed=True),
    "long integer": lambda array: int.from_bytes(array.tobytes(), "little"),
    "float": float_of,
    "complex": lambda array: complex(1.0, float_of(array)),
    "text": lambda array: array.tobytes().decode("latin-1"),
    "key": lambda array: {array.tobytes().decode("latin-1"): 1},
    "number as a key": lambda array: {complex(1.0, float_of(array)): 1},
    "scalar as a key": lambda array: {np.frombuffer(array.tobytes()[:8], "<i8")[0]: 1},
    "set as a key": lambda array: {frozenset([array.tobytes().hex()]): 1},
    "name of a field": lambda array: np.zeros(1, [(f"f{array.tobytes().hex()}", "<f4")]),
    "note on a type": lambda array: np.zeros(1, np.dtype("<f4", metadata={"scale": array.reshape(-1)[0]})),
    "numbers": lambda array: tuple(array.tobytes()),
    "path": lambda array: PurePosixPath(array.tobytes().hex()),
    "options": lambda array: Holder({"lr": float_of(array), "names": ["a", None]}),
}
SHORT = (
    "scalar",
    "integer",
    "float",
    "complex",
    "options",
    "number as a key",
    "scalar as a key",
    "note on a type",
)  # of eight bytes, at most
WRAPS: tuple[Callable[[Any], Any], ...] = (
    lambda value: {"a": value, "n": 3},
    lambda value: {("k", 1): value},
    lambda value: [None, value],
    lambda value: (value,),
    lambda value: OrderedDict(o=value),
    lambda value: deque([value]),
    boxed,
    Holder,
    noted,
)


def save_npz(tree: Any, path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, open=np.ones(2), tree=boxed(tree))


def save_safetensors(tree: np.ndarray, path: Path) -> None:
    safetensors.numpy.save_file({"open": np.ones(2), "tree": np.ascontiguousarray(tree).view("u1")}, path)


def save_pickle(tree: Any, path: Path, protocol: int = pickle.DEFAULT_PROTOCOL) -> None:
    path.write_bytes(pickle.dumps({"open": np.ones(2), "tree": tree}, protocol))


def save_joblib(tree: Any, path: Path, compress: Any = 0) -> None:
    import joblib

    with path.open("wb") as file:
        joblib.dump({"open": np.ones(2), "tree": tree}, file, compress=compress)


def save_torch(tree: Any, path: Path, zipped: bool = True) -> None:
    torch.save({"open": torch.ones(2), "tree": tree}, path, _use_new_zipfile_serialization=zipped)


def save_distributed(tree: Any, path: Path) -> None:
    import torch.distributed.checkpoint as dcp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is one process
        dcp.save({"open": torch.ones(2), "tree": tree}, checkpoint_id=path, no_dist=True)


def save_flax(tree: Any, path: Path) -> None:
    from flax import serialization

    path.write_bytes(serialization.msgpack_serialize({"open": np.ones(2), "tree": tree}))


def save_hdf5(tree: Any, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["open"] = np.ones(2)
        for name, array in flat(tree).items():
            file[f"tree/{name}"] = array


def save_attributes(tree: Any, path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["open"] = np.ones(2)
        for name, array in flat(tree).items():
            file["open"].attrs[name] = array


def save_zarr(tree: Any, path: Path, driver: str = "zarr") -> None:
    import tensorstore

    database = {"driver": "ocdbt", "base": {"driver": "file", "path": f"{path}/"}}
    for name, array in {"open": np.ones(2), **flat(tree)}.items():
        place = database | {"path": f"{name}/"}
        how = {"driver": driver, "kvstore": place, "metadata": {"shape": list(array.shape)}}
        made = tensorstore.open(how, dtype=tensorstore.dtype(array.dtype.newbyteorder("=")), create=True).result()
        made.write(array).result()


def flat(tree: Any) -> dict[str, np.ndarray]:
    """The arrays in dicts and lists, by the keys that lead to them; texts as bytes."""
    if isinstance(tree, np.ndarray | np.generic):
        return {"w": np.asarray(tree).reshape(-1).view("u1") if tree.dtype.kind == "S" else np.asarray(tree)}
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return {f"{key}.{name}": array for key, value in pairs for name, array in flat(value).items()}


def save_gguf(tree: np.ndarray, path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(path, "a")
    writer.add_tensor("open", np.ones(2, "f4"))
    writer.add_tensor("tree", np.ascontiguousarray(tree).view("i1"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def save_onnx(tree: np.ndarray, path: Path, beside: bool = False) -> None:
    import onnx
    from onnx import helper, numpy_helper

    arrays = {"open": np.ones(2), "tree": np.ascontiguousarray(tree).view("u1")}
    graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(array, name) for name, array in arrays.items()])
    path.mkdir()
    external: Any = {"save_as_external_data": True, "location": "weights", "size_threshold": 0} if beside else {}
    onnx.save(helper.make_model(graph), path / "model.onnx", **external)


ARRAY = {"array": LEAVES["array"]}
DICTS: tuple[Callable[[Any], Any], ...] = (lambda value: {"a": value}, lambda value: {"a": {"b": value}})
LISTS: tuple[Callable[[Any], Any], ...] = (*DICTS, lambda value: {"a": [value]})
NUMBERS = {"float": VALUES["float"], "text": VALUES["text"], "complex": VALUES["complex"]}
SAVERS: dict[str, tuple[Callable[[Any, Path], None], dict[str, Callable[[np.ndarray], Any]], tuple[Any, ...]]] = {
    "safetensors": (save_safetensors, ARRAY, ()),
    "npz": (save_npz, LEAVES, WRAPS),
    "pickle": (save_pickle, LEAVES | VALUES, WRAPS),
    "pickle, protocol 2": (functools.partial(save_pickle, protocol=2), LEAVES, WRAPS),
    "joblib": (save_joblib, LEAVES | VALUES, WRAPS),
    "joblib, packed": (functools.partial(save_joblib, compress=("lz4", 3)), LEAVES | VALUES, WRAPS),
    "torch": (save_torch, LEAVES | TENSORS | VALUES, WRAPS),
    "torch stream": (functools.partial(save_torch, zipped=False), LEAVES | TENSORS | VALUES, WRAPS),
    "torch.distributed": (save_distributed, {"tensor": TENSORS["tensor"], **LEAVES, **VALUES}, DICTS),
    "flax": (save_flax, {"array": LEAVES["array"], "scalar": LEAVES["scalar"], **NUMBERS}, LISTS),
    "h5py": (save_hdf5, ARRAY, DICTS),
    "h5py, attributes": (save_attributes, {"array": LEAVES["array"], "scalar": LEAVES["scalar"]}, ()),
    "zarr": (save_zarr, ARRAY, DICTS),
    "zarr 3": (functools.partial(save_zarr, driver="zarr3"), ARRAY, DICTS),
    "gguf": (save_gguf, ARRAY, ()),
    "onnx": (save_onnx, ARRAY, ()),
    "onnx, data beside": (functools.partial(save_onnx, beside=True), ARRAY, ()),
}


def statuses(save_one: Callable[[Path], object], save_other: Callable[[Path], object]) -> tuple[int, int]:
    """What diff and verify say of two files."""
    with tempfile.TemporaryDirectory() as name:
        old, new, lock = (Path(name) / part for part in ("old", "new", "w.lock"))
        save_one(old)
        save_other(new)
        locked = checkpoint_calls.call("lock", old, "-o", lock).status
        assert locked in (0, 2)
        compared = checkpoint_calls.call("diff", old, new, "--quiet").status
        verified = checkpoint_calls.call("verify", new, lock, "--quiet").status
        assert locked == 0 or (compared and verified)
        return compared, verified


SLOW = (
    "h5py",
    "h5py, attributes",
    "zarr",
    "zarr 3",
    "torch.distributed",
)  # HDF5 starts a process for each file; the others are folders


@pytest.mark.parametrize("library", [name for name in SAVERS if name not in SLOW])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_is_passed_over(library: str, data: st.DataObject) -> None:
    check(library, data)


@pytest.mark.parametrize("library", SLOW)
@settings(max_examples=6, deadline=None)
@given(data=st.data())
def test_none_where_it_takes_long(library: str, data: st.DataObject) -> None:
    check(library, data)


def check(library: str, data: st.DataObject) -> None:
    """Draw a file of a library and a bit of it, and ask diff and verify."""
    save, rows, known = SAVERS[library]
    row = data.draw(st.sampled_from(sorted(rows)), "tensor")
    make = rows[row]
    wraps = data.draw(st.lists(st.sampled_from(range(len(known))), max_size=3), "wraps") if known else []
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES), "type"))
    content = bytearray(data.draw(st.binary(min_size=48, max_size=48), "content").replace(b"\0", b"\1"))

    def saved(buffer: bytearray) -> Callable[[Path], None]:
        value = make(np.frombuffer(bytes(buffer), dtype).reshape(2, -1))
        for index in wraps:
            value = known[index](value)
        return functools.partial(save, value)

    one = saved(content)
    width = min(8, dtype.itemsize if row in ("scalar", "note on a type") else 8) if row in SHORT else len(content)
    bit = data.draw(st.integers(0, 8 * width - 1), "bit")
    content[bit // 8] ^= 1 << bit % 8
    if dtype.kind == "S" and content[bit // 8] == 0:  # numpy drops zeros at the end of a text
        content[bit // 8] = 2
    assert 0 not in statuses(one, saved(content))


def test_the_same_file_is_the_same() -> None:
    save = functools.partial(save_torch, {"a": np.arange(6), "t": torch.ones(2).conj(), "b": b"bytes"})
    assert statuses(save, save) == (0, 0)


def test_a_reader_that_passes_over_an_entry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted failure: bytes in a pickle are taken for a plain value, as they once were."""
    from frostline.checkpoints.pickle import walk

    monkeypatch.setattr(walk, "Plain", lambda *arguments: walk.Other("bytes"))
    assert statuses(*(functools.partial(save_torch, content) for content in (b"one", b"two"))) == (0, 0)
