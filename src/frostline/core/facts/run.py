"""Facts about the run as a whole."""

from __future__ import annotations

from frostline.core.events.fact import Fact
from frostline.core.run import Run


class FrameworkSeen(Fact, frozen=True):
    """A framework was imported and is observed from here on."""

    framework: str
    version: str


class Expected(Fact, frozen=True):
    """What the user said should happen: patterns for frozen and for trained tensors, and the patience of the rules."""

    frozen: tuple[str, ...] = ()
    trained: tuple[str, ...] = ()
    patience: int = 3


class RunSeen(Fact, frozen=True):
    """How the run stands: its command, how it ended if it did, and errors inside frostline."""

    run: Run
