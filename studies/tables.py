"""Cells as Markdown: matrices, the contradictions collected, the reasons for cells without a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from studies.cells import Cell, merged


class Reasons:
    """Numbers for the reasons of cells without a result, in the order in which they are met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, reason: str) -> int:
        """The number of a reason, a new one if it was not met before."""
        return self._numbers.setdefault(reason, len(self._numbers) + 1)

    def lines(self) -> list[str]:
        """The list of all reasons met."""
        return [f"{number}. {reason}" for reason, number in self._numbers.items()]


def matrix(cells: Sequence[Cell], situations: Sequence[str], reasons: Reasons, heading: str) -> list[str]:
    """A row for each subject, a column for each situation; backends are told apart where they differ."""
    subjects = sorted({cell.subject for cell in cells})
    rows = []
    for subject in subjects:
        of = [[each for each in cells if (each.subject, each.situation) == (subject, name)] for name in situations]
        if any(of):
            rows.append([subject, *(merged(each, lambda cell: said(cell, reasons)) for each in of)])
    return table([heading, *situations], rows)


def said(cell: Cell, reasons: Reasons) -> str:
    """``declared frozen · wired · moved`` of a cell, with the rules in bold, or the number of its reason."""
    if cell.refused:
        return f"[{reasons.number(cell.refused)}]"
    counts = f"{cell.frozen:,} · {cell.optimizers:,} · {cell.moved:,}"
    word = "" if cell.word == "agrees" else f" **{cell.word}**"
    return counts + word


def contradictions(cells: Iterable[Cell]) -> list[str]:
    """Cells whose bits did other than was declared, collected by what happened; each line names its subjects."""
    groups: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for cell in cells:
        if cell.contradicts and not cell.refused:
            how = "were frozen and moved" if cell.broken else "were to train and did not move"
            subjects = groups.setdefault((cell.situation, cell.word, how), {})
            subjects.setdefault(cell.subject, []).append(cell.backend)
    rows = []
    for (situation, word, how), subjects in groups.items():
        rows.append([situation, word, how, str(len(subjects)), _named(subjects)])
    return table(["situation", "rules", "parameters", "classes", "which (backends)"], rows) if rows else ["None."]


def losses(cells: Iterable[Cell]) -> list[str]:
    """Situations in which a backend raised and the weights were gone afterwards."""
    groups: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if "cannot be read" in cell.refused:
            groups.setdefault((cell.situation, cell.backend), []).append(cell.subject)
    return [
        f"- {situation}, {backend}: the step raises, and afterwards the weights of the model cannot be read, for "
        f"{len(subjects)} classes."
        for (situation, backend), subjects in groups.items()
    ]


def _named(subjects: dict[str, list[str]]) -> str:
    by_backends: dict[str, list[str]] = {}
    for subject, backends in subjects.items():
        by_backends.setdefault(", ".join(sorted(set(backends))), []).append(subject)
    return "; ".join(f"{', '.join(names)} ({backends})" for backends, names in by_backends.items())


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table."""
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def counted(cells: Sequence[Cell], tell: Callable[[Cell], bool]) -> int:
    """How many different subjects have a cell of which ``tell`` is true."""
    return len({cell.subject for cell in cells if tell(cell)})
