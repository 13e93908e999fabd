"""Reads TensorFlow SavedModels: the variables as the checkpoint that they are, the graph as bytes."""

from __future__ import annotations

import itertools

from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.protobuf import BYTES, VARINT, Reader
from frostline.checkpoints.files.siblings import sibling
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.tensorflow import checkpoint as variables
from frostline.errors import CheckpointError

GRAPH = "saved_model.pb"


def known(file: File) -> bool:
    """Whether ``file`` is the graph of a SavedModel: a version of 1, and graphs."""
    if not file.alone or file.head[:3] != b"\x08\x01\x12":
        return False
    try:
        first = [(field.number, field.wire) for field in itertools.islice(Reader(file).fields(0, file.size), 3)]
    except CheckpointError:
        return False
    return first[:2] == [(1, VARINT), (2, BYTES)] and set(first[1:]) == {(2, BYTES)}


def read(file: File) -> Checkpoint:
    """The variables beside the graph in ``file``; the graph, whose constants may be weights, as one run of bytes."""
    index = sibling(file, "variables/variables.index")
    if index.exists():
        inner = File(index)
        try:
            checkpoint = variables.read(inner)
        except BaseException:
            inner.close()
            raise
    else:
        checkpoint = Checkpoint(file.path, "")
    checkpoint.kind, checkpoint.path = "tensorflow saved model", file.path.parent
    checkpoint.files.append(file)
    note = "the graph, constants included; compared as bytes"
    checkpoint.add(Tensor(GRAPH, "uint8", (file.size,), Span(file, 0, file.size), note=note))
    return checkpoint


FORMAT = Format("TensorFlow SavedModels", file=(known, read), folder=("saved_model.pb",))
