"""What other tools made of the same programs: read from what ``make rivals`` kept, and set beside ours."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "bench" / "rivals" / "results.json"
INTRODUCTION = """\
Run on {date} with torch {torch} by `make rivals`, each as its documentation says, with the most favourable reading: one
right tensor named is *found*, whatever cause is given; a warning counts for a tool in a program with a bug, and not
against it in a healthy one. Tools that want a model, an optimizer and a batch get those of the unchanged script at each
optimizer's first step, and again at its end. torchinfo, PEFT and Keras print flags, judge nothing: *found* means that
a reader who knows what was meant can see it there."""
SAMPLED = RESULTS.with_name("traincheck.json")
TRAINCHECK = """\
TrainCheck {version} learns what always holds in the trace of a healthy run, and looks where that is violated in another
one. `python -m bench.rivals.with_traincheck` gave it the best reference there can be: the same program with the bug
fixed. What it had learned there was asked of the program with the bug, and of the fixed program under another seed,
where nothing is wrong. One program takes {seconds} s, so this is a sample of {programs}, drawn by chance ({date})."""
TRAINCHECK_SUM = """\
Something is violated in {told} of {asked} programs with a bug, and in {alarmed} of {asked} healthy ones. A violation
names a call and what it does to tensors of a type, no tensor. Its authors' figures (OSDI 2025): 18 of 20 errors found,
the exact cause in 10, under 2 % false positives after learning from 5 to 6 reference programs, overhead 1.048× (median)
to 1.362× (worst)."""
WORDS = ("found", "elsewhere", "missed", "cannot look")


def markdown(path: Path = RESULTS) -> list[str]:
    """The lines of the documentation's section; none where the rivals were never run."""
    if not path.exists():
        return []
    kept: dict[str, Any] = json.loads(path.read_text())
    lines = [
        "",
        "## Other tools on the same programs",
        "",
        *INTRODUCTION.format(**kept).splitlines(),
        "",
        "| tool | sees | bugs: found | other tensor | missed | cannot look | healthy: quiet | alarm | cannot look |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for rival in kept["rivals"]:
        bugs = _words(kept["programs"], rival["name"], bug=True)
        healthy = _words(kept["programs"], rival["name"], bug=False)
        if bugs or healthy:
            counts = [bugs.count(word) for word in WORDS]
            counts += [healthy.count(word) for word in ("quiet", "alarm", "cannot look")]
            cells = " | ".join(map(str, counts))
            lines.append(f"| {rival['name']} {rival['version']} | {rival['looks_at']} | {cells} |")
    return lines


def traincheck(path: Path = SAMPLED) -> list[str]:
    """The lines on TrainCheck, which was asked about a sample; none where it was never run."""
    if not path.exists():
        return []
    kept: dict[str, Any] = json.loads(path.read_text())
    programs: dict[str, dict[str, Any]] = kept["programs"]
    seconds = round(statistics.median(program["seconds"] for program in programs.values()))
    asked = [program for program in programs.values() if "problem" not in program]
    told, alarmed = (sum(program[run] > 0 for program in asked) for run in ("bug", "healthy"))
    return [
        "",
        *TRAINCHECK.format(**kept | {"seconds": seconds, "programs": len(programs)}).splitlines(),
        "",
        "| program | invariants learned | violated with the bug | violated without, under another seed |",
        "| --- | ---: | ---: | ---: |",
        *(_sampled(name, program) for name, program in sorted(programs.items())),
        "",
        *TRAINCHECK_SUM.format(told=told, asked=len(asked), alarmed=alarmed).splitlines(),
    ]


def _sampled(name: str, program: dict[str, Any]) -> str:
    if problem := program.get("problem"):
        return f"| {name} | {problem.partition(':')[0]} | | |"
    return f"| {name} | {program['invariants']} | {program['bug']} | {program['healthy']} |"


def _words(programs: Sequence[dict[str, Any]], rival: str, *, bug: bool) -> list[str]:
    return [
        program["words"][rival]
        for program in programs
        if rival in program["words"] and (program["role"] == "bug") is bug
    ]
