"""A cell: what one trial of a study showed, as plain data, and the word that it gets in a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

AGREES = "agrees"


@dataclass(slots=True)
class Cell:
    """One subject in one situation on one backend.

    ``held`` numbers were to stay as they are, ``frozen`` of all are declared so, ``wired`` to a step and ``moved``;
    ``broken`` of those held moved all the same, ``idle`` of the trainable ones did not. ``state`` counts numbers of
    random generators, which move whatever is frozen. ``rules`` are codes of findings that name a tensor in
    contradiction, ``notes`` those of the others. ``refused`` is why there is no result, ``doubts`` are what no
    finding explains, or findings that no contradiction explains.
    """

    subject: str
    situation: str
    backend: str = ""
    size: int = 0
    held: int = 0
    frozen: int = 0
    optimizers: int = 0
    moved: int = 0
    broken: int = 0
    idle: int = 0
    state: int = 0
    rules: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refused: str = ""
    doubts: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """``agrees``, the rules that name the contradiction, or that it is not explained."""
        if self.doubts:
            return "unexplained"
        if self.refused:
            return "refused"
        return " ".join(self.rules) or (" ".join(self.notes) if self.contradicts else AGREES)

    @property
    def contradicts(self) -> bool:
        """Whether the bits did other than what was declared."""
        return bool(self.broken or self.idle or self.doubts)

    def as_data(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


def first_line(error: BaseException) -> str:
    """What an exception says, in one line that fits a table: its type, and the beginning of its message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = " ".join(lines[1:2] if lines and lines[0].startswith("Exception encountered") and lines[1:] else lines[:1])
    text = text.replace("|", "/").replace("\x1b[1m", "").replace("\x1b[0m", "")
    return f"{type(error).__name__}: {text[:140]}".rstrip(": ")


def merged(cells: Iterable[Cell], text: Any) -> str:
    """What ``text`` says of each cell, with the backends named where they differ."""
    said: dict[str, list[str]] = {}
    for cell in cells:
        said.setdefault(text(cell), []).append(cell.backend)
    if len(said) <= 1:
        return next(iter(said), "")
    return "<br>".join(f"{', '.join(backends)}: {words}" for words, backends in said.items())
