"""What every adapter has: what its rival can look at, and how it is made to look at one program."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import version
from typing import ClassVar

from bench.rivals.complaint import Complaint
from bench.rivals.scene import Scene


class Rival:
    """One tool, used as its documentation says.

    Attributes:
        name: of the tool.
        distribution: whose version is stated.
        looks_at: what it can see, in a few words.
        used: the calls that are made.
        framework: of the programs that it can look at.
        moments: at which it is asked: the first step of each optimizer, and the end of the run.
        alongside: instead of that, it is attached before the first step and watches the script's own steps.
    """

    name: ClassVar[str]
    distribution: ClassVar[str]
    looks_at: ClassVar[str]
    used: ClassVar[str]
    framework: ClassVar[str] = "torch"
    moments: ClassVar[tuple[str, ...]] = ("first step", "end")
    alongside: ClassVar[bool] = False

    def look(self, scene: Scene) -> Iterable[Complaint]:
        """What it says about a model, its optimizer and a batch; for one alongside, attach it.

        Raises:
            CannotLook: the scene lacks what the tool must be given.
        """
        raise NotImplementedError

    def read(self, error: BaseException) -> Iterable[Complaint] | None:
        """What one alongside says by raising in the script; None where the error is the script's own."""
        return None

    @property
    def version(self) -> str:
        """As installed."""
        return version(self.distribution)


class CannotLook(Exception):
    """The tool has no way to look at this program; the message says why."""


def checked(*calls: Iterator[Complaint]) -> Iterator[Complaint]:
    """The complaints of several calls, each of which may fail without hiding the others; all failing is a reason."""
    failures = []
    for call in calls:
        try:
            yield from call
        except CannotLook:
            raise
        except Exception as error:
            failures.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:160])
    if failures and len(failures) == len(calls):
        raise CannotLook(failures[0])
