"""Two processes that jax.distributed joins: one run folder, shards as parts of a whole, replicas that must agree."""

import subprocess
import sys
from pathlib import Path

from jax_running import NEEDS, SCRIPTS

from frostline.core.record import Record
from frostline.judging import load
from frostline.run.combine import combine

pytestmark = NEEDS


def together(folder: Path, apart: str) -> Record:
    """What the records of both processes say together, found in the one folder of the run."""
    command = [sys.executable, "-m", "frostline", "run", "--quiet", str(SCRIPTS / "two_ranks.py"), apart]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    parts = sorted(folder.glob(".frostline/run-*/process-*.json"))
    assert len(parts) == 2
    return combine([load(part) for part in parts])


def test_a_sharded_weight_is_counted_once_and_a_replicated_one_agrees(tmp_path: Path) -> None:
    record = together(tmp_path, "0")
    assert {(row.name, row.size, row.sharded, row.changed.verdict) for row in record.tensors} == {
        ("params.body", 64, True, "yes"),
        ("params.head", 8, False, "yes"),
    }
    assert record.run.faults == []
    assert record.findings == []


def test_replicas_that_are_written_apart_are_told(tmp_path: Path) -> None:
    found = {finding.rule: finding.tensors for finding in together(tmp_path, "0.5").findings}
    assert found == {"ranks-diverge": ["params.head"]}
