"""Locks of formats whose tensors lie apart or in parts, against the blake3 library on the same bytes, cached.

`MIB=1024` sets the size of each checkpoint. A distributed checkpoint of whole tensors is hashed as one file is; of one
whose tensors several processes held row by row the parts are read one behind the other.
"""

from __future__ import annotations

import dataclasses
import os
import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bench.files import FROSTLINE, in_process_blake3, in_process_lock, paired, peak
from bench.turns import Line

PACKAGES = ("torch", "onnx", "numpy", "blake3")
MIB = int(os.environ.get("MIB") or 256)
TENSORS = 16
GOAL = 0.7


def tensors() -> dict[str, np.ndarray]:
    """Random weights, so many that together they take ``MIB``."""
    rows = MIB * 2**20 // TENSORS // 4096
    random = np.random.default_rng(0)
    return {f"layers.{index}": random.standard_normal((rows, 1024), np.float32) for index in range(TENSORS)}


def write_onnx(path: Path, beside: bool) -> Path:
    """A model of these initialisers; the file in which their bytes are."""
    import onnx
    from onnx import helper, numpy_helper

    graph = helper.make_graph([], "g", [], [], [numpy_helper.from_array(*pair[::-1]) for pair in tensors().items()])
    external = {"save_as_external_data": True, "location": "weights.data", "size_threshold": 0} if beside else {}
    onnx.save(helper.make_model(graph), path, **external)
    return path.with_name("weights.data") if beside else path


def write_distributed(folder: Path, parts: int) -> Path:
    """A distributed checkpoint as one process writes it; its table may then say that each tensor is part of one."""
    import torch
    import torch.distributed.checkpoint as dcp

    dcp.save({name: torch.from_numpy(array) for name, array in tensors().items()}, checkpoint_id=folder, no_dist=True)
    if parts > 1:
        table = pickle.loads((folder / ".metadata").read_bytes())
        _join(table, parts)
        (folder / ".metadata").write_bytes(pickle.dumps(table))
    return folder / "__0_0.distcp"


def _join(table: Any, parts: int) -> None:
    """Make each run of so many tensors the rows of one, as if that many processes had held it."""
    from torch.distributed.checkpoint.metadata import MetadataIndex

    names = list(table.state_dict_metadata)
    places = {index.fqn: info for index, info in table.storage_data.items()}
    table.storage_data = {}
    for start in range(0, len(names), parts):
        members = names[start : start + parts]
        whole = table.state_dict_metadata[members[0]]
        rows, columns = whole.size
        chunks = []
        for number, name in enumerate(members):
            chunk = dataclasses.replace(whole.chunks[0], offsets=type(whole.size)((number * rows, 0)))
            chunks.append(chunk)
            table.storage_data[MetadataIndex(members[0], chunk.offsets, number)] = places[name]
            table.state_dict_metadata.pop(name)
        whole.size, whole.chunks = type(whole.size)((rows * len(members), columns)), chunks
        table.state_dict_metadata[members[0]] = whole


def measure() -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name, beside in (("onnx", False), ("onnx-beside", True)):
            (folder / name).mkdir()
            model = folder / name / "m.onnx"
            data = write_onnx(model, beside)
            what = f"lock of an ONNX model of {MIB} MiB{', external data' if beside else ''}"
            yield paired(what, "blake3", in_process_lock(model), in_process_blake3(data), GOAL)
            data.unlink()
        for parts in (1, 4):
            checkpoint = folder / f"dcp-{parts}"
            data = write_distributed(checkpoint, parts)
            what = f"lock of a distributed checkpoint of {MIB} MiB" + (f", tensors in {parts} parts" * (parts > 1))
            yield paired(what, "blake3", in_process_lock(checkpoint), in_process_blake3(data), GOAL)
            yield peak("that lock", [*FROSTLINE, "lock", str(checkpoint), "-o", str(folder / "lock")], folder)
            data.unlink()
