"""The shape of the inside, read from the source: facts are the only way into a row, and the fold writes it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from bench.journey import MOST_CHANGES, MOST_FILES
from tests.architecture import all_tests, corpus, figures
from tests.ledgers import stored
from tests.planted_changes import CHANGES, Change, plant, shown
from tests.row_writers import writers

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "frostline"


def test_the_fold_alone_writes_rows() -> None:
    assert set(writers(SOURCE)) == {"core/fold.py"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("observe/tensor_state.py", "watched.row.zeros = True"),
        ("observe/tensor_state.py", "row.declared.flip_count += 1"),
        ("observe/holdings.py", "holding.lr, holding.state = (0.1, None)"),
        ("laws/causes/frozen/in_step.py", "row.changed.movements.append(None)"),
        ("run/session.py", "row.unknown['saved'] = 'because'"),
    ],
)
def test_a_planted_write_is_found(file: str, line: str, tmp_path: Path) -> None:
    planted = tmp_path / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    code = (SOURCE / file).read_text("utf-8")
    planted.write_text(f"{code}\ndef planted(watched, row, wire, tensor):\n    {line}\n", "utf-8")
    assert set(writers(tmp_path)[file]) == {line}


def test_the_figures_of_the_inside_are_at_their_goals() -> None:
    """``make architecture`` prints them."""
    assert [f"{figure.what}: {figure.found}" for figure in figures() if not figure.good] == []


def test_one_tensor_goes_through_few_files() -> None:
    """In a process of its own: what other tests left there has no part in it."""
    count = "from bench.journey import *; files = handled(); print(len(set(files)), changes_of(files))"
    printed = subprocess.run([sys.executable, "-c", count], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    visited, changes = map(int, printed.split())
    assert visited <= MOST_FILES
    assert changes <= MOST_CHANGES


def test_what_is_stored_of_the_corpus_is_judged_right() -> None:
    assert corpus().good, corpus().found


def test_a_bug_that_is_no_longer_found_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "SHELVES", ("tf_keras",))
    before = corpus()
    judged = stored.record_of
    monkeypatch.setattr(stored, "record_of", lambda seen: replace(judged(seen), findings=[]))
    assert (before.good, corpus().good) == (True, False)


@pytest.mark.parametrize(
    ("file", "code", "what"),
    [
        ("core/record.py", "from frostline.judging import judged\n", "import cycles, those of types included"),
        ("core/patience.py", "A = 1\n" * 400, "source files over 350 lines"),
        (
            "observe/observer.py",
            "class All:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(16)),
            "classes of over 15 public methods",
        ),
        (
            "frameworks/torch/context.py",
            "from frostline.frameworks.jax import attach\n",
            "instruments that know another",
        ),
    ],
)
def test_a_planted_breach_is_counted(file: str, code: str, what: str, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "frostline", ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "frostline" / file
    path.write_text((path.read_text("utf-8") if path.exists() else "") + code)
    before = {figure.what: figure.found for figure in figures()}
    after = {figure.what: figure.found for figure in figures(tmp_path)}
    assert [name for name in after if after[name] != before[name] and name.startswith(what)]


@pytest.mark.parametrize(("seconds", "good"), [(719.6, True), (721, False)])
def test_the_time_of_all_tests_is_read_from_their_last_run(seconds: float, good: bool, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert (all_tests(run).found, all_tests(run).good) == ("none yet", False)
    run.write_text(f'{{"seconds": {seconds}, "passed": 9, "cores": 2, "load_before": 0.5}}')
    assert all_tests(run).good is good
    assert all_tests(run).found.startswith("12 min")


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_what_is_added_touches_few_files_and_works(change: Change, tmp_path: Path) -> None:
    assert len(plant(change, tmp_path)) <= change.most
    assert shown(change, tmp_path) == change.prints
