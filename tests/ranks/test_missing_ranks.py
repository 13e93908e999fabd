"""No false completeness: what is not known of a run's processes is named, and is no verdict."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_exit_status import launched
from test_ranks import combined, parts

from frostline.core.ledger import OptimizerRow
from frostline.core.record import Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import store
from frostline.core.suppressions import Policy
from frostline.errors import FrostlineError
from frostline.run.combine import Combination, combine
from frostline.run.files.run_folder import claimed

pytestmark = pytest.mark.needs("torch")

STARTED = "2026-01-01T10:00:00+00:00"


def of_rank(rank: int, **run: object) -> Record:
    described = Run(rank=rank, world_size=4, started=STARTED, complete=True, steps=3, exit=0, id="run-a")
    return Record(store.FORMAT, "0.1", replace(described, **run), [], [], Totals(), [], Verdict())


def test_ranks_that_are_not_there_are_named_and_are_no_verdict(tmp_path: Path) -> None:
    for rank in (0, 2):
        store.save(of_rank(rank), tmp_path / f"{rank}.json")
    done = combined("0.json", "2.json", folder=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "no contradiction" not in done.stdout
    assert "2 processes missing or cut short, so this is no verdict" in done.stdout.splitlines()[0]
    assert "rank 1: no record of it" in done.stdout
    assert "rank 3: no record of it" in done.stdout
    assert combined("0.json", "2.json", "--fail-on", "never", folder=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"id": "run-b"}, "other.json is of the run run-b, 0.json of run-a"),
        ({"world_size": 8}, "other.json is of 8 processes, 0.json of 4: not one run"),
        ({"started": "2024-01-01T10:00:00+00:00", "id": ""}, "other.json began at 2024-01-01T10:00:00+00:00"),
    ],
)
def test_a_record_of_another_run_is_refused_by_its_name(other: dict[str, object], said: str, tmp_path: Path) -> None:
    store.save(of_rank(0), tmp_path / "0.json")
    store.save(of_rank(1, **other), tmp_path / "other.json")
    done = combined("0.json", "other.json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_rank_that_was_killed_is_named_with_the_step_up_to_which_it_is_known() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    killed = of_rank(1, complete=False, pid=gone.pid, host=os.uname().nodename, world_size=2)
    record = combine([of_rank(0, world_size=2), killed])
    assert record.run.missing == ["rank 1 did not come to its end: known up to step 3 only"]
    alive = replace(killed, run=replace(killed.run, pid=os.getpid()))
    assert "rank 1 still runs" in combine([of_rank(0, world_size=2), alive]).run.missing[0]


def test_two_of_one_rank_are_refused() -> None:
    with pytest.raises(FrostlineError, match="two of the records are of rank 0"):
        combine([of_rank(0), of_rank(0)])


def test_a_shell_that_starts_the_ranks_is_none_of_them() -> None:
    """A batch script of Slurm has the variables of rank 0 of its job; what it spawns has ranks of its own."""
    trained = [OptimizerRow("o", "optimizer", "SGD", steps_executed=3)]
    spawned = [replace(of_rank(rank, world_size=2), optimizers=trained) for rank in range(2)]
    for order in ([of_rank(0), *spawned], [*spawned, of_rank(0)]):
        combination = Combination(is_one_run=True)
        for record in order:
            combination.add(record)
        assert combination.record(Policy()).run.missing == []
        assert combination.record(Policy()).run.idle == []
    combination.add(spawned[1])
    assert combination.record(Policy()).run.missing == ["rank 1 ran twice; only the first time is compared"]


def test_a_part_is_given_to_one_process_only(tmp_path: Path) -> None:
    assert claimed(tmp_path / "run", "rank-0") is not None
    assert claimed(tmp_path / "run", "rank-0") is None


def test_a_killed_rank_fails_a_judgement_and_is_named(tmp_path: Path) -> None:
    status, printed, done = launched(tmp_path, "killed", options=("--fail-on", "error"))
    assert status != 0
    assert done <= {"done0"}
    report = subprocess.run(
        [sys.executable, "-m", "frostline", "report"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert report.returncode == 2, printed
    assert "rank 1 did not come to its end: known up to step 4 only" in report.stdout
    assert "no contradiction" not in report.stdout


def test_a_rank_alone_says_that_it_was_compared_with_no_other(tmp_path: Path) -> None:
    assert launched(tmp_path, options=("--quiet",))[0] == 0
    part = parts(tmp_path / ".frostline.json")[1]
    done = subprocess.run(
        [sys.executable, "-m", "frostline", "report", str(part)], capture_output=True, text=True, timeout=60
    )
    headline = " ".join(done.stdout.partition("\n\n")[0].split())
    assert "no contradiction found in this rank" in headline
    assert "not compared with 1 other rank" in headline
