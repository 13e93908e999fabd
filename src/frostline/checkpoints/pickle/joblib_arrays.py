"""Arrays that joblib writes into the middle of a pickle: each behind the record that describes it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any

from frostline.checkpoints.files.file import File
from frostline.checkpoints.pickle.machine import Machine
from frostline.checkpoints.pickle.numpy_records import beside_bytes, element_type, is_big
from frostline.checkpoints.pickle.records import Call
from frostline.checkpoints.pickle.torch_tensors import InStream, Part, Unread, Unusable, attributes, counts

WRAPPER = "joblib.numpy_pickle.NumpyArrayWrapper"
MOST_STEPS = 1_000_000


class Arrays:
    """Notes where the arrays of a pickle stream lie and leads the machine past them; ``count`` tells how many."""

    def __init__(self, file: File) -> None:
        self._file = file
        self.count = 0

    def built(self, call: Call, stream: io.BufferedIOBase) -> None:
        """Take in the array behind ``call``, where that describes one; ValueError when the file does not hold it."""
        if str(call.function) != WRAPPER:
            return
        self.count += 1
        try:
            call.items.append(self._array({suffix[1:]: value for suffix, value in attributes([call.state])}, stream))
        except (Unusable, AttributeError, KeyError):
            raise ValueError("an array as no joblib describes one") from None

    def _array(self, members: dict[str, Any], stream: io.BufferedIOBase) -> Any:
        kind, shape = members["dtype"], counts(members["shape"])
        if kind.args[0] == "O8":
            machine = Machine(stream, str(self._file.path), MOST_STEPS)
            return machine.run()
        dtype, width, unit = element_type(kind)
        if members.get("numpy_array_alignment_bytes") is not None:
            padding = stream.read(1)
            stream.seek(padding[0], io.SEEK_CUR)
        offset, nbytes = stream.tell(), math.prod(shape) * width
        if offset + nbytes > self._file.size:
            raise ValueError("the file ends inside an array")
        stream.seek(offset + nbytes)
        return InStream(dtype, shape, offset, width, members.get("order") == "F", is_big(kind), unit)


def _array(call: Call) -> list[Part]:
    if len(call.items) != 1:
        raise Unusable
    members = {suffix[1:]: value for suffix, value in attributes([call.state])}
    return [("", call.items[0]), *beside_bytes(members["dtype"])]


def _elsewhere(call: Call) -> list[Part]:
    return [("", Unread("an array in a file of its own, as joblib before 0.10 wrote; joblib.dump it again"))]


READERS: dict[str, Callable[[Call], list[Part]]] = {
    WRAPPER: _array,
    "joblib.numpy_pickle.NDArrayWrapper": _elsewhere,
    "joblib.numpy_pickle.ZNDArrayWrapper": _elsewhere,
    "joblib.numpy_pickle_compat.NDArrayWrapper": _elsewhere,
    "joblib.numpy_pickle_compat.ZNDArrayWrapper": _elsewhere,
}
