"""What other tools made of the same programs: read from what ``make rivals`` kept, and set beside ours."""

from __future__ import annotations

import json
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
TRAINCHECK = """
TrainCheck 0.2.0 was not run on the corpus: collecting the trace of one reference program of four epochs took 35 s of
processor time, and a comparison wants several references and a trace of each program. Its authors' figures (OSDI 2025):
18 of 20 errors found, the exact cause in 10, under 2 % false positives after learning from 5 to 6 reference programs,
overhead 1.048× (median) to 1.362× (worst)."""
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
    return [*lines, *TRAINCHECK.splitlines()]


def _words(programs: Sequence[dict[str, Any]], rival: str, *, bug: bool) -> list[str]:
    return [
        program["words"][rival]
        for program in programs
        if rival in program["words"] and (program["role"] == "bug") is bug
    ]
