"""The functions that scripts of JAX write weights with: where they are, and what their arguments say."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from frostline.frameworks.array_writers import ARCHIVES

Read = Callable[..., tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Writer:
    """A function that writes.

    ``read`` takes its arguments and gives what is written and where to; of a ``general`` one, which writes all kinds of
    things, only files that hold something of a model are told. ``filtered`` says that one of its arguments,
    ``filter_spec``, writes each value or does not; ``known_as`` is its name where that is not where it is.
    """

    module: str
    function: str
    read: Read
    general: bool = False
    filtered: bool = False
    known_as: str = ""

    @property
    def by(self) -> str:
        """The function's name for people."""
        return self.known_as or f"{self.module}.{self.function}"


def _tree(tree: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return tree, None


def _tree_first(tree: Any, target: Any = None, *_: Any, filename: Any = None, **__: Any) -> tuple[Any, Any]:
    return tree, target if target is not None else filename


def _file_first(target: Any, tree: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
    return tree, target


def _flax(ckpt_dir: Any, target: Any, step: Any, prefix: str = "checkpoint_", *_: Any, **__: Any) -> tuple[Any, Any]:
    return target, os.path.join(os.fsdecode(ckpt_dir), f"{prefix}{step}")


def _orbax(_: Any, directory: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Of a checkpointer: what is written is inside of arguments of orbax's own types; before these, it stood alone."""
    given = kwargs.get("args", kwargs.get("item", args[0] if args else None))
    return _unwrapped(given), directory


def _unwrapped(value: Any) -> Any:
    if not type(value).__module__.startswith("orbax"):
        return value
    if hasattr(type(value), "items"):
        return {name: _unwrapped(each) for name, each in value.items()}
    return getattr(value, "item", None)


WRITERS = (
    Writer("flax.serialization", "to_bytes", _tree),
    Writer("flax.serialization", "msgpack_serialize", _tree),
    Writer("flax.training.checkpoints", "save_checkpoint", _flax),
    Writer("flax.training.checkpoints", "save_checkpoint_multiprocess", _flax),
    Writer("orbax.checkpoint", "Checkpointer.save", _orbax),
    Writer("orbax.checkpoint", "AsyncCheckpointer.save", _orbax),
    Writer(
        "orbax.checkpoint.experimental.v1._src.saving.execution",
        "save_checkpointables_impl",
        _file_first,
        known_as="orbax.checkpoint.experimental.v1.save",
    ),
    Writer("equinox", "tree_serialise_leaves", _file_first, filtered=True),
    Writer("safetensors.flax", "save_file", _tree_first, general=True),
    Writer("safetensors.flax", "save", _tree, general=True),
    Writer("safetensors.numpy", "save_file", _tree_first, general=True),
    Writer("safetensors.numpy", "save", _tree, general=True),
    *(Writer(*each, general=True) for each in ARCHIVES),
)
