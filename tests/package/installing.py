"""The wheel in empty environments: what type checkers make of it, and a first training with one framework alone."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.package.building import ROOT

HERE = Path(__file__).parent
TYPED, MISTYPED = HERE / "typed_user.py", HERE / "mistyped_user.py"
_MISTAKES = "2 errors"  # in MISTYPED, as both checkers count them


@dataclass(frozen=True)
class FirstRun:
    """What is installed beside frostline, the command that is run, and what its output must say."""

    requires: tuple[str, ...]
    command: tuple[str, ...]
    says: str


FIRST_RUNS = {
    "torch": FirstRun(("torch",), ("run", str(HERE / "first_runs" / "with_torch.py")), "F107"),
    "flax": FirstRun(("flax",), ("demo", "--backend", "flax"), "no contradiction found"),
    "keras": FirstRun(("keras", "jax"), ("demo", "--backend", "jax"), "frozen-flag-not-inherited"),
}


def first_run(python: str, wheel: Path, name: str) -> bool:
    """Whether a training with this framework alone is observed, reported and drawn as a page."""
    wanted = FIRST_RUNS[name]
    with environment(python, wheel, *wanted.requires) as (bin, folder):
        stored = ("--data", "run.json")
        said = _output([bin / "frostline", wanted.command[0], *stored, *wanted.command[1:]], folder)
        _output([bin / "frostline", "report", "run.json", "--html", "run.html"], folder)
        return wanted.says in said and "<html" in (folder / "run.html").read_text("utf-8")


def types(python: str, wheel: Path) -> bool:
    """Whether mypy and pyright accept what a user writes, and find both things that another got wrong."""
    with environment(python, wheel) as (bin, folder):
        installed = str(bin / "python")
        checkers = (["mypy", "--strict", "--python-executable", installed], ["pyright", "--pythonpath", installed])
        commands = [[sys.executable, "-m", *checker] for checker in checkers]
        accepted = [_output([*command, TYPED], folder) for command in commands]
        found = [_output([*command, MISTYPED], folder) for command in commands]
        return all("error:" not in each for each in accepted) and all(_MISTAKES in each for each in found)


@contextmanager
def environment(python: str, wheel: Path, *requires: str) -> Iterator[tuple[Path, Path]]:
    """The bin folder of an environment that holds the wheel and ``requires`` alone, and an empty folder to work in."""
    with tempfile.TemporaryDirectory(prefix="frostline-release-") as name:
        folder = Path(name)
        subprocess.run([python, "-m", "venv", folder / "environment"], check=True)
        bin = folder / "environment" / "bin"
        pip = [bin / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
        for each in (*requires, wheel):  # torch by itself: the constraints choose its build
            subprocess.run([*pip, each], check=True)
        work = folder / "work"
        work.mkdir()
        yield bin, work


def _output(command: list[str | Path], folder: Path) -> str:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FROSTLINE"))}
    done = subprocess.run(
        command, cwd=folder, env=outside, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    print(done.stdout, end="" if done.returncode == 0 else f"\n{command} left with {done.returncode}\n")
    return done.stdout
