"""What a script writes with the functions of orbax, flax, equinox and safetensors, and with Python's own."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar

import jax
import wrapt

from frostline.core.facts import Fact, FilesAlike, FileWritten, SavedSettled
from frostline.digest.blocks import Digest
from frostline.frameworks.array_writers import ARRAY, ArrayWriters
from frostline.frameworks.jax.context import Context
from frostline.frameworks.jax.steps.values import digests_of
from frostline.frameworks.jax.tensors.saved_values import Content, file_of, saved_values
from frostline.frameworks.jax.tensors.tensors import JaxTensor
from frostline.frameworks.jax.writers import WRITERS, Writer
from frostline.observe.saves import Saves
from frostline.observe.tensor_match import Written

FILTER, FILTER_AT = "filter_spec", 2
ENDS = 2  # segments that two names have in common where they name the same weight: the layer, and what it calls it


class CheckpointWriting:
    """Relates the arrays of a tree that is written to the tensors whose values they are.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (FilesAlike, FileWritten, SavedSettled)

    def __init__(self, context: Context) -> None:
        self._context, self._calls = context, context.calls
        self._saves = Saves(context.recorder, self._expected, lambda: context.calls.steps_made)
        self._averages: list[JaxTensor] = []  # that are in the file under way
        self._writing = False

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finishing.append(self._saves.settle)
        for writer in WRITERS:
            self._context.when_imported(writer.module, functools.partial(self._put_around, writer))
        return [ArrayWriters(ARRAY, self._wrote_array, self._context.quietly).end]

    def _put_around(self, writer: Writer, module: Any) -> None:
        kind, _, name = writer.function.rpartition(".")
        owner = getattr(module, kind) if kind else module
        if name in vars(owner):
            around = functools.partial(self._call, writer)
            self._context.put(owner, name, wrapt.FunctionWrapper(vars(owner)[name], around))

    def _call(self, writer: Writer, wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        """A function that calls another one to do its work is one writing."""
        if self._writing or self._calls.elsewhere or self._calls.current is not None:
            return wrapped(*args, **kwargs)
        line = _line_of(sys._getframe(1))
        told = args if instance is None else (instance, *args)
        filtering = _Filtering() if writer.filtered else None
        if filtering is not None:
            followed = self._context.attempt("a filter is followed", filtering.follow, args, kwargs)
            args, kwargs = followed or (args, kwargs)
        self._writing = True
        try:
            result = wrapped(*args, **kwargs)
        finally:
            self._writing = False
        self._context.quietly("a file was written", self._wrote, writer, told, kwargs, line, filtering)
        return result

    def _wrote(self, writer: Writer, args: Any, kwargs: Any, line: str, filtering: _Filtering | None) -> None:
        tree, target = writer.read(*args, **kwargs)
        found = [(name, array) for name, array in saved_values(tree) if filtering is None or filtering.wrote(array)]
        if not found:
            return
        with self._context.values.ahead():
            written = [self._written(*each) for each in found]
            known = {tensor.key: tensor for tensor in self._context.answers.tensors}
            entries = [known[each.entry] for each in written if each.entry is not None]
            self._averages = [tensor for tensor in entries if _is_average(tensor)]
            later = None if entries else self._remembered(found)
            path = file_of(target) or f"{line}/{writer.by}"
            self._saves.wrote(path, writer.by, written, later, writer.general)

    def _wrote_array(self, path: str, by: str, name: str, array: Any) -> None:
        """The script wrote one array by itself; a library that does so for each of a tree is one writing."""
        if not self._writing and not self._calls.elsewhere and self._calls.current is None:
            with self._context.values.ahead():
                shape, dtype = tuple(array.shape), str(array.dtype)
                self._saves.holds(path, by, Written(name, "", shape, dtype, array.nbytes, Content(array)))

    def _written(self, name: str, array: Any) -> Written:
        shape, dtype = tuple(array.shape), str(array.dtype)
        tensor = self._context.values.tensor_of(array)
        return Written(name, "", shape, dtype, array.nbytes, Content(array), None if tensor is None else tensor.key)

    def _remembered(self, found: Sequence[tuple[str, Any]]) -> Callable[[], list[tuple[str, Hashable]]]:
        """Finds, at the end of the run, the tensors that began with the bits which were written before any step."""
        digests = digests_of({tuple(name.split(".")): array for name, array in found})
        return functools.partial(self._became, {".".join(path): digest for path, digest in digests.items()})

    def _became(self, digests: dict[str, Digest]) -> list[tuple[str, Hashable]]:
        states = self._context.recorder.tensors.values()
        return [
            (name, state.entry.key)
            for name, digest in digests.items()
            for state in states
            if state.first == digest and _same_weight(name, state.row.name) and not _is_average(state.entry)
        ]

    def _expected(self, models: set[str]) -> set[Hashable]:
        """What a save of these models would hold: weights and statistics, but weights of which it has an average."""
        return {
            tensor.key
            for tensor in self._context.answers.tensors
            if tensor.row.model in models
            and not _is_average(tensor)
            and not any(_same_weight(each.row.name, tensor.row.name) for each in self._averages)
        }


class _Filtering:
    """Which values a tree of functions wrote: each is given a file and a value, and writes it or does not."""

    def __init__(self) -> None:
        self._left_out: set[int] = set()

    def follow(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with functions in place of the script's own that do the same."""
        if len(args) > FILTER_AT:
            functions = jax.tree_util.tree_map(self._around, args[FILTER_AT])
            return (*args[:FILTER_AT], functions, *args[FILTER_AT + 1 :]), kwargs
        if FILTER in kwargs:
            return args, kwargs | {FILTER: jax.tree_util.tree_map(self._around, kwargs[FILTER])}
        return args, kwargs

    def _around(self, write: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def observed(file: Any, value: Any) -> None:
            before = _position(file)
            write(file, value)
            if before is not None and _position(file) == before:
                self._left_out.add(id(value))

        return observed

    def wrote(self, array: Any) -> bool:
        """Whether this array is in the file."""
        return id(array) not in self._left_out


def _position(file: Any) -> int | None:
    try:
        return int(file.tell())
    except Exception:  # a pipe, or an object of the script that only writes
        return None


def _is_average(tensor: Any) -> bool:
    """Whether no loss and no optimizer knows the tensor as a weight, though it looks like one: it follows another."""
    return tensor.row.kind == "parameter" and tensor.row.declared.trainable is None


def _same_weight(one: str, other: str) -> bool:
    """Whether two names of different trees mean the same weight of a network."""
    return one.split(".")[-ENDS:] == other.split(".")[-ENDS:]


def _line_of(frame: Any) -> str:
    """Where the script calls a function that is given no file to write to."""
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in ("frostline", "wrapt"):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "memory"
