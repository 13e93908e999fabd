"""Copies that a script keeps of trained tensors, such as averages: how they follow, by a piece of each at a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from frostline.core.events.averages import CopyKept
from frostline.digest.floats import FLOATS, Reals
from frostline.digest.shift import follows, reals

PIECE = 1024  # bytes of each tensor
AVERAGES = ("ema", "averag", "avg", "swa", "shadow", "polyak")  # in names and types of what is to follow
UNITS = 16  # in the last place; an average in a narrow type stops at half of one divided by its rate


@dataclass(slots=True)
class Pair:
    """A tensor of a copy and its source: a piece of each as of the last look, and what the looks showed.

    ``moved`` counts the looks at which it had moved, ``passed`` those at which only its source had; ``rate`` is that of
    the last move which numbers show to go towards the source. ``first`` is what it began with.
    """

    name: str
    source: str
    dtype: str
    source_dtype: str
    piece: bytes
    led_by: bytes
    first: bytes = field(init=False)
    moved: int = 0
    passed: int = 0
    rate: float | None = None

    def __post_init__(self) -> None:
        self.first = self.piece

    def look(self, piece: bytes, source: bytes) -> bool:
        """Take the present pieces; whether the copy moved."""
        moved, led = piece != self.piece, source != self.led_by
        if moved:
            self.moved += 1
            comparable = self.dtype == self.source_dtype and len(piece) == len(source)
            rate = follows(self.piece, piece, source, self.dtype) if comparable else None
            self.rate = self.rate if rate is None else rate
        elif led:
            self.passed += 1
        self.piece, self.led_by = piece, source
        return moved

    @property
    def apart(self) -> float:
        """How far the copy is from its source, relative to that; 0 where the source is nothing but zeros."""
        copy, source = self._values()
        size = float(np.linalg.norm(source))
        return float(np.linalg.norm(copy - source)) / size if size else 0.0

    def far(self) -> tuple[int, int]:
        """How many values are many units in the last place from their source, and how many of these never changed."""
        copy, source = self._values()
        away = np.abs(copy - source) > UNITS * FLOATS[self.dtype].below_one * np.abs(copy)
        first = reals(self.first, self.dtype)[: len(copy)]
        return int(away.sum()), int((away & (first == copy)).sum()) if len(first) == len(copy) else 0

    def _values(self) -> tuple[Reals, Reals]:
        copy, source = reals(self.piece, self.dtype), reals(self.led_by, self.source_dtype)
        count = min(len(copy), len(source))
        return copy[:count], source[:count]


@dataclass(slots=True)
class KeptCopy:
    """A list, dictionary, object or module that holds copies: its tensors, and since when nothing of it moved.

    ``written`` counts the writes to one of them, whether these changed bits or not.
    """

    name: str
    kind: str
    model: str
    pairs: Sequence[Pair]
    began: int
    moved_at: int | None = None
    written: int = 0

    def look(self, step: int, pieces: Sequence[tuple[bytes, bytes]], written: int) -> bool:
        """Take the present pieces of copies and sources; whether any copy moved."""
        moved = [pair.look(*both) for pair, both in zip(self.pairs, pieces, strict=True)]
        self.written += written
        if any(moved):
            self.moved_at = step
        return any(moved)

    def told(self, step: int) -> CopyKept:
        """What the looks until now showed."""
        rates = sorted(pair.rate for pair in self.pairs if pair.rate is not None)
        away, stuck = np.sum([pair.far() for pair in self.pairs], axis=0)
        return CopyKept(
            step=step,
            name=self.name,
            kind=self.kind,
            model=self.model,
            tensors=tuple(pair.name for pair in self.pairs),
            sources=tuple(pair.source for pair in self.pairs),
            still=tuple(pair.name for pair in self.pairs if not pair.moved and pair.passed >= 2),
            apart=tuple(float(f"{pair.apart:.3g}") for pair in self.pairs),
            dtypes=tuple(dict.fromkeys(pair.dtype for pair in self.pairs)),
            far=int(away),
            unmoved=int(stuck),
            rate=float(f"{rates[len(rates) // 2]:.3g}") if rates else None,
            began=self.began,
            moved_at=self.moved_at,
            written=self.written,
            called_average=any(word in f"{self.name} {self.kind}".lower() for word in AVERAGES),
        )
