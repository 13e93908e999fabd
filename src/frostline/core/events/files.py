"""Events about files: what the script wrote, and what of it it loaded."""

from __future__ import annotations

from frostline.core.events.fact import Fact, Names


class FileWritten(Fact, frozen=True):
    """The script wrote a file, for the last time at ``step``, with so many entries, ``tensors`` of them of models."""

    step: int
    file: str
    by: str
    times: int
    entries: int
    tensors: int


class FilesAlike(Fact, frozen=True):
    """Files written one after another hold the same bits, though ``tensors`` moved; a later one may have others."""

    step: int
    files: Names
    steps: tuple[int, ...]
    tensors: Names
    went_on: bool = False


class StateHidden(Fact, frozen=True):
    """What was written of a model does not see ``place``, a plain container that holds these tensors."""

    step: int
    place: str
    tensors: Names


class LoadMatched(Fact, frozen=True):
    """Each of ``tensors`` holds a tensor of a file that was read, under another name than its own.

    ``own`` are the names in the file that stand for them, ``held`` those of what they hold, in their order. Both are of
    values that the file has only once.
    """

    step: int
    file: str
    tensors: Names
    own: Names
    held: Names


class LoadCompared(Fact, frozen=True):
    """What of a file that was loaded into ``model`` is there, by its bits, before the step after ``step``.

    Of ``entries`` tensors ``there`` are in it; ``rewritten`` took bits and hold others, by ``lines``, ``close`` of
    these near ones; ``lacking`` never took any; others are ``absent`` or lack ``before`` and have ``after`` in front.
    """

    step: int
    file: str
    model: str
    entries: int
    there: int
    rewritten: Names = ()
    close: Names = ()
    lacking: Names = ()
    absent: Names = ()
    before: str = ""
    after: str = ""
    gave_nothing: bool = False
    lines: Names = ()


class LoadLeftOut(Fact, frozen=True):
    """A state that was loaded into a model had nothing for these tensors."""

    model: str
    tensors: Names
