"""Zarr arrays and Orbax checkpoints against the libraries that write them, and folders that lie."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from checkpoint_calls import bytes_of, call
from hypothesis import given, settings
from hypothesis import strategies as st

from frostline import checkpoints
from frostline.errors import CheckpointError

tensorstore = pytest.importorskip("tensorstore")

ORBAX = """
import json
import jax.numpy as jnp, numpy as np, orbax.checkpoint as ocp
tree = {
    "params": {"w": jnp.arange(60_000.0).reshape(200, 300), "b": np.arange(3).astype(jnp.bfloat16)},
    "list": [np.float64(1.5), jnp.ones((2, 1))], "step": 3, "none": None, "name": "text",
}
def save(path, **options):
    ocp.Checkpointer(ocp.PyTreeCheckpointHandler(**options)).save(path, tree)
import os
here = os.getcwd()
save(here + "/database", use_ocdbt=True)
save(here + "/files", use_ocdbt=False)
save(here + "/shards", use_ocdbt=True, use_zarr3=True)
with ocp.CheckpointManager(here + "/run", item_names=("state", "notes")) as manager:
    for step in (1, 2):
        state = ocp.args.StandardSave({"w": jnp.full((2, 2), step)})
        manager.save(step, args=ocp.args.Composite(state=state, notes=ocp.args.JsonSave({"a": 1})))
"""


@pytest.fixture(name="written", scope="module")
def written_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Orbax writes."""
    folder = tmp_path_factory.mktemp("orbax")
    done = subprocess.run([sys.executable, "-c", ORBAX], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-2000:]
    return folder


@pytest.mark.parametrize("kind", ["database", "files", "shards"])
def test_what_orbax_writes(kind: str, written: Path) -> None:
    import ml_dtypes

    wanted = {
        "params.w": np.arange(60_000, dtype="f4").reshape(200, 300),
        "params.b": np.arange(3).astype(ml_dtypes.bfloat16),
        "list.0": np.float64(1.5),
        "list.1": np.ones((2, 1), "f4"),
        "step": np.int64(3),
    }
    with checkpoints.open(written / kind) as found:
        assert found.kind == "orbax"
        assert found.extras == {"name": '"text"'}
        assert {name: (tensor.dtype, tensor.shape) for name, tensor in found.tensors.items()} == {
            name: (array.dtype.name, array.shape) for name, array in wanted.items()
        }
        for name, array in wanted.items():
            assert bytes_of(found.tensors[name]) == array.tobytes(), name


def test_the_folders_of_a_run(written: Path) -> None:
    with checkpoints.open(written / "run" / "2") as found:
        assert bytes_of(found.tensors["w"]) == np.full((2, 2), 2, "i4").tobytes()
    with pytest.raises(CheckpointError, match="a folder of several Orbax checkpoints") as caught:
        checkpoints.open(written / "run")
    assert "name one of the folders" in caught.value.hint


def test_an_array_that_the_tree_names_and_the_folder_lacks(written: Path, tmp_path: Path) -> None:
    shutil.copytree(written / "files", tmp_path / "files")
    shutil.rmtree(tmp_path / "files" / "step")
    locked = call("lock", tmp_path / "files", "-o", tmp_path / "w.lock")
    assert locked.status == 2
    assert "step (in the tree of Orbax" in locked.err


DTYPES = ("uint8", "int16", "int64", "float16", "float32", "float64", "bfloat16", "bool", "complex64")


