"""The functions that scripts write tensors with, and what stands around each of them while a run is observed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from frostline.frameworks.array_writers import ARCHIVES, ARRAY, ArrayWriters
from frostline.frameworks.imports import when_imported
from frostline.frameworks.patching import Nesting, put
from frostline.frameworks.torch.guards import dynamo_guard

Read = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Writer:
    """A function that writes.

    ``read`` takes its arguments and gives what is written and where to; of a ``general`` one, which writes all kinds of
    things, only files that hold something of a model are told. Of one that all processes call ``together``, each writes
    a part into the same place.
    """

    module: str
    function: str
    read: Read
    general: bool = False
    together: bool = False

    @property
    def by(self) -> str:
        """The function's name for people."""
        module = self.module.removesuffix(".serialization").removesuffix(".state_dict_saver")
        return f"{module.removeprefix('torch.distributed.')}.{self.function}"


def _save(obj: Any, f: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return obj, f


def _script(m: Any, f: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return m.state_dict(), f


def _program(ep: Any, f: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return ep.state_dict, f


def _distributed(state_dict: Any, *_: Any, checkpoint_id: Any = None, storage_writer: Any = None, **__: Any) -> Any:
    return state_dict, checkpoint_id if checkpoint_id is not None else getattr(storage_writer, "path", None)


WRITERS = (
    Writer("torch", "save", _save),
    Writer("torch.serialization", "save", _save),
    Writer("torch.jit", "save", _script),
    Writer("torch.export", "save", _program),
    *(
        Writer(f"torch.distributed.checkpoint{module}", function, _distributed, together=True)
        for module in ("", ".state_dict_saver")
        for function in ("save", "async_save")
    ),
    *(Writer(*each, general=True) for each in ARCHIVES),
)


class WritersWatch:
    """Calls ``observe(writer, args, kwargs)`` before one of ``WRITERS`` writes anything, until ``end``.

    A function that calls another one to do its work is one writing.
    """

    def __init__(self, observe: Callable[[Writer, Any, Any], None]) -> None:
        self._observe = observe
        self._undo: list[Callable[[], None]] = []
        self._ended = False
        self._writings = Nesting()
        for writer in WRITERS:
            self._undo.append(when_imported(writer.module, functools.partial(self._put_around, writer)))

    def _put_around(self, writer: Writer, module: Any) -> None:
        if hasattr(module, writer.function):
            original = getattr(module, writer.function)
            observed = dynamo_guard.observed(original, functools.partial(self._call, writer))
            self._undo.append(put(module, writer.function, observed))

    def _call(self, writer: Writer, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        with self._writings:
            if not self._ended and self._writings.depth == 1:
                self._observe(writer, args, kwargs)
            return function(*args, **kwargs)

    def end(self) -> None:
        """Put everything back."""
        self._ended = True
        while self._undo:
            self._undo.pop()()


class SafetensorsWatch:
    """Calls ``observe(tensors, target)`` before safetensors writes anything, until ``end``.

    All its savers (torch, numpy, flax, tensorflow) come together in two functions, which the modules for the
    frameworks take from the package when they are imported.
    """

    def __init__(self, observe: Callable[[Any, Any], None]) -> None:
        self._observe = observe
        self._undo: list[Callable[[], None]] = []
        self._ended = False
        self._undo.append(when_imported("safetensors", self._imported))

    def _imported(self, package: Any) -> None:
        loaded = [module for name, module in list(sys.modules.items()) if name.startswith("safetensors.")]
        for module in (package, *loaded):
            for name in ("serialize_file", "serialize"):
                self._put_around(module, name)

    def _put_around(self, module: Any, name: str) -> None:
        original = getattr(module, name, None)
        if original is None or hasattr(original, "__wrapped__"):
            return

        @functools.wraps(original)
        def observed(tensors: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._ended:
                target = args[0] if args and name == "serialize_file" else kwargs.get("filename")
                self._observe(tensors, target)
            return original(tensors, *args, **kwargs)

        self._undo.append(put(module, name, observed))

    def end(self) -> None:
        """Put everything back."""
        self._ended = True
        while self._undo:
            self._undo.pop()()


def arrays_watch(observe: Callable[..., None], quietly: Callable[..., None]) -> ArrayWriters:
    """Calls ``observe(path, by, name, array)`` for each array that is written by itself, until its ``end``."""
    return ArrayWriters(ARRAY, observe, quietly)
