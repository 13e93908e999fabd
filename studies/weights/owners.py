"""How the library that owns a format reads a file of it: every array, by type, shape and bytes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Array = tuple[str, tuple[int, ...], bytes]


def of_numpy(array: Any) -> Array:
    """An array as the study compares it: C order, little end first."""
    array = np.asarray(array)
    ordered = np.ascontiguousarray(array).reshape(array.shape)
    return array.dtype.name, array.shape, ordered.astype(array.dtype.newbyteorder("<")).tobytes()


def of_torch(tensor: Any) -> Array:
    import torch

    data = tensor.detach().contiguous()
    dtype = str(data.dtype).removeprefix("torch.")
    return dtype, tuple(data.shape), data.reshape(-1).view(torch.uint8).numpy().tobytes() if data.numel() else b""


def torch_saved(path: Path) -> Iterator[Array]:
    import torch

    yield from map(of_torch, _tensors(torch.load(path, map_location="cpu", weights_only=True)))


def _tensors(value: Any) -> Iterator[Any]:
    import torch

    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict | list | tuple):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _tensors(member)


def torch_script(path: Path) -> Iterator[Array]:
    import torch

    yield from map(of_torch, torch.jit.load(str(path), map_location="cpu").state_dict().values())


def safetensors(path: Path) -> Iterator[Array]:
    from safetensors.numpy import load_file

    yield from map(of_numpy, load_file(path).values())


def onnx(path: Path) -> Iterator[Array]:
    from onnx import load, numpy_helper

    def graphs(graph: Any) -> Iterator[Any]:
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                yield from ([attribute.t] if attribute.HasField("t") else [])
                for inner in ([attribute.g] if attribute.HasField("g") else []) + list(attribute.graphs):
                    yield from graphs(inner)

    for tensor in graphs(load(path).graph):
        yield of_numpy(numpy_helper.to_array(tensor))


def tflite(path: Path) -> Iterator[Array]:
    from tensorflow.lite.python import schema_py_generated as schema

    names = {value: name.lower() for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and len(data):
                shape = () if tensor.shape is None else tuple(int(extent) for extent in tensor.shape)
                yield names[tensor.type], shape, bytes(data)
            for array in (tensor.quantization.scale, tensor.quantization.zeroPoint) if tensor.quantization else ():
                if array is not None and len(array):
                    yield of_numpy(array)


def tensorflow(path: Path) -> Iterator[Array]:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(str(path).removesuffix(".index"))
    for name in reader.get_variable_to_shape_map():
        value = reader.get_tensor(name)
        if not isinstance(value, bytes) and np.asarray(value).dtype.kind not in "OS":
            yield of_numpy(value)


def hdf5(path: Path) -> Iterator[Array]:
    import h5py

    found = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.append(item[()]) if isinstance(item, h5py.Dataset) else None)
    yield from map(of_numpy, found)


def joblib(path: Path) -> Iterator[Array]:
    """Whatever arrays the objects of a joblib file hold. joblib runs what the file says: for packages one trusts."""
    import joblib as library

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about models of another version of their library
        yield from map(of_numpy, _arrays(library.load(path), set()))


def _arrays(value: Any, seen: set[int]) -> Iterator[np.ndarray]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biufc":
            yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _arrays(member, seen)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _arrays(member, seen)
    elif hasattr(value, "__dict__"):
        yield from _arrays(vars(value), seen)


OWNERS: dict[str, tuple[str, Callable[[Path], Iterator[Array]]]] = {
    "torch stream": ("torch", torch_saved),
    "torch archive": ("torch", torch_saved),
    "TorchScript": ("torch", torch_script),
    "safetensors": ("safetensors", safetensors),
    "ONNX": ("onnx", onnx),
    "TensorFlow Lite": ("tensorflow", tflite),
    "TensorFlow checkpoint": ("tensorflow", tensorflow),
    "HDF5": ("h5py", hdf5),
    "joblib": ("joblib", joblib),
    "joblib, lz4": ("joblib", joblib),
}
