"""What a process took its part of a weight from: all must begin with the same whole when they divide it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import torch
from torch.utils.weak import WeakIdKeyDictionary

from frostline.core.facts import Fact, TensorSeen
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.tensors.saved_values import Content
from frostline.frameworks.torch.tensors.shards import shard_of
from frostline.frameworks.torch.tensors.tensors import why_unreadable
from frostline.observe.tensor_match import mark

DIVIDES_ONE = ("torch.distributed.fsdp._fully_shard._fsdp_param", "FSDPParam", "_init_sharded_param")
DIVIDES_MANY = ("torch.distributed.fsdp._flat_param", "FlatParamHandle", "shard")


class ShardedStarts:
    """Takes a digest of some blocks of each weight before it is divided, and tells it with the part.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (TensorSeen,)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._whole: WeakIdKeyDictionary = (
            WeakIdKeyDictionary()
        )  # digests by what was made: one, or of all in a flat one

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.finished.append(self._finish)
        self._context.wrap_when_imported(*DIVIDES_ONE, self._one)
        self._context.wrap_when_imported(*DIVIDES_MANY, self._many)
        return []

    def _one(self, wrapped: Any, owner: Any, args: Any, kwargs: Any) -> Any:
        taken: list[str] = []
        whole = args[0] if args else kwargs.get("param")
        self._context.quietly("before a weight is divided", self._take, [whole], taken)
        result = wrapped(*args, **kwargs)
        self._context.quietly("a weight was divided", self._note, getattr(owner, "sharded_param", None), taken)
        return result

    def _many(self, wrapped: Any, handle: Any, args: Any, kwargs: Any) -> Any:
        taken: list[str] = []
        self._context.quietly("before flat weights are divided", self._take_flat, handle.flat_param, taken)
        result = wrapped(*args, **kwargs)
        self._context.quietly("flat weights were divided", self._note, handle.flat_param, taken)
        return result

    def _take_flat(self, flat: Any, taken: list[str]) -> None:
        pieces = torch.split(flat.detach(), flat._numels_with_padding)
        self._take([piece for piece, is_gap in zip(pieces, flat._is_padding_mask, strict=True) if not is_gap], taken)

    def _take(self, wholes: list[torch.Tensor], taken: list[str]) -> None:
        if any(why_unreadable(whole) or shard_of(whole) for whole in wholes):
            return
        taken += [mark(Content(whole.detach()), whole.numel() * whole.element_size()).hex() for whole in wholes]

    def _note(self, made: torch.Tensor | None, taken: list[str]) -> None:
        if made is not None and taken:
            self._whole[made] = taken

    def _finish(self) -> None:
        for entry in self._context.models.tensors:
            part, shard = entry.row.part, entry.shard
            flat = shard.flat() if shard is not None and shard.flat is not None else None
            made = entry.tensor if flat is None else flat
            if made is None:
                continue  # it was freed
            taken: list[str] | None = self._whole.get(made)  # type: ignore[no-untyped-call]
            if taken and part is not None and shard is not None:
                of = taken[shard.index]
                self._context.tell(TensorSeen(tensor=entry.row.id, part=dataclasses.replace(part, of=of)))
