"""Files that safetensors, numpy, Keras, h5py and gguf write: names, types, shapes and bytes as those mean them."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import h5py
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from frostline import checkpoints
from frostline.errors import CheckpointError

ARRAYS = {
    "float32": np.arange(12, dtype=np.float32).reshape(3, 4),
    "big": np.arange(4, dtype=">f8"),
    "complex": np.array([1 + 2j], ">c8"),
    "fortran": np.asfortranarray(np.arange(24, dtype=np.int16).reshape(2, 3, 4)),
    "bool": np.array([True, False]),
    "scalar": np.float16(2),
    "empty": np.zeros((0, 3), np.uint8),
}


def plain(array: np.ndarray) -> bytes:
    """The bytes in C order, little endian."""
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(save: Any, tmp_path: Path, bytes_of: Any) -> None:
    save(tmp_path / "w.npz", **ARRAYS, objects=np.array([{"w": np.arange(3.0)}], object), text=np.array(["a"]))
    with checkpoints.open(tmp_path / "w.npz") as found:
        for name, array in ARRAYS.items():
            tensor = found.tensors[name]
            assert (tensor.dtype, tensor.shape) == (array.dtype.name, array.shape)
            assert bytes_of(tensor) == plain(np.asarray(array)), name
        assert bytes_of(found.tensors["objects.0.w"]) == np.arange(3.0).tobytes()
        assert bytes_of(found.tensors["text"]) == "a".encode("utf-32-le")


def test_npy(tmp_path: Path, bytes_of: Any) -> None:
    np.save(tmp_path / "w.npy", ARRAYS["fortran"])
    with checkpoints.open(tmp_path / "w.npy") as found:
        assert bytes_of(found.tensors["array"]) == plain(ARRAYS["fortran"])


def test_what_numpy_cannot_name_is_carried_as_bytes_and_still_compared(tmp_path: Path, call: Any) -> None:
    weights = np.arange(6, dtype=ml_dtypes.bfloat16)
    np.savez(tmp_path / "w.npz", w=weights)
    safetensors.numpy.save_file({"w": weights}, tmp_path / "w.safetensors")
    with checkpoints.open(tmp_path / "w.npz") as found:
        assert found.tensors["w"].dtype == "raw16"
        assert "compared as bytes" in found.tensors["w"].note
    assert call("diff", tmp_path / "w.npz", tmp_path / "w.safetensors").status == 0
    np.savez(tmp_path / "w.npz", w=weights + 1)
    assert call("diff", tmp_path / "w.npz", tmp_path / "w.safetensors").status == 1


@pytest.mark.parametrize(
    ("code", "name", "bits"),
    [
        ("F8_E4M3", "float8_e4m3fn", 8),
        ("F4", "float4_e2m1fn", 4),
        ("F6_E2M3", "float6_e2m3fn", 6),
        ("C64", "complex64", 64),
        ("F3_NEW", "F3_NEW", 3),
    ],
)
def test_safetensors_types(code: str, name: str, bits: int, tmp_path: Path, bytes_of: Any) -> None:
    data = bytes(range(8 * bits // 8))
    write_safetensors(tmp_path / "w.safetensors", {"w": (code, [2, 4], data)})
    with checkpoints.open(tmp_path / "w.safetensors") as found:
        assert (found.tensors["w"].dtype, found.tensors["w"].shape) == (name, (2, 4))
        assert bytes_of(found.tensors["w"]) == data
        assert ("not known here" in found.tensors["w"].note) == (code == "F3_NEW")


def write_safetensors(path: Path, tensors: dict[str, tuple[str, list[int], bytes]]) -> None:
    header: dict[str, Any] = {}
    body = b""
    for name, (code, shape, data) in tensors.items():
        header[name] = {"dtype": code, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)


def test_safetensors_shards_and_metadata(tmp_path: Path, call: Any) -> None:
    state = {f"layers.{index}": np.full((2, 2), index, np.float32) for index in range(4)}
    safetensors.numpy.save_file(state, tmp_path / "whole.safetensors", metadata={"format": "np"})
    for part in (0, 1):
        piece = {name: array for index, (name, array) in enumerate(state.items()) if index % 2 == part}
        safetensors.numpy.save_file(piece, tmp_path / f"model-{part}.safetensors")
    index = {"metadata": {}, "weight_map": {name: f"model-{i % 2}.safetensors" for i, name in enumerate(state)}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with checkpoints.open(tmp_path / "whole.safetensors") as whole:
        assert whole.metadata == {"format": "np"}
    with checkpoints.open(tmp_path) as split:
        assert split.kind == "safetensors, 2 shards"
    assert call("diff", tmp_path / "whole.safetensors", tmp_path).status == 0


def test_shards_linked_to_from_a_download_cache(tmp_path: Path) -> None:
    snapshot, blobs = tmp_path / "snapshots" / "abc", tmp_path / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    safetensors.numpy.save_file({"w": np.ones(2)}, blobs / "0123")
    (snapshot / "model-1.safetensors").symlink_to("../../blobs/0123")
    (blobs / "4567").write_text('{"weight_map": {"w": "model-1.safetensors"}}')
    (snapshot / "model.safetensors.index.json").symlink_to("../../blobs/4567")
    with checkpoints.open(snapshot) as found:
        assert list(found.tensors) == ["w"]


@pytest.mark.parametrize("quantisation", ["Q4_0", "Q8_0", "Q6_K", "Q4_K"])
def test_gguf(quantisation: str, tmp_path: Path, bytes_of: Any) -> None:
    gguf = pytest.importorskip("gguf")
    kind = gguf.GGMLQuantizationType[quantisation]
    block, size = gguf.GGML_QUANT_SIZES[kind]
    packed = np.random.default_rng(0).integers(0, 256, (3, 2 * size), np.uint8)
    plain_array = np.arange(6, dtype=np.float32).reshape(2, 3)
    writer = gguf.GGUFWriter(tmp_path / "w.gguf", "llama")
    writer.add_array("tokens", [f"t{index}" for index in range(500)])
    writer.add_tensor("plain", plain_array)
    writer.add_tensor("packed", packed, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with checkpoints.open(tmp_path / "w.gguf") as found:
        assert found.metadata["general.architecture"] == "llama"
        assert (found.tensors["plain"].dtype, found.tensors["plain"].shape) == ("float32", (2, 3))
        assert bytes_of(found.tensors["plain"]) == plain_array.tobytes()
        assert (found.tensors["packed"].dtype, found.tensors["packed"].shape) == (quantisation, (3, 2 * block))
        assert bytes_of(found.tensors["packed"]) == packed.tobytes()
        assert "compared as bytes" in found.tensors["packed"].note


def test_the_sizes_of_gguf_types_are_those_of_the_gguf_package() -> None:
    gguf = pytest.importorskip("gguf")
    from frostline.checkpoints.readers.gguf import TYPES

    for number, (name, elements, size) in TYPES.items():
        assert gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(number)] == (elements, size), name


def test_hdf5_layouts(tmp_path: Path, bytes_of: Any) -> None:
    array = np.arange(7 * 10 * 3, dtype=">f4").reshape(7, 10, 3)
    with h5py.File(tmp_path / "w.h5", "w", userblock_size=512) as file:
        file["group/contiguous"] = array
        file["group/scalar"] = np.int64(3)
        file.create_dataset("chunked", data=array, chunks=(3, 4, 2))
        file.create_dataset("packed", data=array, chunks=(3, 4, 2), compression="gzip", shuffle=True, fletcher32=True)
        file.create_dataset("unwritten", (5, 2), "f4", fillvalue=1.5)
        partly = file.create_dataset("partly", (6, 2), "i2", chunks=(2, 2), fillvalue=7)
        partly[0] = 1
        file.create_dataset("lzf", data=array, chunks=(7, 10, 3), compression="lzf")
        file["text"] = "hello"
        file["alias"] = file["group/contiguous"]
        file["soft"] = h5py.SoftLink("/group/contiguous")
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((3,))
        made = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
        made.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3], "f4"))
    with checkpoints.open(tmp_path / "w.h5") as found:
        for name in ("group/contiguous", "chunked", "packed", "soft", "alias"):
            assert (found.tensors[name].dtype, found.tensors[name].shape) == ("float32", array.shape)
            assert bytes_of(found.tensors[name]) == plain(array), name
        assert bytes_of(found.tensors["unwritten"]) == np.full((5, 2), 1.5, "f4").tobytes()
        assert np.frombuffer(bytes_of(found.tensors["partly"]), "i2").tolist() == [1, 1, *[7] * 10]
        assert bytes_of(found.tensors["compact"]) == np.array([1, 2, 3], "f4").tobytes()
        assert bytes_of(found.tensors["group/scalar"]) == np.int64(3).tobytes()
        assert found.tensors["lzf"].unknown == "packed with HDF5 filter 32000, which is not read"
        assert found.tensors["text"].unknown == "text or lists of any length, or references"
        assert sorted(found.ties()[0]) == ["alias", "group/contiguous", "soft"]


def test_thousands_of_hdf5_chunks_are_found_in_one_pass(tmp_path: Path, bytes_of: Any) -> None:
    array = np.arange(20_000, dtype="u1")  # asked for one by one they take longer than a file of this size may
    with h5py.File(tmp_path / "w.h5", "w", userblock_size=512) as file:
        file.create_dataset("chunked", data=array, chunks=(1,))
    with checkpoints.open(tmp_path / "w.h5") as found:
        assert bytes_of(found.tensors["chunked"]) == array.tobytes()


KERAS = """
    import os, sys
    os.environ["KERAS_BACKEND"] = "jax"
    import keras, numpy as np
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    inner = keras.Sequential([keras.layers.Dense(3, name="body"), keras.layers.BatchNormalization()], name="inner")
    outputs = keras.layers.Dense(2, name="head", dtype="bfloat16")(inner(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    model.save("model.keras")
    model.save_weights("model.weights.h5")
    model.save("model.h5")
    model.save_weights("split.weights.json", max_shard_size=1)
    np.savez("truth.npz", **{v.path.replace("/", "|"): np.asarray(v.value).view("V2") if v.dtype == "bfloat16"
                             else np.asarray(v.value) for v in model.weights})
"""
TF_KERAS = """
    import numpy as np, tf_keras
    model = tf_keras.Sequential([tf_keras.layers.Dense(3, name="body", input_shape=(4,)), tf_keras.layers.Dense(2, name="head")])
    model.save("model.h5")
    np.savez("truth.npz", **{v.name.replace("/", "|"): v.numpy() for v in model.weights})
"""  # noqa: E501


def run_script(code: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.needs("keras", "jax")
def test_keras_files(tmp_path: Path, call: Any, bytes_of: Any) -> None:
    run_script(KERAS, tmp_path)
    truth = np.load(tmp_path / "truth.npz")
    expected = {
        "layers/inner/layers/body/vars/0": "inner|body|kernel",
        "layers/inner/layers/body/vars/1": "inner|body|bias",
        "layers/inner/layers/batch_normalization/vars/2": "inner|batch_normalization|moving_mean",
        "layers/head/vars/0": "head|kernel",
        "layers/head/vars/1": "head|bias",
    }
    with checkpoints.open(tmp_path / "model.keras") as found:
        assert found.kind == "keras"
        for name, path in expected.items():
            assert bytes_of(found.tensors[name]) == truth[path].tobytes(), name
        assert found.tensors["layers/head/vars/0"].dtype == "bfloat16"
    with checkpoints.open(tmp_path / "model.h5") as found:
        kernel = next(
            t for name, t in found.tensors.items() if name.endswith("body/kernel") and "optimizer" not in name
        )
        assert bytes_of(kernel) == truth["inner|body|kernel"].tobytes()
    assert call("diff", tmp_path / "model.keras", tmp_path / "model.weights.h5").status == 0
    assert call("diff", tmp_path / "split.weights.json", tmp_path / "model.weights.h5").status == 0


@pytest.mark.needs("tf_keras")
def test_tf_keras_h5(tmp_path: Path, bytes_of: Any) -> None:
    run_script(TF_KERAS, tmp_path)
    truth = np.load(tmp_path / "truth.npz")
    with checkpoints.open(tmp_path / "model.h5") as found:
        assert bytes_of(found.tensors["model_weights/head/head/kernel:0"]) == truth["head|kernel:0"].tobytes()
        assert bytes_of(found.tensors["model_weights/body/body/bias:0"]) == truth["body|bias:0"].tobytes()


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt", "weights.txt"])
def test_the_name_of_a_file_decides_nothing(name: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", w=np.ones(2))
    (tmp_path / "w.npz").rename(tmp_path / name)
    with checkpoints.open(tmp_path / name) as found:
        assert (found.kind, list(found.tensors)) == ("npz", ["w"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"hello", "no checkpoint of a known format"),
        (b"{}", "without a weight_map"),
        (b"{", "neither a checkpoint nor a JSON index"),
    ],
)
def test_other_files_are_named_as_such(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(tmp_path / "file")


def test_a_folder_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="a folder without a checkpoint"):
        checkpoints.open(tmp_path)
    with pytest.raises(CheckpointError, match="there is no such file"):
        checkpoints.open(tmp_path / "absent")
