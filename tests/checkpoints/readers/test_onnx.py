"""ONNX models against the onnx library, and models that lie."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from seeds import varint

from frostline import checkpoints
from frostline.errors import CheckpointError

WEIGHT = np.arange(12, dtype=np.float32).reshape(3, 4)
NOT_READ = {TensorProto.STRING, TensorProto.FLOAT6E2M3, TensorProto.FLOAT6E3M2, TensorProto.UNDEFINED}


def model(*initializers: Any, nodes: Any = ()) -> Any:
    return helper.make_model(helper.make_graph(list(nodes), "g", [], [], list(initializers)))


def every_type() -> list[Any]:
    """A tensor of each type, as a list of numbers and raw."""
    tensors = []
    for code in sorted(set(TensorProto.DataType.values()) - NOT_READ):
        listed = helper.make_tensor(f"list {code}", code, [2, 3], [1, 0, 1, 1, 0, 1])
        tensors += [listed, numpy_helper.from_array(numpy_helper.to_array(listed), f"raw {code}")]
    negative = helper.make_tensor("negative", TensorProto.INT8, [3], [-1, -2, 3])
    return [*tensors, negative, helper.make_tensor("large", TensorProto.INT64, [2], [-1, -(2**40)])]


@pytest.mark.parametrize("beside", [False, True])
def test_every_type_is_what_the_library_reads(beside: bool, tmp_path: Path, bytes_of: Any) -> None:
    tensors = every_type()
    external = {"save_as_external_data": True, "location": "m.data", "size_threshold": 0} if beside else {}
    onnx.save(model(*tensors), tmp_path / "m.onnx", **external)
    with checkpoints.open(tmp_path / "m.onnx") as found:
        assert len(found.tensors) == len(tensors)
        for tensor in onnx.load(tmp_path / "m.onnx").graph.initializer:
            ours, array = found.tensors[tensor.name], numpy_helper.to_array(tensor)
            assert ours.shape == array.shape
            if ours.nbytes < array.nbytes:  # several in a byte: the library takes them apart
                assert bytes_of(ours) == numpy_helper.from_array(array).raw_data, tensor.name
            else:
                assert bytes_of(ours) == array.tobytes(), tensor.name


def test_constants_subgraphs_functions_trees_and_sparse_ones(tmp_path: Path, bytes_of: Any) -> None:
    inner = helper.make_graph([], "inner", [], [], [numpy_helper.from_array(WEIGHT, "w")])
    nodes = [
        helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(np.ones(2), "any")),
        helper.make_node("Constant", [], ["number"], value_float=2.5),
        helper.make_node("If", ["x"], ["y"], name="branch", then_branch=inner, else_branch=inner),
        helper.make_node("TreeEnsembleRegressor", ["x"], ["z"], "tree", domain="ai.onnx.ml", nodes_values=[0.5, 1.5]),
    ]
    made = model(numpy_helper.from_array(WEIGHT, "w"), nodes=nodes)
    values, places = numpy_helper.from_array(np.float32([7]), "sparse"), numpy_helper.from_array(np.array([3]), "at")
    made.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [5]))
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.zeros(3), "any"))
    made.functions.append(helper.make_function("d", "f", [], ["c"], [constant], []))
    onnx.save(made, tmp_path / "m.onnx")
    with checkpoints.open(tmp_path / "m.onnx") as found:
        read = {name: bytes_of(tensor) for name, tensor in found.tensors.items()}
    assert read == {
        "w": WEIGHT.tobytes(),
        "k": np.ones(2).tobytes(),
        "number": np.float32(2.5).tobytes(),
        "branch.then_branch/w": WEIGHT.tobytes(),
        "branch.else_branch/w": WEIGHT.tobytes(),
        "tree.nodes_values": np.float32([0.5, 1.5]).tobytes(),
        "sparse.values": np.float32([7]).tobytes(),
        "sparse.indices": np.array([3]).tobytes(),
        "sparse.size": np.array([5]).tobytes(),
        "f/c": np.zeros(3).tobytes(),
    }


def test_one_changed_element_and_texts(tmp_path: Path, call: Any) -> None:
    onnx.save(model(numpy_helper.from_array(WEIGHT, "w")), tmp_path / "one.onnx")
    other = WEIGHT.copy()
    other[1, 2] += 1
    onnx.save(model(numpy_helper.from_array(other, "w")), tmp_path / "other.onnx")
    changed = call("diff", tmp_path / "one.onnx", tmp_path / "other.onnx")
    assert (changed.status, "1 of 12" in changed.out) == (1, True)
    onnx.save(model(helper.make_tensor("t", TensorProto.STRING, [1], [b"a"])), tmp_path / "text.onnx")
    locked = call("lock", tmp_path / "text.onnx")
    assert (locked.status, "an array of texts" in locked.err) == (2, True)


def external(**entries: str) -> Any:
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def proto(**values: Any) -> Any:
    return TensorProto(**{"name": "w", "data_type": TensorProto.FLOAT, "dims": [2], **values})


LIES = {
    "a place outside": (external(location="../m.data"), "a path that leaves its folder"),
    "an absolute place": (external(location="/etc/passwd"), "a path that leaves its folder"),
    "no place": (external(offset="0"), "does not say where"),
    "no number": (external(location="m.data", offset="x"), "does not say where"),
    "past the end": (external(location="m.data", offset="4", length="8"), "ends before the bytes"),
    "before the start": (external(location="m.data", offset="-4"), "ends before the bytes"),
    "too few bytes": (proto(raw_data=b"1234"), "does not fill"),
    "two places": (proto(raw_data=b"12345678", float_data=[1.0, 2.0]), "twice"),
    "a negative shape": (proto(dims=[-2]), "absurd shape"),
    "an absurd shape": (proto(dims=[2**40, 2**40]), "absurd shape"),
    "many axes": (proto(dims=[1] * 100), "absurd shape"),
    "no numbers": (proto(), "does not fill"),
}


@pytest.mark.parametrize(("tensor", "message"), LIES.values(), ids=LIES)
def test_lies(tensor: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.data").write_bytes(b"12345678")
    (tmp_path / "m.onnx").write_bytes(model(tensor).SerializeToString())
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(tmp_path / "m.onnx")


def test_a_link_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "secret").write_bytes(b"12345678")
    (tmp_path / "m/m.data").symlink_to(tmp_path / "secret")
    (tmp_path / "m/m.onnx").write_bytes(model(external(location="m.data")).SerializeToString())
    with pytest.raises(CheckpointError, match="a link that leaves its folder"):
        checkpoints.open(tmp_path / "m/m.onnx")


def test_deep_graphs_are_refused(tmp_path: Path) -> None:
    content = b""
    for number in (6, 5, 1) * 60 + (7,):  # a graph in an attribute in a node in a graph, the outermost in the model
        content = varint(number << 3 | 2) + varint(len(content)) + content
    (tmp_path / "m.onnx").write_bytes(b"\x08\x08" + content)
    with pytest.raises(CheckpointError, match="nests its graphs"):
        checkpoints.open(tmp_path / "m.onnx")
