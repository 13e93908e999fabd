"""Makes what a release consists of, and tries it as strangers would: ``python -m tests.package``; uploads nothing.

The wheel and the source archive are built twice and must be equal bit for bit; strict checkers read them; then the
wheel is installed into empty environments, where types are checked and a first training runs with one framework alone.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.package.building import ROOT, archives, build, epoch
from tests.package.installing import FIRST_RUNS, first_run, types

DIST = ROOT / "dist"
CHECKERS = (["twine", "check", "--strict"], ["check_wheel_contents"], ["pyroma", "-n", "10"])  # each for its archives


class Refused(SystemExit):
    """A step of the release that does not hold."""


def main() -> None:
    """Build, check, install, run; each step says what it found, the first that fails ends it with status 1."""
    parser = argparse.ArgumentParser(prog="make release")
    parser.add_argument("--python", nargs="*", default=[sys.executable], help="interpreters to install it into")
    parser.add_argument(
        "--only", nargs="*", default=list(FIRST_RUNS), choices=FIRST_RUNS, help="frameworks to run with"
    )
    chosen = parser.parse_args()
    wheel, source = built_twice()
    checked(wheel, source)
    for python in filter(_is_there, chosen.python):
        _step(f"{python}: types, as mypy and pyright read them", lambda python=python: types(python, wheel))
        for name in chosen.only:
            _step(f"{python}: nothing but {name}", lambda python=python, name=name: first_run(python, wheel, name))
    print(f"built in {DIST}; nothing was uploaded. twine upload dist/* does so, once CHANGELOG.md has its date")
    if "example.org" in (ROOT / "pyproject.toml").read_text("utf-8"):
        print("before that: the addresses of pyproject.toml are those of an example; tests/package names all places")


def built_twice() -> tuple[Path, Path]:
    """The wheel and the source archive in dist/, which a second build gives bit for bit."""
    shutil.rmtree(DIST, ignore_errors=True)
    time = epoch()
    build(DIST, time)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), time)
        again = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    _step("two builds are equal", lambda: again == {path.name: path.read_bytes() for path in DIST.iterdir()})
    return archives(DIST)


def checked(wheel: Path, source: Path) -> None:
    """Pass both to the strict checkers."""
    for checker, files in zip(CHECKERS, ([wheel, source], [wheel], [source]), strict=True):
        command = [sys.executable, "-m", *checker, *files]
        _step(checker[0], lambda command=command: subprocess.run(command, cwd=ROOT).returncode == 0)


def _is_there(python: str) -> bool:
    there = shutil.which(python) is not None
    if not there:
        print(f"SKIPPED: there is no {python} here", flush=True)
    return there


def _step(name: str, holds: Callable[[], bool]) -> None:
    if not holds():
        raise Refused(f"FAILED: {name}")
    print(f"ok: {name}", flush=True)


if __name__ == "__main__":
    main()