def spec(driver: str, folder: Path, data: st.DataObject, shape: list[int]) -> dict[str, Any]:
    """How tensorstore is to write an array, and what it is cut into."""
    chunk = [data.draw(st.integers(1, extent + 2), "chunk") for extent in shape]
    base: Any = {"driver": "file", "path": f"{folder}/"}
    if data.draw(st.booleans(), "in a database"):
        small = {"max_inline_value_bytes": data.draw(st.sampled_from([0, 1024])), "max_decoded_node_bytes": 200}
        base = {"driver": "ocdbt", "base": base, "path": "a/", "config": small}
    else:
        base["path"] += "a/"
    metadata: dict[str, Any] = {"shape": shape}
    if driver == "zarr":
        packer = data.draw(st.sampled_from([None, "zlib", "gzip", "zstd", "bz2"]), "packer")
        metadata |= {"chunks": chunk, "compressor": packer and {"id": packer}}
        metadata["dimension_separator"] = data.draw(st.sampled_from([".", "/"]))
    else:
        codecs = data.draw(st.lists(st.sampled_from(["gzip", "zstd", "crc32c"]), max_size=3), "codecs")
        endian = {"name": "bytes", "configuration": {"endian": data.draw(st.sampled_from(["little", "big"]))}}
        inner = [endian, *({"name": name} for name in codecs)]
        if data.draw(st.booleans(), "in shards"):
            options: dict[str, Any] = {"chunk_shape": chunk, "codecs": inner}
            options["index_location"] = data.draw(st.sampled_from(["start", "end"]))
            inner = [{"name": "sharding_indexed", "configuration": options}]
            chunk = [edge * data.draw(st.integers(1, 3)) for edge in chunk]
        metadata |= {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": chunk}}, "codecs": inner}
    return {"driver": driver, "kvstore": base, "metadata": metadata}


@pytest.mark.parametrize("driver", ["zarr", "zarr3"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_way_to_cut_and_to_pack(
    driver: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("zarr")
    shape = data.draw(st.lists(st.integers(1, 7), max_size=3), "shape")
    dtype = data.draw(st.sampled_from(DTYPES), "type")
    how = spec(driver, folder, data, shape)
    written = tensorstore.open(how, dtype=tensorstore.dtype(dtype), create=True, fill_value=1).result()
    values = np.random.default_rng(data.draw(st.integers(0, 9))).integers(0, 2, shape or [])
    values = np.asarray(values).astype(written.dtype.numpy_dtype)
    written.write(values).result()
    with checkpoints.open(folder if "base" in how["kvstore"] else folder / "a") as found:
        (tensor,) = found.tensors.values()
        assert (tensor.dtype, tensor.shape) == (dtype, tuple(shape))
        assert bytes_of(tensor) == values.tobytes()


def write(folder: Path, compressor: Any = None, **metadata: Any) -> Path:
    """A small array of version 2, as files."""
    array = np.arange(12, dtype="f4").reshape(3, 4)
    how = {"shape": [3, 4], "chunks": [2, 4], "compressor": compressor, "dtype": "<f4", "fill_value": 0.0}
    place = {"driver": "file", "path": f"{folder}/a/"}
    made = {"driver": "zarr", "kvstore": place, "metadata": {**how, "dimension_separator": "."}}
    tensorstore.open(made, create=True).result().write(array).result()
    if metadata:
        text = json.loads((folder / "a" / ".zarray").read_text())
        (folder / "a" / ".zarray").write_text(json.dumps({**text, **metadata}))
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    return folder


def test_a_group_against_another_format(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"a": np.arange(12, dtype="f4").reshape(3, 4)}, tmp_path / "w.safetensors")
    assert call("diff", write(tmp_path / "z"), tmp_path / "w.safetensors").status == 0


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"compressor": {"id": "blosc", "cname": "lz4"}}, "packed with blosc"),
        ({"filters": [{"id": "delta", "dtype": "<f4"}]}, "filtered"),
        ({"order": "F"}, "column by column"),
        ({"dtype": "|O"}, "of the type '|O'"),
        ({"dtype": [["x", "<f4"]]}, "of the type"),
        ({"shape": [10**12], "chunks": [1]}, "cut into 1,000,000,000,000 chunks"),
        ({"shape": [2**40], "chunks": [2**40]}, "claim to unpack"),
        ({"shape": [2**62, 2**62]}, "absurd"),
        ({"shape": [3, -4]}, "without a usable shape"),
        ({"chunks": [0, 4]}, "of none"),
        ({"fill_value": None, "shape": [9, 4]}, "a chunk is missing"),
        ({"fill_value": [1, 2], "shape": [9, 4]}, "a chunk is missing"),
        ({"fill_value": [[1]], "dtype": "<c8", "shape": [9, 4]}, "a chunk is missing"),
    ],
)
def test_what_is_not_read_is_said(metadata: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with checkpoints.open(write(tmp_path / "z", **metadata)) as found:
        told = found.tensors["a"].unknown
        assert (reason in told, "open it with zarr" in told) == (True, True)
    assert call("lock", tmp_path / "z", "-o", tmp_path / "w.lock").status == 2


def test_bytes_that_belong_to_no_array_are_no_proof(tmp_path: Path) -> None:
    folder = write(tmp_path / "z")
    (folder / "a" / "7.7").write_bytes(b"hidden weights")
    with checkpoints.open(folder) as found:
        assert found.tensors["a/7.7"].unknown == "belongs to no array"


def test_a_missing_chunk_is_what_stands_in_for_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "z", fill_value=2.5)
    (folder / "a" / "1.0").unlink()
    with checkpoints.open(folder) as found:
        assert bytes_of(found.tensors["a"])[-16:] == np.full(4, 2.5, "f4").tobytes()


