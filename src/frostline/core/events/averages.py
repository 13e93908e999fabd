"""Events about averages of trained tensors, and other copies that are kept beside them."""

from __future__ import annotations

from frostline.core.events.fact import Fact, Names


class AverageMisplaced(Fact, frozen=True):
    """The average that an optimizer keeps of one tensor was written into another."""

    step: int
    average_of: str
    written_to: str


class AveragePutIn(Fact, frozen=True):
    """After each of ``steps`` the bits of ``source``, which moves in the steps as well, took the place of the tensor's.

    ``moved`` counts the steps in which ``source`` was seen to move.
    """

    step: int
    tensor: str
    source: str
    steps: tuple[int, ...]
    moved: int


class CopyKept(Fact, frozen=True):
    """The script keeps ``name``, a list, dictionary, object or module, as a copy of tensors of ``model``.

    Of its ``tensors`` and their ``sources`` a piece was looked at from step ``began`` on. ``moved_at`` is the last look
    at which one had moved, None where none ever had; ``still`` are those that did not move while their sources did;
    ``apart`` says how far each is from its source at the end; ``far`` counts the values that are many units in the last
    place away, ``unmoved`` those of them that never changed; ``rate`` is that at which they were seen to follow;
    ``written`` counts the writes to one of them, whatever these changed. ``called_average``: by its name or type.
    """

    step: int
    name: str
    kind: str
    model: str
    tensors: Names
    sources: Names
    still: Names
    apart: tuple[float, ...]
    dtypes: Names
    began: int
    far: int = 0
    unmoved: int = 0
    rate: float | None = None
    moved_at: int | None = None
    written: int = 0
    called_average: bool = False
