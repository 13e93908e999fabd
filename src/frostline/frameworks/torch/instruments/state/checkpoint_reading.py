"""Files that the script reads, to see which tensor of a model got which tensor of a file."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any, ClassVar

import torch

from frostline.core.facts import Fact, LoadMatched
from frostline.core.names.name_matching import expected_by
from frostline.frameworks.imports import when_imported
from frostline.frameworks.patching import put
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards import dynamo_guard
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.tensors.read_files import ReadFile, ReadFiles
from frostline.observe.protocols import Unreadable
from frostline.observe.tensor_match import kind_of, mark
from frostline.observe.tensor_state import TensorState


class CheckpointReading:
    """Tells which tensor of a file each tensor of a model holds, where that is not its own.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (LoadMatched,)

    def __init__(self, context: Context) -> None:
        self._context, self._models = context, context.models
        self._read_files = ReadFiles()
        self._told: dict[str, LoadMatched] = {}  # by file

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        signals = self._context.signals
        signals.loaded.append(lambda _, keys, *__: self._compare(keys))
        signals.step_nears.append(lambda *_: self._before_first_step())
        signals.parts_read.append(self._part_read)
        loader = dynamo_guard.observed(torch.load, self._load)
        undo = [put(torch, "load", loader), put(torch.serialization, "load", loader)]

        def safetensors_imported(module: Any) -> None:
            undo.append(put(module, "load_file", dynamo_guard.observed(module.load_file, self._load)))

        def end() -> None:
            for each in reversed(undo):
                each()

        undo.append(when_imported("safetensors.torch", safetensors_imported))
        return [end]

    def _load(self, function: Any, args: Any, kwargs: Any) -> Any:
        value = function(*args, **kwargs)
        source = args[0] if args else kwargs.get("f", kwargs.get("filename"))
        if not self._context.recorder.clock.over:
            self._context.quietly("a file was read", self._read, value, source)
        return value

    def _read(self, value: Any, source: Any) -> None:
        self._read_files.read(value, source)
        for tell in self._context.signals.files_read:
            tell(self._read_files.files)

    def _part_read(self, source: Any, name: str, tensor: torch.Tensor) -> None:
        if self._read_files.add(source, name, tensor):
            for tell in self._context.signals.files_read:
                tell(self._read_files.files)

    def _before_first_step(self) -> None:
        if not self._context.recorder.steps:
            with aside():
                self._compare(list(self._context.recorder.tensors))

    def _compare(self, keys: Iterable[Hashable]) -> None:
        """Look at these tensors: which tensor of which file does each hold?"""
        files = self._read_files.files
        if not files:
            return
        models: dict[str, dict[str, TensorState]] = {}
        for key in keys:
            watched = self._context.recorder.tensors[key]
            name = watched.row.name.removeprefix(f"{watched.row.model}.")
            models.setdefault(watched.row.model, {})[name] = watched
        for tensors in models.values():
            marks = dict(_marks(tensors))
            for loaded in reversed(files):
                if matched := _matched(loaded, tensors, marks):
                    self._tell(loaded.file, matched)

    def _tell(self, file: str, matched: list[tuple[str, str, str]]) -> None:
        tensors, own, held = zip(*matched, strict=True)
        last = self._told.get(file)
        if last is None or (last.tensors, last.own, last.held) != (tensors, own, held):
            step = self._context.recorder.steps
            self._told[file] = LoadMatched(step=step, file=file, tensors=tensors, own=own, held=held)
            self._context.tell(self._told[file])


def _marks(tensors: dict[str, TensorState]) -> Iterator[tuple[str, bytes]]:
    for name, watched in tensors.items():
        row = watched.row
        if row.size > 1:
            with contextlib.suppress(Unreadable):
                yield name, kind_of(row.dtype, row.shape) + mark(watched.entry, row.bytes)


def _matched(loaded: ReadFile, tensors: dict[str, TensorState], marks: dict[str, bytes]) -> list[tuple[str, str, str]]:
    """The tensors that hold another tensor of the file than their own: their name, its name and that of what they hold.

    Of values that the file has more than once nothing can be told.
    """
    if not any(digest in loaded.by_mark for digest in marks.values()):
        return []
    expected = expected_by(loaded.shapes, {name: watched.row.shape for name, watched in tensors.items()})
    own_of = {entry: own for own, entry in expected.items() if loaded.marks.get(own) in loaded.by_mark}
    held = ((watched, own_of.get(name), loaded.by_mark.get(marks.get(name, b""))) for name, watched in tensors.items())
    return [(watched.row.name, own, got) for watched, own, got in held if own and got and own != got]