@pytest.mark.parametrize("packer", [None, "zlib", "zstd"])
def test_a_chunk_of_another_size(packer: str | None, tmp_path: Path) -> None:
    folder = write(tmp_path / "z", packer and {"id": packer})
    (folder / "a" / "0.0").write_bytes((folder / "a" / "0.0").read_bytes()[:-3])
    with checkpoints.open(folder) as found, pytest.raises(CheckpointError, match="holds a chunk"):
        bytes_of(found.tensors["a"])


def test_a_small_chunk_that_unpacks_to_very_much(tmp_path: Path) -> None:
    import zstandard

    folder = write(tmp_path / "z", {"id": "zstd"})
    (folder / "a" / "0.0").write_bytes(zstandard.ZstdCompressor().compress(bytes(2**28)))
    with checkpoints.open(folder) as found, pytest.raises(CheckpointError, match="another size"):
        bytes_of(found.tensors["a"])


def test_links_out_of_the_folder(tmp_path: Path) -> None:
    folder = write(tmp_path / "z")
    (tmp_path / "secret").write_bytes(bytes(32))
    (folder / "a" / "0.0").unlink()
    (folder / "a" / "0.0").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="leaves its folder"):
        checkpoints.open(folder)
    (folder / "a" / "0.0").unlink()
    (folder / "b").symlink_to(tmp_path)
    with pytest.raises(CheckpointError, match="has a link to the folder"):
        checkpoints.open(folder)


def test_a_chunk_that_changes_meanwhile(tmp_path: Path) -> None:
    folder = write(tmp_path / "z")
    with checkpoints.open(folder) as found:
        os.utime(folder / "a" / "0.0", (1, 1))
        with pytest.raises(CheckpointError, match="changed while it was being read"):
            bytes_of(found.tensors["a"])


def database(folder: Path, **options: Any) -> Path:
    """A database of one array whose value lies out of its node, in a file by a path that can be changed."""
    config = {"compression": None, "max_inline_value_bytes": 0, **options}
    place = {"driver": "ocdbt", "base": {"driver": "file", "path": f"{folder}/"}, "path": "w/", "config": config}
    how = {"driver": "zarr", "kvstore": place, "metadata": {"shape": [4], "chunks": [4], "compressor": None}}
    tensorstore.open(how, dtype=tensorstore.float32, create=True).result().write(np.arange(4, dtype="f4")).result()
    return folder


def test_a_database_of_numbered_versions_is_refused_with_a_way_out(tmp_path: Path) -> None:
    for command in ("show", "lock"):
        done = call(command, database(tmp_path / command, manifest_kind="numbered"))
        assert (done.status, "numbered files, which are not read" in done.err) == (2, True)
    with pytest.raises(CheckpointError) as refused:
        checkpoints.open(tmp_path / "lock")
    assert "tensorstore" in (refused.value.hint or "")


def test_a_database_whose_paths_leave_its_folder(tmp_path: Path) -> None:
    manifest = database(tmp_path / "d") / "manifest.ocdbt"
    manifest.write_bytes(manifest.read_bytes().replace(b"d/", b"/d"))
    with pytest.raises(CheckpointError, match="leaves its folder"):
        checkpoints.open(tmp_path / "d")


@pytest.mark.parametrize("kept", [0, 4, 13, 40, -1])
def test_a_database_that_is_cut_short(kept: int, tmp_path: Path) -> None:
    refused = 0
    for path in sorted(path for path in database(tmp_path / "d").rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:kept])
        try:
            with checkpoints.open(tmp_path / "d") as found:
                content = bytes_of(found.tensors["w"])
        except CheckpointError:
            refused += 1
        else:  # what lies in a file of an older version of the tree
            assert content == np.arange(4, dtype="f4").tobytes()
        path.write_bytes(whole)
    assert refused >= 2  # the manifest, and what the newest version of the tree needs


def test_without_the_package_that_unpacks_it(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(CheckpointError, match="needs the package zstandard") as caught:
        checkpoints.open(written / "database")
    assert "frostline[compressed]" in caught.value.hint
