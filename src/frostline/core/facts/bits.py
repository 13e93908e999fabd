"""Facts about bits: which were compared, which changed, and what a change came from."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from frostline.core.columns.replica import ReplicaSample
from frostline.core.columns.standstill import Standstill
from frostline.core.events.fact import Fact
from frostline.core.facts.tensors import Tensors
from frostline.core.ledger import Gradient, Place, RowsSeen, Shift


class BaselineTaken(Fact, frozen=True):
    """The bits of a tensor were read and are what later ones are compared with; None: it has none for now."""

    tensor: int
    blocks: int | None


class Compared(Fact, frozen=True):
    """These tensors were compared with their last reading."""

    step: int
    tensors: Tensors


class Moved(Fact, frozen=True):
    """The bits of a tensor changed; ``move`` numbers the change, so that later facts can say more about it.

    ``set_up`` says that it was before the first step: loading, initialising. The other fields are those of
    ``ledger.Movement``.
    """

    tensor: int
    move: int
    place: Place
    since: int
    until: int
    optimizer: str | None = None
    trainable: bool | None = None
    training: bool | None = None
    gradient: Gradient | None = None
    state: bool | None = None
    lr: float | None = None
    weight_decay: float | None = None
    blocks: int = 0
    blocks_moved: int = 0
    shift: Shift | None = None
    event: str | None = None
    late: bool = False
    set_up: bool = False


class MoveExplained(Fact, frozen=True):
    """What a change that was told before came from: another tensor, a copy, a library at work."""

    move: int
    event: str | UnsetType = UNSET
    equals: str | UnsetType | None = UNSET
    follows: str | UnsetType = UNSET
    rate: float | UnsetType = UNSET
    resembles: str | UnsetType = UNSET
    unwritten_until: int | UnsetType = UNSET


class StoodStill(Fact, frozen=True):
    """These trainable tensors moved, and now stand still though their optimizer steps; None: they move again."""

    tensors: Tensors
    still: Standstill | None


class CameBack(Fact, frozen=True):
    """At the end of the run these tensors have the bits again that they had after ``step``, and later steps moved on.

    Compared are the bits at checks and at saves; step 0 is the first reading.
    """

    tensors: Tensors
    step: int


class PutBack(Fact, frozen=True):
    """Steps moved these tensors; at the start of ``put_back`` later checks and at the end they had their first bits.

    At the starts a sample of each was compared, at the end all of it.
    """

    tensors: Tensors
    put_back: int


class SwapBegan(Fact, frozen=True):
    """What is told of a tensor from here on is taken back if it gets its bits back before the next step."""

    tensor: int


class SwapUndone(Fact, frozen=True):
    """The tensor has the bits again that it had when the swap began: as where weights are swapped in and out."""

    tensor: int


class Followed(Fact, frozen=True):
    """A tensor follows ``source``, as averages and copies do; ``still``: both stood still and are equal at the end.

    ``rate`` is that of a move towards it, where it was seen beside the moves themselves.
    """

    tensor: int
    source: str | None
    still: bool = False
    rate: float | None = None


class CopyCompared(Fact, frozen=True):
    """Right after writes these tensors were compared with those that they follow.

    ``copies`` says how often each had the very bits of its source so far, and of how many looks.
    """

    tensors: Tensors
    copies: tuple[int, int]


class DigestsTaken(Fact, frozen=True):
    """The digests of a tensor at its first reading and its last, to compare it with those of other processes."""

    tensor: int
    first: str
    last: str


class ReplicaSampled(Fact, frozen=True):
    """A sample of a trained tensor's values at the end of the run, to compare it with those of other processes."""

    tensor: int
    sample: ReplicaSample


class Unread(Fact, frozen=True):
    """A tensor can no longer be read, or never could; ``reason`` is printed."""

    tensor: int
    reason: str


class Doubted(Fact, frozen=True):
    """A column of some tensors cannot be known, for this reason; None takes that back."""

    tensors: Tensors
    column: str
    reason: str | None


class RowsCompared(Fact, frozen=True):
    """Rows or elements of a tensor were compared one by one; ``track`` numbers the comparison that this renews."""

    tensor: int
    track: int
    seen: RowsSeen
