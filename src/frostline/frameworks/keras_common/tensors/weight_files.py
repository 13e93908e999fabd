"""Files of weights in HDF5, as Keras writes them: of each tensor is kept what stands for it."""

from __future__ import annotations

import io
import math
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from frostline.digest.floats import FLOATS, Reals
from frostline.observe.tensor_match import kind_of, mark, values_of

LARGEST = 2**31  # bytes of a file that is read a second time
TENSORS = 1 << 14
OPTIMIZER = ("optimizer", "optimizer_weights")
INSIDE = "model.weights.h5"  # of an archive


class _Bytes:
    """Bytes in memory."""

    def __init__(self, content: Any) -> None:
        self._content = memoryview(content).cast("B")

    def part(self, start: int, stop: int) -> bytes:
        """See Readable."""
        return bytes(self._content[start:stop])


@dataclass(frozen=True, slots=True)
class FileTensor:
    """What stands for one tensor of floats of a file: its type, a digest and its first values."""

    dtype: str
    mark: bytes
    values: Reals


def weights_in(path: Path) -> dict[str, FileTensor]:
    """The tensors of a file by their names in it, without optimizers' and those of few values or of one value only.

    Empty where it is no HDF5 file, nor an archive with one, or where it is too large to be read a second time.
    """
    h5py, found = sys.modules.get("h5py"), dict[str, FileTensor]()
    if h5py is None or not path.is_file() or path.stat().st_size > LARGEST:
        return found

    def take(name: str, dataset: Any) -> None:
        if isinstance(dataset, h5py.Dataset) and len(found) < TENSORS and not set(OPTIMIZER) & set(name.split("/")):
            array = np.ascontiguousarray(dataset[()])
            tensor = described(array.reshape(-1).view(np.uint8), array.dtype.name, dataset.shape)
            if tensor is not None:
                found[name] = tensor

    with _opened(h5py, path) as file:
        file.visititems(take)
    return found


def described(content: Any, dtype: str, shape: tuple[int, ...]) -> FileTensor | None:
    """What stands for the tensor with these bytes; None where it may be like others by chance."""
    if dtype not in FLOATS:
        return None
    held, size = _Bytes(content), math.prod(shape)
    values = values_of(held, dtype, size)
    width = FLOATS[dtype].width * FLOATS[dtype].parts // 8
    return None if values is None else FileTensor(dtype, kind_of(dtype, shape) + mark(held, size * width), values)


def _opened(h5py: Any, path: Path) -> Any:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return h5py.File(io.BytesIO(archive.read(INSIDE)), "r")
    return h5py.File(path, "r")
