"""Files that are not read by torch.load: tensors that a script takes out of them one by one, and pickles of arrays."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import numpy as np
import torch
import wrapt

from frostline.core.facts import Fact
from frostline.frameworks.imports import when_imported
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.tensors.saved_values import named_values
from frostline.observe.script_lines import script_line

_OF_SAFETENSORS = "safetensors.torch"  # whose load_file is observed itself


class PiecewiseReading:
    """Publishes what ``safetensors.safe_open``, ``numpy.load`` of an archive and ``pickle.load`` give to the script.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = ()

    def __init__(self, context: Context) -> None:
        self._context = context
        self._removers: list[Callable[[], None]] = []

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        archive = np.lib.npyio.NpzFile
        self._removers += [
            self._context.wrap(archive, "__getitem__", self._array),
            put(pickle, "load", dynamo_guard.observed(pickle.load, self._unpickle)),
        ]
        forget = when_imported("safetensors", self._safetensors_imported)

        def end() -> None:
            forget()
            for each in reversed(self._removers):
                each()

        return [end]

    def _safetensors_imported(self, module: Any) -> None:
        opener = module.safe_open

        def safe_open(*args: Any, **kwargs: Any) -> Any:
            source = args[0] if args else kwargs.get("filename")
            return _Opened(opener(*args, **kwargs), lambda name, value: self._publish(source, name, value))

        self._removers.append(put(module, "safe_open", safe_open))

    def _array(self, wrapped: Any, archive: Any, args: Any, kwargs: Any) -> Any:
        value = wrapped(*args, **kwargs)
        source = getattr(getattr(archive, "zip", None), "filename", None)
        self._publish(source, str(args[0] if args else ""), value)
        return value

    def _unpickle(self, function: Any, args: Any, kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        if isinstance(value, dict) and args:
            for _, name, each in named_values(value):
                self._publish(args[0], name, each)
        return value

    def _publish(self, source: Any, name: str, value: Any) -> None:
        if source is not None and not self._context.recorder.clock.over:
            self._context.quietly("a part of a file was read", self._tell, source, name, value)

    def _tell(self, source: Any, name: str, value: Any) -> None:
        tensor = _as_tensor(value)
        if tensor is not None and script_line() is not None:
            for tell in self._context.signals.parts_read:
                tell(source, name, tensor)


class _Opened(wrapt.ObjectProxy):  # type: ignore[type-arg]
    """An open file of safetensors, which says what is taken out of it."""

    def __init__(self, opened: Any, tell: Callable[[str, Any], None]) -> None:
        super().__init__(opened)
        self._self_tell = tell

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def get_tensor(self, name: str) -> Any:
        """As the file's own."""
        value = self.__wrapped__.get_tensor(name)
        if sys._getframe(1).f_globals.get("__name__") != _OF_SAFETENSORS:
            self._self_tell(name, value)
        return value


def _as_tensor(value: Any) -> torch.Tensor | None:
    """A tensor of the same bits; None for what PyTorch has no type for."""
    if isinstance(value, torch.Tensor):
        return value
    if not isinstance(value, np.ndarray):
        return None
    try:
        return torch.from_numpy(value if value.flags.writeable else value.copy())
    except TypeError:
        return None
