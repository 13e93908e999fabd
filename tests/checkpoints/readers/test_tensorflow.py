"""TensorFlow checkpoints, SavedModels and Lite models against TensorFlow itself, and indexes and models that lie."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from seeds import TENSORFLOW_DATA, bundle_entry, sorted_table, tflite_seeds, varint

from frostline import checkpoints
from frostline.errors import CheckpointError

WRITE = """
import json
import numpy as np, tensorflow as tf
module = tf.Module()
module.w = tf.Variable(np.arange(12, dtype="f4").reshape(3, 4))
module.b = tf.Variable(np.arange(3), dtype=tf.bfloat16)
module.name_ = tf.Variable("abc")
module.step = tf.Variable(3, dtype=tf.int64)
tf.saved_model.save(module, "saved")
tf.train.Checkpoint(m=module).save("kept/ck")
module.w.assign_add([[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
tf.train.Checkpoint(m=module).write("other/ck")
reader = tf.train.load_checkpoint("kept/ck-1")
table = {}
for name in reader.get_variable_to_shape_map():
    value = reader.get_tensor(name)
    if not isinstance(value, bytes):
        table[name] = [str(value.dtype), list(value.shape), value.tobytes().hex()]
model = tf.keras.Sequential([tf.keras.layers.Input((8,)), tf.keras.layers.Dense(5), tf.keras.layers.Dense(3)])
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([np.random.rand(1, 8).astype("f4")] for _ in range(5))
open("m.tflite", "wb").write(converter.convert())
lite = tf.lite.Interpreter("m.tflite", experimental_preserve_all_tensors=True)
lite.allocate_tensors()
constants = {}
for detail in lite.get_tensor_details():
    value = lite.tensor(detail["index"])()
    scales = detail["quantization_parameters"]["scales"]
    constants[detail["name"]] = [str(value.dtype), list(value.shape), value.tobytes().hex(), scales.tobytes().hex()]
json.dump({"checkpoint": table, "tflite": constants}, open("read.json", "w"))
"""


@pytest.fixture(name="written", scope="module")
def written_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What TensorFlow writes, and in ``read.json`` what it reads again."""
    folder = tmp_path_factory.mktemp("tensorflow")
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", WRITE], cwd=folder, env=quiet, capture_output=True, check=True)
    return folder


@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("place", ["kept", "kept/ck-1", "kept/ck-1.index"])
def test_a_checkpoint(place: str, written: Path, bytes_of: Any) -> None:
    theirs = json.loads((written / "read.json").read_text())["checkpoint"]
    with checkpoints.open(written / place) as found:
        assert set(theirs) <= set(found.tensors)
        for name, (dtype, shape, data) in theirs.items():
            ours = found.tensors[name]
            assert (ours.dtype, list(ours.shape), bytes_of(ours).hex()) == (dtype, shape, data)
        assert bytes_of(found.tensors["m/name_/.ATTRIBUTES/VARIABLE_VALUE"]).endswith(b"abc")
        assert "_CHECKPOINTABLE_OBJECT_GRAPH" in found.extras


@pytest.mark.needs("tensorflow")
def test_one_changed_element(written: Path, tmp_path: Path, call: Any) -> None:
    changed = call("diff", written / "kept", written / "other/ck", "--ignore", "save_counter/**")
    assert (changed.status, "1 of 12" in changed.out) == (1, True)
    assert call("lock", written / "kept", "-o", tmp_path / "lock").status == 0
    assert call("verify", written / "kept/ck-1", tmp_path / "lock").status == 0


@pytest.mark.needs("tensorflow")
def test_a_saved_model(written: Path, tmp_path: Path, call: Any, bytes_of: Any) -> None:
    for place in ("saved", "saved/saved_model.pb"):
        with checkpoints.open(written / place) as found:
            assert found.kind == "tensorflow saved model"
            assert bytes_of(found.tensors["w/.ATTRIBUTES/VARIABLE_VALUE"]) == np.arange(12, dtype="f4").tobytes()
            assert bytes_of(found.tensors["saved_model.pb"]) == (written / "saved/saved_model.pb").read_bytes()


@pytest.mark.needs("tensorflow")
def test_data_alone_tells_nothing(written: Path) -> None:
    with pytest.raises(CheckpointError, match="the data of a TensorFlow checkpoint") as caught:
        checkpoints.open(written / "kept/ck-1.data-00000-of-00001")
    assert ".index" in caught.value.hint


@pytest.mark.needs("tensorflow")
def test_a_lite_model(written: Path, bytes_of: Any) -> None:
    theirs = json.loads((written / "read.json").read_text())["tflite"]
    with checkpoints.open(written / "m.tflite") as found:
        constants = [tensor for tensor in found.tensors.values() if tensor.note.startswith("quantised")]
        assert len(constants) >= 2
        for ours in constants:
            dtype, shape, data, scales = theirs[ours.name]
            assert (ours.dtype, list(ours.shape), bytes_of(ours).hex()) == (dtype, shape, data)
            assert bytes_of(found.tensors[f"{ours.name}.scale"]).hex() == scales


SLICED = """
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
rows = tf.fixed_size_partitioner(3)
with tf.variable_scope("s", partitioner=rows):
    v = tf.get_variable("v", initializer=tf.random_uniform_initializer(), shape=[301, 4])
with tf.variable_scope("t", partitioner=tf.fixed_size_partitioner(2, axis=1)):
    w = tf.get_variable("w", initializer=tf.random_uniform_initializer(), shape=[6, 200])
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    session.run(tf.tables_initializer())
    tf.train.Saver().save(session, "./ck", write_meta_graph=False)
reader = tf.train.load_checkpoint("./ck")
open("v", "wb").write(reader.get_tensor("s/v").tobytes())
open("w", "wb").write(reader.get_tensor("t/w").tobytes())
"""


@pytest.mark.needs("tensorflow")
def test_slices_are_put_together(tmp_path: Path, bytes_of: Any) -> None:
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    subprocess.run([sys.executable, "-c", SLICED], cwd=tmp_path, env=quiet, capture_output=True, check=True)
    with checkpoints.open(tmp_path / "ck") as found:
        assert {name: (tensor.shape, tensor.note) for name, tensor in found.tensors.items()} == {
            "s/v": ((301, 4), "in 3 parts"),
            "t/w": ((6, 200), "in 2 parts"),
        }
        assert bytes_of(found.tensors["s/v"]) == (tmp_path / "v").read_bytes()
        assert bytes_of(found.tensors["t/w"]) == (tmp_path / "w").read_bytes()


HEADER = (b"", b"\x08\x01")
W = bundle_entry(1, [2, 3], 0, 24)
LIES = {
    "past the end": ([HEADER, (b"w", bundle_entry(1, [2, 3], 48, 24))], "ends before the bytes"),
    "too few bytes": ([HEADER, (b"w", bundle_entry(1, [2, 3], 0, 20))], "does not fill 20 bytes"),
    "an absurd shape": ([HEADER, (b"w", bundle_entry(1, [2**62, 2**62], 0, 24))], "absurd shape"),
    "no such file": ([(b"", b"\x08\x02"), (b"w", W + b"\x18\x01")], "no such file"),
    "a file too many": ([HEADER, (b"w", W + b"\x18\x07")], "data file 7 of 1"),
    "a million files": ([(b"", b"\x08" + varint(10**6))], "claims 1,000,000 data files"),
    "a name twice": ([HEADER, (b"w", W), (b"w", W)], "keys do not ascend"),
    "names in no order": ([HEADER, (b"x", W), (b"w", W)], "keys do not ascend"),
    "slices that are missing": ([HEADER, (b"w", W + b"\x3a\x04\x0a\x02\x10\x01")], "do not fill its shape"),
    "no message": ([HEADER, (b"w", b"\x08")], "ends inside a field"),
}


@pytest.mark.parametrize(("rows", "message"), LIES.values(), ids=LIES)
def test_indexes_that_lie(rows: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.index").write_bytes(sorted_table(rows))
    (tmp_path / "w.data-00000-of-00001").write_bytes(TENSORFLOW_DATA[:48])
    (tmp_path / "w.data-00000-of-00002").write_bytes(TENSORFLOW_DATA)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(tmp_path / "w.index")


def test_data_that_is_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "secret").write_bytes(TENSORFLOW_DATA)
    (tmp_path / "m/w.index").write_bytes(sorted_table([HEADER, (b"w", W)]))
    (tmp_path / "m/w.data-00000-of-00001").symlink_to(tmp_path / "secret")
    with pytest.raises(CheckpointError, match="a link that leaves its folder"):
        checkpoints.open(tmp_path / "m/w.index")


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert content.count(old) >= 1
        return content.replace(old, new, 1)

    return change


LITE = {
    "a shape too large": (replaced(struct.pack("<3i", 2, 2, 3), struct.pack("<3i", 2, 2, 9)), "does not fill"),
    "a negative shape": (replaced(struct.pack("<3i", 2, 2, 3), struct.pack("<3i", 2, 2, -3)), "absurd shape"),
    "a buffer past the end": (replaced(b"\x18\0\0\0\0\1\2", b"\x18\0\0\x7f\0\1\2"), "ends inside a buffer"),
    "a root far away": (lambda content: struct.pack("<I", 2**30) + content[4:], "ends at byte"),
}


@pytest.mark.parametrize(("lie", "message"), LITE.values(), ids=LITE)
def test_lite_models_that_lie(lie: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.tflite").write_bytes(lie(tflite_seeds()[0]))
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(tmp_path / "m.tflite")


def test_many_tables_that_share_their_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from frostline.checkpoints.readers import tflite

    monkeypatch.setattr(tflite, "MOST_VALUES", 50)
    (tmp_path / "m.tflite").write_bytes(tflite_seeds()[0])
    with pytest.raises(CheckpointError, match="more than 50 values"):
        checkpoints.open(tmp_path / "m.tflite")
