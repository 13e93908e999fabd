"""Functions of Python's libraries that a script writes single arrays with, whatever framework they come from."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from frostline.frameworks.imports import when_imported
from frostline.frameworks.patching import put

Read = Callable[..., tuple[Any, Any]]
Function = tuple[str, str, Read]  # its module, its name, and what of its arguments is written where
_DEPTH = 6


def pickled(obj: Any, file: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    """What ``pickle.dump`` writes, and where to."""
    return obj, file


def joblib_dumped(value: Any, filename: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    """What ``joblib.dump`` writes, and where to."""
    return value, filename


def archived(file: Any, *args: Any, allow_pickle: bool = True, **kwds: Any) -> tuple[Any, Any]:
    """What ``numpy.savez`` writes, by the names in the file, and where to."""
    return {f"arr_{index}": array for index, array in enumerate(args)} | kwds, file


def _array(file: Any, arr: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return arr, file


def _safetensors(tensor_dict: Any, filename: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return tensor_dict, filename


ARRAY: tuple[Function, ...] = (("numpy", "save", _array),)
ARCHIVES: tuple[Function, ...] = (
    ("pickle", "dump", pickled),
    ("joblib", "dump", joblib_dumped),
    ("numpy", "savez", archived),
    ("numpy", "savez_compressed", archived),
)
SAFETENSORS: tuple[Function, ...] = (("safetensors.numpy", "save_file", _safetensors),)


class ArrayWriters:
    """Calls ``observe(path, by, name, array)`` for each array that is written by one of these functions or by h5py.

    Within ``elsewhere`` nothing is told: whoever is inside tells of the file as a whole.
    """

    def __init__(
        self, functions: Sequence[Function], observe: Callable[..., None], quietly: Callable[..., Any]
    ) -> None:
        self._observe, self._quietly = observe, quietly
        self._undo: list[Callable[[], None]] = []
        self._inside = threading.local()
        for module, function, read in functions:
            self._undo.append(when_imported(module, functools.partial(self._around_function, function, read)))
        self._undo.append(when_imported("h5py", self._around_hdf5))

    def elsewhere(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function whose file is told of by somebody else."""
        former, self._inside.now = getattr(self._inside, "now", False), True
        try:
            return function(*args, **kwargs)
        finally:
            self._inside.now = former

    def end(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()

    def _around_function(self, name: str, read: Read, module: Any) -> None:
        original = getattr(module, name)

        @functools.wraps(original)
        def observed(*args: Any, **kwargs: Any) -> Any:
            result = self.elsewhere(original, *args, **kwargs)
            self._tell(lambda: [(*read(*args, **kwargs), "")], f"{module.__name__}.{name}")
            return result

        self._undo.append(put(module, name, observed))

    def _around_hdf5(self, h5py: Any) -> None:
        create, assign = h5py.Group.create_dataset, h5py.Dataset.__setitem__

        @functools.wraps(create)
        def created(group: Any, name: Any, shape: Any = None, dtype: Any = None, data: Any = None, **kwds: Any) -> Any:
            dataset = create(group, name, shape, dtype, data, **kwds)
            self._tell(lambda: _whole(dataset, data), "h5py")
            return dataset

        @functools.wraps(assign)
        def assigned(dataset: Any, args: Any, val: Any) -> Any:
            assign(dataset, args, val)
            self._tell(lambda: _whole(dataset, val), "h5py")

        self._undo.append(put(h5py.Group, "create_dataset", created))
        self._undo.append(put(h5py.Dataset, "__setitem__", assigned))

    def _tell(self, written: Callable[[], list[tuple[Any, Any, str]]], by: str) -> None:
        if not getattr(self._inside, "now", False):
            self._quietly("a file was written", lambda: self._told(written(), by))

    def _told(self, written: list[tuple[Any, Any, str]], by: str) -> None:
        for value, target, name in written:
            for key, array in _arrays(value):
                self._observe(path_of(target), by, name or key, array)


def _whole(dataset: Any, value: Any) -> list[tuple[Any, Any, str]]:
    """A dataset of h5py that took all of its values at once."""
    taken = _is_array(value) and tuple(value.shape) == dataset.shape
    return [(value, dataset.file.filename, dataset.name or "")] if taken else []


def path_of(target: Any) -> str:
    """The path of a file that is given by name or open; of anything else what it is."""
    named = target if isinstance(target, str | bytes | os.PathLike) else getattr(target, "name", None)
    return os.fsdecode(named) if isinstance(named, str | bytes | os.PathLike) else type(target).__name__


def _arrays(value: Any) -> Iterator[tuple[str, Any]]:
    """The arrays of nested dictionaries, lists and tuples, by their names there."""
    stack = [("", value, 0)]
    while stack:
        name, item, depth = stack.pop()
        if _is_array(item):
            yield name, item
        elif depth < _DEPTH and isinstance(item, dict | list | tuple):
            members = item.items() if isinstance(item, dict) else enumerate(item)
            stack += [(f"{name}.{key}" if name else str(key), each, depth + 1) for key, each in list(members)]


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__") and hasattr(value, "shape") and hasattr(value, "dtype")
