"""Reads ONNX models: the initialisers and constants of the graph, of its subgraphs and functions; nothing is run."""

from __future__ import annotations

from frostline.checkpoints.checkpoint import Checkpoint
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.protobuf import BYTES, VARINT, Field, Reader
from frostline.checkpoints.readers.format import Format
from frostline.checkpoints.readers.onnx.tensors import Tensors
from frostline.errors import CheckpointError

# numbers of the fields in onnx.proto
GRAPH, TRAINING, FUNCTIONS = 7, 20, 25
NODE, INITIALIZER, SPARSE = 1, 5, 15
OUTPUT, NODE_NAME, OP_TYPE, ATTRIBUTE, DOMAIN = 2, 3, 4, 5, 7
FUNCTION_NAME, FUNCTION_NODE = 1, 7
ATTRIBUTE_NAME, FLOAT, INT, TENSOR, SUBGRAPH, FLOATS, INTS, TENSORS, SUBGRAPHS = 1, 2, 3, 5, 6, 7, 8, 10, 11
SPARSE_TENSOR, SPARSE_TENSORS = 22, 23

_TOP = {1: VARINT, 2: BYTES, 3: BYTES, 4: BYTES, 5: VARINT, 6: BYTES, 7: BYTES, 8: BYTES, 14: BYTES, 20: BYTES}
_TOP |= {25: BYTES, 26: BYTES}
MOST_BEFORE_GRAPH = 1000
NEWEST_IR = 64
DEEPEST = 50
TREES = "ai.onnx.ml"  # the domain whose operators keep their weights in lists


def known(file: File) -> bool:
    """Whether ``file`` is a message that begins with a version and has a graph, as an ONNX model does."""
    if file.head[:1] != b"\x08":
        return False
    try:
        for count, field in enumerate(Reader(file).fields(0, file.size)):
            if (not count and not 0 < field.value <= NEWEST_IR) or count > MOST_BEFORE_GRAPH:
                return False
            if _TOP.get(field.number) != field.wire:
                return False
            if field.number == GRAPH:
                return True
    except CheckpointError:  # cut inside a field that could be the graph
        return _begins_with_producer(file)
    return False


def _begins_with_producer(file: File) -> bool:
    return len(file.head) > 3 and 0 < file.head[1] <= NEWEST_IR and file.head[2] in (0x12, 0x3A)


def read(file: File) -> Checkpoint:
    """The tensors of the model in ``file``, none of them read yet."""
    checkpoint = Checkpoint(file.path, "onnx", files=[file], uncompared=["the graph and the attributes of its nodes"])
    walk = _Walk(checkpoint)
    try:
        walk.model()
    except BaseException:
        checkpoint.close()
        raise
    return checkpoint


class _Walk:
    """Goes through graphs and their nodes."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._file = checkpoint.files[0]
        self._reader = Reader(self._file)
        self._tensors = Tensors(checkpoint, self._reader)

    def model(self) -> None:
        """Take in what the whole file holds."""
        for field in self._reader.fields(0, self._file.size):
            if field.number == GRAPH:
                self._graph(field, "", 0)
            elif field.number == TRAINING:
                for graph in self._fields(field):
                    if graph.number in (1, 2):
                        self._graph(graph, "training/", 0)
            elif field.number == FUNCTIONS:
                self._function(field)

    def _fields(self, message: Field) -> list[Field]:
        if message.wire != BYTES:
            raise self._file.bad(f"its field {message.number} is no message")
        return list(self._reader.fields(message.start, message.stop))

    def _function(self, message: Field) -> None:
        fields = self._fields(message)
        name = next((self._reader.text(field) for field in fields if field.number == FUNCTION_NAME), "")
        for field in fields:
            if field.number == FUNCTION_NODE:
                self._node(field, f"{name}/", 0)

    def _graph(self, message: Field, prefix: str, depth: int) -> None:
        if depth > DEEPEST:
            raise self._file.bad(f"nests its graphs more than {DEEPEST} deep")
        for field in self._reader.fields(message.start, message.stop):
            if field.number == INITIALIZER:
                self._tensors.add(field, prefix)
            elif field.number == SPARSE:
                self._tensors.add_sparse(field, prefix)
            elif field.number == NODE:
                self._node(field, prefix, depth)

    def _node(self, message: Field, prefix: str, depth: int) -> None:
        fields = self._fields(message)
        attributes = [field for field in fields if field.number == ATTRIBUTE]
        if not attributes:
            return
        texts = dict.fromkeys((OUTPUT, NODE_NAME, OP_TYPE, DOMAIN), "")
        for field in reversed(fields):
            if field.number in texts:
                texts[field.number] = self._reader.text(field)
        constant = texts[OP_TYPE] == "Constant"
        name = prefix + (texts[OUTPUT] if constant else texts[NODE_NAME] or texts[OUTPUT])
        for attribute in attributes:
            self._attribute(attribute, name, constant, texts[DOMAIN] == TREES, depth)

    def _attribute(self, message: Field, node: str, constant: bool, trees: bool, depth: int) -> None:
        fields = self._fields(message)
        attribute = next((self._reader.text(field) for field in fields if field.number == ATTRIBUTE_NAME), "")
        name = node if constant else f"{node}.{attribute}"
        values = {FLOATS} if not (constant or trees) else {FLOAT, INT, FLOATS, INTS}
        for field in fields:
            if field.number in (TENSOR, TENSORS):
                self._tensors.add(field, "", name)
            elif field.number in (SPARSE_TENSOR, SPARSE_TENSORS):
                self._tensors.add_sparse(field, "", name)
            elif field.number in (SUBGRAPH, SUBGRAPHS):
                self._graph(field, f"{name}/", depth + 1)
        if chosen := [field for field in fields if field.number in values]:
            self._tensors.add_numbers(chosen, name, of_integers=chosen[0].number in (INT, INTS))


FORMAT = Format("ONNX", file=(known, read))
