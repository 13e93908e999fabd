"""Runs the rivals over the corpus: ``python -m bench.rivals [NAMES]``, from the repository's root, in .venv-rivals."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from bench.rivals.complaint import Complaint, absent, reading
from bench.rivals.playing import play
from bench.rivals.rival import Rival
from bench.rivals.with_keras_summary import KerasSummary, play_keras
from bench.rivals.with_peft import Peft
from bench.rivals.with_pytest_torch import PytestTorch
from bench.rivals.with_torcheck import Torcheck
from bench.rivals.with_torchinfo import Torchinfo
from bench.rivals.with_torchtest import Torchtest
from bench.rivals.with_torchtest2 import Torchtest2
from corpus.cases import Trial, load, trials
from corpus.running import in_fork, prepare
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

RESULTS = Path(__file__).with_name("results.json")
RIVALS: tuple[Rival, ...] = (PytestTorch(), Torchtest2(), Torcheck(), Torchtest(), Peft(), Torchinfo(), KerasSummary())
TIMEOUT = 300


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--jobs", default=2, show_default=True, help="Programs that run at a time.")
@click.option(
    "--write",
    is_flag=True,
    help="Keep the results in bench/rivals/results.json, for docs/corpus.md; programs that are not run keep theirs.",
)
def main(names: Sequence[str], jobs: int, write: bool) -> None:
    """Run the rivals on programs of the corpus; NAMES are parts or patterns of names, all without one."""
    everything = once(trials(load()))
    chosen = [trial for trial in everything if trial.is_among(names)]
    runnable = [trial for trial in chosen if not trial.case.missing()]
    who = header()
    results = list(_played(runnable, jobs))
    for result in results:
        said = "  ".join(f"{rival}: {word}" for rival, word in result["words"].items())
        click.echo(f"{result['program']}  {said}")
    if write:
        former = json.loads(RESULTS.read_text())["programs"] if names and RESULTS.exists() else []
        kept = {result["program"]: result for result in [*former, *results]}
        ordered = [kept[name] for trial in everything if (name := _program(trial)) in kept]
        RESULTS.write_text(json.dumps({**who, "programs": ordered}, indent=1) + "\n")


def once(everything: Sequence[Trial]) -> list[Trial]:
    """Each program once: of several backends, the first."""
    return list({trial.script: trial for trial in reversed(everything)}.values())[::-1]


def header() -> dict[str, Any]:
    """Who is run, in which version and when."""
    return {
        "date": date.today().isoformat(),
        "torch": version("torch"),
        "rivals": [
            {"name": one.name, "version": one.version, "looks_at": one.looks_at, "used": one.used} for one in RIVALS
        ],
    }


def _program(trial: Trial) -> str:
    """The program's name without the backend, of which one is run."""
    return trial.name.partition("[")[0]


def _played(chosen: Sequence[Trial], jobs: int) -> Iterator[dict[str, Any]]:
    prepare()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress, ThreadPoolExecutor(jobs) as pool:
        task = progress.add_task("rivals", total=len(chosen))
        for trial, answer, seconds in pool.map(_one, chosen):
            progress.update(task, advance=1, description=trial.name[:48])
            words, reasons = _words(trial, answer)
            yield {
                "program": _program(trial),
                "framework": trial.case.framework,
                "role": trial.role,
                "words": words,
                "reasons": reasons,
                "seconds": round(seconds, 1),
            }


def _one(trial: Trial) -> tuple[Trial, dict[str, Any], float]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="rivals-") as folder:
        out = Path(folder) / "said.json"
        if trial.case.framework == "keras":
            play_keras(trial, str(out))
        else:
            rivals = [rival for rival in RIVALS if rival.framework == "torch"]
            in_fork(play, (trial, rivals, str(out)), TIMEOUT)
        answer = json.loads(out.read_text()) if out.exists() else {"looks": [], "problem": "it ran out of time"}
    return trial, answer, time.perf_counter() - started


def _words(trial: Trial, answer: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """For each rival of this framework the word, and what it said or why it could not look."""
    words, reasons = {}, {}
    for rival in RIVALS:
        if rival.framework != trial.case.framework:
            continue
        looks = [look for look in answer["looks"] if look["rival"] == rival.name]
        said = [_complaint(one) for look in looks for one in look["said"]]
        if absent(trial) and any(one.shown for one in said):
            said = [Complaint("the layer is not in the table")]
        if not looks or not any(look["said"] or not look["problem"] for look in looks):
            words[rival.name] = "cannot look"
            reasons[rival.name] = next((look["problem"] for look in looks), answer["problem"] or "no optimizer step")
            continue
        words[rival.name] = reading(trial, said)
        loud = [one.text for one in said if one.text]
        if loud and words[rival.name] in ("found", "alarm", "elsewhere"):
            reasons[rival.name] = loud[0][:160]
    return words, reasons


def _complaint(data: dict[str, Any]) -> Complaint:
    return Complaint(data["text"], tuple(data["tensors"]), data["loud"], data["shown"])


if __name__ == "__main__":
    sys.exit(main())
