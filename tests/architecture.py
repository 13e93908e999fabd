"""The shape of the inside as figures, each beside its goal: ``python -m tests.architecture``."""

from __future__ import annotations

import ast
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.journey import MOST_CHANGES, MOST_FILES, STEPS, changes_of, handled
from corpus.running import Outcome
from tests import row_writers, test_frameworks
from tests.ledgers import stored
from tests.planted_changes import CHANGES, plant

from corpus import cases, judging

SOURCE = Path(__file__).parents[1] / "src"
PACKAGE = SOURCE / "frostline"
LAST_RUN = SOURCE.parent / ".pytest_cache/v/frostline/all_tests"  # tests/conftest.py writes it
MOST_MINUTES = 12
EXAMPLES = "causes.examples"  # scripts, and no modules
OUTSIDE = "frostline.checkpoints."  # the pickle machine there has one method for each operation


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the source; ``good`` says whether it is at its goal."""

    what: str
    found: str
    goal: str
    good: bool


def figures(source: Path = SOURCE) -> Iterator[Figure]:
    """Every figure that is read from the source below ``source``."""
    known = {name: file for name, file in test_frameworks.modules(source).items() if EXAMPLES not in name}
    edges = {name: test_frameworks.imported(file, known) - {name} for name, file in known.items()}
    circles = components(edges)
    names = "; ".join(" ↔ ".join(sorted(circle)) for circle in circles)
    yield Figure("import cycles, those of types included", f"{len(circles)} {names}".strip(), "0", not circles)
    writers = sorted(row_writers.writers(source / "frostline"))
    yield Figure("modules that write a row's attributes", f"{len(writers)}", "1", len(writers) == 1)
    observing = {name: len(each) for name, each in edges.items() if name.startswith("frostline.frameworks.")}
    widest = max(observing, key=lambda name: observing[name])
    yield Figure(
        "widest import fan-out in frameworks/", f"{observing[widest]} {widest}", "≤ 14", observing[widest] <= 14
    )
    broken = test_frameworks.violations(source)
    yield Figure("instruments that know another, and other breaches", f"{len(broken)}", "0", not broken)
    lines = {name: file.read_text("utf-8").count("\n") for name, file in known.items()}
    longest = [f"{name} {count}" for name, count in sorted(lines.items(), key=lambda each: -each[1]) if count > 350]
    yield Figure("source files over 350 lines", f"{len(longest)} {', '.join(longest)}".strip(), "0", not longest)
    inside = {name: file for name, file in known.items() if not name.startswith(OUTSIDE)}
    gods = [f"{name} {count}" for name, count in sorted(public_methods(inside).items()) if count > 15]
    yield Figure("classes of over 15 public methods", f"{len(gods)} {', '.join(gods)}".strip(), "0", not gods)
    middle = statistics.median(count for name, count in lines.items() if known[name].name != "__init__.py")
    yield Figure("median of a file's lines, lists of packages apart", f"{middle:.0f}", "80–150", 80 <= middle <= 150)
    folders = Counter(file.parent.relative_to(source).as_posix() for file in known.values())
    full = [f"{folder} {count}" for folder, count in folders.most_common() if count > 15]
    yield Figure("folders of over 15 files", f"{len(full)} {', '.join(full)}".strip(), "0", not full)


def public_methods(files: dict[str, Path]) -> dict[str, int]:
    """How many public methods, properties included, each class has."""
    return {
        f"{module}.{node.name}": sum(isinstance(each, ast.FunctionDef) and each.name[0] != "_" for each in node.body)
        for module, file in files.items()
        for node in ast.walk(test_frameworks.parsed(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }


def replay() -> Figure:
    """How long all stored ledgers take to be judged."""
    programs = [seen for shelf in stored.SHELVES for seen in stored.load(shelf)]
    started = time.process_time()
    for seen in programs:
        stored.judged(seen)
    seconds = time.process_time() - started
    return Figure(f"replay of {len(programs):,} stored programs, seconds", f"{seconds:.2f}", "≤ 2", seconds <= 2)


def corpus() -> Figure:
    """How many programs of the corpus are judged right, by what was stored of them."""
    trials = {trial.name: trial for trial in cases.trials(cases.load())}
    known = judging.gaps()
    good = alarms = count = 0
    for shelf in stored.SHELVES:
        for seen in stored.load(shelf):
            if (trial := trials.get(seen.program)) is None or seen.program in known:
                continue
            judgement = judging.judge(Outcome(trial, stored.record_of(seen), ""))
            count += 1
            good += judgement.good
            alarms += len(judgement.alarms)
    found = f"{good} of {count}, {alarms} false alarms"
    return Figure("corpus as it is stored, judged right", found, "all, 0", good == count > 0)


def journey() -> Iterator[Figure]:
    """One tensor on its way from the hook to the report."""
    files = handled()
    visited, changes = len(set(files)), changes_of(files)
    what = f"one tensor from hook to report, {STEPS} steps"
    yield Figure(f"{what}: files", f"{visited}", f"≤ {MOST_FILES}", visited <= MOST_FILES)
    yield Figure(f"{what}: changes of file", f"{changes}", f"≤ {MOST_CHANGES}", changes <= MOST_CHANGES)


def touched() -> Iterator[Figure]:
    """How many files what is added to the inside touches, in planted examples."""
    for change in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            files = plant(change, Path(folder))
        found = f"{len(files)} {', '.join(files)}"
        yield Figure(f"files touched by a new {change.what}", found, f"≤ {change.most}", len(files) <= change.most)


def all_tests(stored_at: Path = LAST_RUN) -> Figure:
    """How long the last run of all tests took, of those that were made here."""
    what, goal = "make test, last run here", f"≤ {MOST_MINUTES} min"
    if not stored_at.exists():
        return Figure(what, "none yet", goal, False)
    run = json.loads(stored_at.read_text("utf-8"))
    minutes, seconds = divmod(round(run["seconds"]), 60)
    took = f"{minutes} min {seconds} s for {run['passed']:,} tests"
    found = f"{took}; {run['cores']} cores, load before {run['load_before']:.1f}"
    return Figure(what, found, goal, run["seconds"] <= 60 * MOST_MINUTES)


def components(edges: dict[str, set[str]]) -> list[set[str]]:
    """The sets of modules that import each other by way of others."""
    reach = {name: _reached(name, edges) for name in edges}
    left, found = set(edges), []
    for name in sorted(edges):
        circle = {other for other in reach[name] & left if name in reach[other]}
        if name in left and circle:
            found.append(circle | {name})
        left -= circle | {name}
    return found


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    stack = list(edges[start])
    while stack:
        name = stack.pop()
        if name not in seen:
            seen.add(name)
            stack.extend(edges.get(name, ()))
    return seen


def main() -> None:
    """Print the table."""
    rows = [*figures(), corpus(), replay(), *journey(), *touched(), all_tests()]
    width = max(len(row.what) for row in rows)
    for row in rows:
        print(f"{'✓' if row.good else '✗'} {row.what:<{width}}  {row.goal:<7} {row.found}")
    sys.exit(0)


if __name__ == "__main__":
    main()
