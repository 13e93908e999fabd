"""TrainCheck on a sample of the corpus: ``python -m bench.rivals.with_traincheck``, in .venv-rivals.

TrainCheck learns invariants from the trace of a healthy run and looks for violations in the trace of another. It gets
the best reference there can be: the same program with the bug fixed. What it learned there is asked of the program
with the bug, and of the fixed program under another seed, where nothing is wrong. Each program costs minutes of
processor time, so a sample is drawn; a program's result is kept as soon as it is there.

Source: Jiang et al., "Training with Confidence: Catching Silent Errors in Deep Learning Training with Automated
Proactive Checks", OSDI 2025.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import re
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from corpus.cases import Case, load
from corpus.running import prepare

RESULTS = Path(__file__).with_name("traincheck.json")
COMMANDS = Path(sys.executable).parent
TIMEOUT = 600
SEED = re.compile(r"manual_seed\(\d+\)")


class NoResultError(Exception):
    """One of TrainCheck's commands did not do its part; the message says which, and how it ended."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
@click.option("--sample", default=20, show_default=True, help="How many programs, drawn by chance but always the same.")
def main(names: Sequence[str], sample: int) -> None:
    """Ask TrainCheck about programs of the corpus; NAMES are parts of names, a sample without one."""
    prepare()
    kept: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"programs": {}}
    for case in chosen(load(), names, sample):
        if case.name in kept["programs"] and not names:
            continue
        started = time.perf_counter()
        result = asked(case)
        kept |= {"date": date.today().isoformat(), "version": version("traincheck")}
        kept["programs"][case.name] = result | {"seconds": round(time.perf_counter() - started)}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
        click.echo(f"{case.name}  {result}")


def chosen(everything: Sequence[Case], names: Sequence[str], sample: int) -> list[Case]:
    """The programs with a bug that run PyTorch in one process: those named, or the sample."""
    able = [case for case in everything if _able(case)]
    if names:
        return [case for case in able if any(name in case.name for name in names)]
    able.sort(key=lambda case: case.name)
    random.Random(0).shuffle(able)
    return able[:sample]


def _able(case: Case) -> bool:
    return case.kind == "bug" and case.framework == "torch" and case.processes == 1 and not case.missing()


def asked(case: Case) -> dict[str, Any]:
    """How many invariants the fixed program gave, and how many of them each other run violated.

    Returns:
        ``invariants``; ``bug`` and ``healthy``, the numbers violated; ``said``, the first few; or ``problem``.
    """
    assert case.path is not None
    fixed = case.path.with_name(f"{case.path.stem}.fixed.py")
    with tempfile.TemporaryDirectory(prefix="traincheck-") as name:
        folder = Path(name)
        # It writes beside the script that it is given, so it gets copies.
        reference, program, reseeded = (folder / f"{role}.py" for role in ("reference", "program", "reseeded"))
        reference.write_text(fixed.read_text())
        program.write_text(case.path.read_text())
        reseeded.write_text(other_seed(fixed.read_text()))
        try:
            learned = _learned(_collected(reference, folder / "learned"), folder / "invariants.json")
            bug = _violated(_collected(program, folder / "bug"), learned)
            healthy = _violated(_collected(reseeded, folder / "healthy"), learned)
        except NoResultError as error:
            return {"problem": str(error)}
        count = len(learned.read_text().splitlines())
    return {"invariants": count, "bug": len(bug), "healthy": len(healthy), "said": [*dict.fromkeys(bug)][:3]}


def other_seed(source: str) -> str:
    """The program with another seed; the source where it sets none, which then draws other numbers by itself."""
    return SEED.sub("manual_seed(1234)", source)


def _collected(script: Path, folder: Path) -> Path:
    models = _models(script)
    if not models:
        raise NoResultError("no model among the script's variables")
    _command("collect", "-p", str(script), "--models-to-track", *models, "--output-dir", str(folder))
    return folder


def _learned(reference: Path, output: Path) -> Path:
    _command("infer", "-f", str(reference), "-o", str(output))
    return output


def _violated(trace: Path, learned: Path) -> list[str]:
    results = trace.with_name(f"{trace.name}-checked")
    _command("check", "-f", str(trace), "-i", str(learned), "-o", str(results), "--no-html-report")
    failed = next(results.rglob("failed.log"), None)
    return [] if failed is None else [entry["invariant"]["text_description"] for entry in entries(failed.read_text())]


def _command(word: str, *arguments: str) -> None:
    """One of its commands, quietly, in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="traincheck-") as folder:
        try:
            ended = subprocess.run(
                [str(COMMANDS / f"traincheck-{word}"), *arguments],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NoResultError(f"{word} took more than {TIMEOUT} s") from None
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or [""])[-1]
        raise NoResultError(f"{word} ended with {ended.returncode}: {last}"[:200])


def entries(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a file that holds one after the other."""
    decoder, position = json.JSONDecoder(), 0
    while (position := text.find("{", position)) >= 0:
        entry, position = decoder.raw_decode(text, position)
        yield entry


def _models(script: Path) -> list[str]:
    """The script's own variables that hold a model, which TrainCheck wants to be told."""
    context = multiprocessing.get_context("forkserver")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_look, args=(str(script), sender))
    process.start()
    sender.close()
    try:
        return list(receiver.recv())
    except EOFError:
        return []
    finally:
        process.join()


def _look(script: str, sender: Any) -> None:
    import torch

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as quiet, redirect_stdout(quiet):
        os.chdir(folder)
        sys.argv = [script]
        found = runpy.run_path(script, run_name="__main__")
    sender.send([name for name, value in found.items() if isinstance(value, torch.nn.Module)])


if __name__ == "__main__":
    main()
