"""Plants faults one by one and says which of them no test notices: ``python -m tests.mutants --sample 200``."""

from __future__ import annotations

import argparse
import ast
import os
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutants.faults import Fault, faults
from tests.mutants.forks import Runs, learn, try_fault, warm

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "frostline"
EXAMPLES = "tests/test_doctests.py::test_examples_that_need_no_framework"
TESTS = {
    "core": ("tests/core", "tests/ledgers", "tests/observe", EXAMPLES),
    "digest": ("tests/digest", "tests/observe", EXAMPLES),
    "observe": ("tests/observe", "tests/torch_instruments", "tests/saved/test_torch_saves.py", EXAMPLES),
    "laws": ("tests/ledgers", "tests/laws", "tests/causes", EXAMPLES),
}
NOT_HERE = (
    "--ignore=tests/digest/test_triton_blocks.py",  # compiles kernels
    "--ignore=tests/causes/test_examples.py",  # trains
)
WARM = ("numpy", "msgspec", "hypothesis", "coverage", "torch", "rich", "click", "wrapt")
GOAL = 90  # per cent


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault of a file, by its number among those of the file."""

    file: Path
    number: int
    fault: Fault

    @property
    def module(self) -> str:
        root = max((path for path in sys.path if path and self.file.is_relative_to(path)), key=len)
        parts = self.file.relative_to(root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def name(self) -> str:
        """The file's, as it is given on the command line."""
        return str(self.file.relative_to(PACKAGE) if self.file.is_relative_to(PACKAGE) else self.file)

    def is_listed(self, entries: Sequence[dict[str, Any]]) -> bool:
        """Whether one of the entries says why nothing can notice it."""
        place, change = (self.name, self.fault.inside), f"{self.fault.was} → {self.fault.now}"
        return any(place == (entry["file"], entry["in"]) and change in entry["changes"] for entry in entries)

    def __str__(self) -> str:
        fault = self.fault
        return f"  {f'{self.name}:{fault.line} {fault.inside}'.rstrip()}: {fault.was} → {fault.now}"


def planted(files: Sequence[Path]) -> list[Planted]:
    trees = {file: ast.parse(file.read_text("utf-8")) for file in files}
    return [Planted(file, number, fault) for file, tree in trees.items() for number, fault in enumerate(faults(tree))]


def survivors(chosen: Sequence[Planted], runs: Runs, jobs: int) -> list[Planted]:
    """Those that no test notices, of all that were chosen; each is tried in a process of its own."""
    living, running = [], {}
    queue = list(chosen)[::-1]
    while queue or running:
        while queue and len(running) < jobs:
            each = queue.pop()
            tests = runs.noticing(str(each.file), each.fault)
            if tests:
                running[try_fault(each.module, each.file, each.number, tests, runs)] = each
            else:
                living.append(each)
                print(f"{each}  (no test runs it)", flush=True)
        if running:
            pid, status = os.wait()
            each = running.pop(pid)
            if os.waitstatus_to_exitcode(status) == 0:
                living.append(each)
                print(each, flush=True)
    return living


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    entries = tomllib.loads(options.equivalents.read_text("utf-8")).get("equivalent", [])
    chosen = [each for each in planted(options.file) if not each.is_listed(entries)]
    if options.sample is not None:
        chosen = random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))
    chosen.sort(key=lambda each: (each.file, each.number))

    warm(() if options.tests else WARM)
    runs = learn(options.tests or _tests(options.file), [str(file) for file in options.file])
    living = survivors(chosen, runs, options.jobs)
    return _tell(chosen, living, sum(len(entry["changes"]) for entry in entries))


def _tests(files: Sequence[Path]) -> list[str]:
    """Those that concern the files, and what to leave out of them."""
    folders = sorted({file.relative_to(PACKAGE).parts[0] for file in files})
    wanted = dict.fromkeys(test for folder in folders for test in TESTS[folder])
    return [*(test for test in wanted if (ROOT / test.partition("::")[0]).exists()), *NOT_HERE]


def _tell(chosen: Sequence[Planted], living: Sequence[Planted], listed: int) -> int:
    all_of, living_of = (Counter(each.file for each in some) for some in (chosen, living))
    for file, count in all_of.items():
        killed = count - living_of[file]
        name = next(each.name for each in chosen if each.file == file)
        print(f"{name:32} {killed:5} of {count:5} noticed ({100 * killed / count:3.0f} %)")
    share = 100 * (len(chosen) - len(living)) / max(1, len(chosen))
    print(
        f"{len(living)} of {len(chosen)} faults live; {share:.1f} % noticed; {listed} equivalent ones are not counted"
    )
    return 0 if share >= GOAL else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    everything = [
        file for folder in TESTS for file in sorted((PACKAGE / folder).rglob("*.py")) if file.parent.name != "examples"
    ]
    parser.add_argument("--file", nargs="+", type=_file, default=everything, help="as core/verdict.py; default: all")
    parser.add_argument("--tests", nargs="+", help="default: those that concern the files")
    parser.add_argument("--sample", type=int, help="try so many, chosen at random")
    parser.add_argument("--seed", type=int, default=0, help="of that choice")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--equivalents", type=Path, default=Path(__file__).with_name("equivalents.toml"))
    return parser


def _file(text: str) -> Path:
    for file in (PACKAGE / text, Path(text).resolve()):
        if file.is_file():
            return file
    raise argparse.ArgumentTypeError(f"there is no {text} in {PACKAGE} or here")


if __name__ == "__main__":
    sys.exit(main())
