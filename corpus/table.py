"""The results as a table, for the terminal and for the documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from corpus import blind, rivals
from corpus.cases import load
from corpus.judging import Gap, Judgement

_STYLES = {"right": "green", "quiet": "green", "other": "yellow", "late": "yellow"}


def details(judgements: Sequence[Judgement], known: dict[str, Gap]) -> Table:
    """A row for each bug and for each other trial that is not quiet."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("program", "result", "found"):
        table.add_column(title)
    for title in ("step", "s"):
        table.add_column(title, justify="right")
    for judgement in judgements:
        if judgement.trial.role == "bug" or not judgement.good:
            table.add_row(*_row(judgement, known))
    return table


def totals(judgements: Sequence[Judgement]) -> Table:
    """One row for each framework: how many of each result."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("framework", *_HEADINGS):
        table.add_column(title, justify="left" if title == "framework" else "right")
    for framework, counts in _counts(judgements).items():
        table.add_row(framework, *map(str, counts))
    return table


def markdown(judgements: Sequence[Judgement], known: dict[str, Gap], former: str = "") -> str:
    """The page of the documentation: totals, every bug, and the known gaps with their reasons.

    Args:
        judgements: of this run.
        known: the gaps.
        former: the page as it stands; the lines of frameworks that were not run now are taken over from it.
    """
    run = {judgement.trial.case.framework for judgement in judgements}
    former = former.partition("\n## ")[0]  # the tables below are of other tools
    of_programs = {case.name: case.framework for case in load()}
    kept = [line for line in former.splitlines() if _framework(line, of_programs) not in (None, *run)]
    lines = [
        "# The corpus",
        "",
        "Written by `python -m corpus --write docs/corpus.md`; every line was run. frostline grew on these",
        "programs; [below](#who-wrote-these-programs-and-what-they-are-worth) stands what it made of unknown bugs.",
        "",
        f"| framework | {' | '.join(_HEADINGS)} |",
        f"| --- |{' ---: |' * len(_HEADINGS)}",
    ]
    counted = [f"| {name} | {' | '.join(map(str, counts))} |" for name, counts in _counts(judgements).items()]
    lines += sorted(counted + [line for line in kept if not line.startswith("| bugs/")])
    lines += ["", "| program | what is wrong | found | step | report |", "| --- | --- | --- | ---: | --- |"]
    programs = [line for line in kept if line.startswith("| bugs/")]
    for judgement in judgements:
        if judgement.trial.role == "bug" and not judgement.trial.variant:
            case = judgement.trial.case
            link = f"[report]({case.report})" if case.report else ""
            found = ", ".join(judgement.found) if judgement.good else f"**{judgement.summary}**"
            seen = "" if judgement.seen is None else judgement.seen
            programs.append(f"| {judgement.trial.name} | {case.title} | {found} | {seen} | {link} |")
    lines += sorted(programs)
    lines += blind.markdown() + rivals.markdown() + rivals.traincheck()
    if known:
        lines += ["", "## Known gaps", ""]
        lines += [f"- `{gap.trial}`: {gap.reason}" for gap in known.values()]
    return "\n".join(lines) + "\n"


def _framework(line: str, of_programs: Mapping[str, str]) -> str | None:
    """The framework of a line of totals, or of a program's; None of any other."""
    first = re.match(r"\| ([\w/]+)", line)
    name = first[1] if first else ""
    return name if name in of_programs.values() else of_programs.get(name)


_HEADINGS = ("right cause", "another cause", "missed", "twins quiet", "healthy quiet", "alarms", "failed", "seconds")


def _counts(judgements: Sequence[Judgement]) -> dict[str, list[int]]:
    counts = {}
    for framework in sorted({judgement.trial.case.framework for judgement in judgements}):
        of = [judgement for judgement in judgements if judgement.trial.case.framework == framework]
        counts[framework] = [
            sum(judgement.word == "right" for judgement in of),
            sum(judgement.word == "other" for judgement in of),
            sum(judgement.word == "missed" for judgement in of),
            sum(judgement.word == "quiet" and judgement.trial.role == "fixed" for judgement in of),
            sum(judgement.word == "quiet" and judgement.trial.role == "clean" for judgement in of),
            sum(bool(judgement.alarms) for judgement in of),
            sum(judgement.word == "failed" for judgement in of),
            round(sum(judgement.seconds for judgement in of)),
        ]
    return counts


def _row(judgement: Judgement, known: dict[str, Gap]) -> list[Text]:
    word = "late" if judgement.late else judgement.word
    result = Text(word, _STYLES.get(word, "red"))
    if judgement.trial.name in known:
        result.append(" (known)", "dim")
    found = ", ".join(judgement.found) or judgement.problem or "nothing"
    seen = "" if judgement.seen is None else str(judgement.seen)
    return [Text(judgement.trial.name), result, Text(found), Text(seen), Text(f"{judgement.seconds:.1f}")]
