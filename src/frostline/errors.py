"""Every error that frostline raises on purpose: a fact, and a hint that says what to do."""

from __future__ import annotations

from collections.abc import Iterable


class FrostlineError(Exception):
    """A plain failure of the tool or its input; the command line prints it in two lines and exits 2.

    Args:
        message: the fact.
        hint: what to do about it.

    Example:
        >>> print(FrostlineError("there is no file run.json", "give the record of a run"))
        there is no file run.json
        hint: give the record of a run
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class RecordError(FrostlineError):
    """A record file that is missing, truncated, foreign, or of another format version."""


class ObservationError(FrostlineError):
    """An error inside frostline hid what a process trained."""


class CheckpointError(FrostlineError):
    """A checkpoint file that cannot be read as what it claims to be."""


class UnknownFormat(CheckpointError):
    """A file that is no checkpoint of a format that is read."""


class UnknownName(FrostlineError):
    """A rule, tensor or option that does not exist; the hint names the nearest one that does."""

    @classmethod
    def among(cls, kind: str, name: str, known: Iterable[str]) -> UnknownName:
        """The error for ``name``, with a "did you mean" drawn from ``known``."""
        return cls(f"there is no {kind} '{name}'", did_you_mean(name, known))


class FindingsError(FrostlineError, AssertionError):
    """Raised by ``report.check()``: the findings, a paragraph each with its hint; ``hint`` is that of the first."""

    def __str__(self) -> str:
        return self.message


class EnoughSteps(SystemExit):
    """Ends the script, with exit status 0, after as many optimizer steps as were asked for."""

    def __init__(self, steps: int) -> None:
        super().__init__(0)
        self.by = f"--steps {steps}"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint naming up to three known names close to ``name``; empty when none is close.

    The dashes that all options begin with make none of them any closer.
    """
    import difflib  # only who mistypes pays for it

    bare = {each.lstrip("-"): each for each in known}
    close = [bare[each] for each in difflib.get_close_matches(name.lstrip("-"), bare)]
    return f"did you mean {', '.join(close)}?" if close else ""
