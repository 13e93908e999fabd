"""What the parts of observing need of the observer that they serve."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Protocol

from frostline.core.facts import Fact
from frostline.core.journal import Journal
from frostline.core.ledger import Movement, OptimizerRow, Place
from frostline.observe.protocols import Probe
from frostline.observe.tensor_state import Reading, TensorState
from frostline.settings import Settings


class Recorder(Protocol):
    """Where a run stands, the tensors that are observed in it, and where facts are told."""

    probe: Probe
    settings: Settings
    journal: Journal
    steps: int

    @property
    def tensors(self) -> Mapping[Hashable, TensorState]: ...
    @property
    def optimizers(self) -> Mapping[Hashable, OptimizerRow]: ...
    @property
    def now(self) -> int:
        """The present half-step: 2·n before global step n, 2·n + 1 after it."""

    def tell(self, fact: Fact, /) -> None:
        """Take a fact."""

    def place_since(self, start: int) -> Place:
        """Where a move between the half-step ``start`` and now can have happened."""

    def write(self, watched: TensorState, reading: Reading, place: Place, start: int) -> Movement:
        """Tell of a move that was read just now."""

    def moved_in_step(self, key: Hashable, watched: TensorState, reading: Reading) -> Movement:
        """Tell of a move that happened inside the step just done."""
