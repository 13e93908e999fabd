"""S605: files that were loaded into other tensors than those that they name."""

from __future__ import annotations

from collections.abc import Iterator

from frostline.core.events.files import LoadMatched
from frostline.laws.causes.cause import Case, Cause
from frostline.laws.observed_run import ObservedRun

__all__ = ["CAUSES"]


def _crossed(run: ObservedRun) -> Iterator[Case]:
    """Tensors of a file that changed places, each taking another's, round a circle.

    A student that is given every second layer of its teacher makes no circle: what it left out is held by nobody.
    """
    files: set[str] = set()
    for load in run.events_of(LoadMatched):
        held = dict(zip(load.own, load.held, strict=True))
        crossed = {name: own for name, own in zip(load.tensors, load.own, strict=True) if comes_back(own, held)}
        if crossed and load.file not in files:
            files.add(load.file)
            name, own = next(iter(crossed.items()))
            first = f"{name} holds the file's {held[own]}, though the file has {own}, which another tensor holds"
            text = f"{load.file} was loaded into other tensors of the same shape: {first}"
            yield Case([*crossed], text, {"file": load.file, "before_step": load.step + 1})


def comes_back(start: str, following: dict[str, str]) -> bool:
    """Whether the way from one name to the next comes back to the first.

    >>> comes_back("a", {"a": "b", "b": "a"}), comes_back("a", {"a": "b", "b": "c", "c": "b"})
    (True, False)
    """
    place, seen = start, set()
    while place in following and place not in seen:
        seen.add(place)
        place = following[place]
    return place == start


CROSSED = Cause(
    code="S605",
    slug="loaded-into-other-tensors",
    severity="error",
    law="L8",
    means="Tensors of a file were loaded by position into others of the same shape, and these changed places.",
    matters="No shape complains. The model begins with its layers exchanged, which looks like poor initial weights.",
    remedy="load by name: model.load_state_dict(state), with renamed keys where the names differ",
    tells_apart="The file has a tensor of each name, but with the bits of another tensor, and so round a circle.",
    cases=_crossed,
)

CAUSES = (CROSSED,)
