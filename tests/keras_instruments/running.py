"""Runs a script on one backend, plainly or under frostline, and brings back what it printed and the record."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus.running import in_keras, without_durations

from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.core.record import Record
from frostline.judging import load

SCRIPTS = Path(__file__).parent / "scripts"
BACKENDS = [
    pytest.param("jax", marks=pytest.mark.needs("keras", "jax")),
    pytest.param("torch", marks=pytest.mark.needs("keras", "torch")),
    pytest.param("tensorflow", marks=pytest.mark.needs("keras", "tensorflow")),
]
GENERATIONS = [*BACKENDS, pytest.param("tf_keras", marks=pytest.mark.needs("tf_keras"))]


@dataclass
class Seen:
    """What came of a run."""

    status: int
    printed: str
    stderr: str
    record: Record

    def row(self, name: str) -> TensorRow:
        return next(row for row in self.record.tensors if name in (row.name, *row.aliases))

    def optimizer(self, name: str) -> OptimizerRow:
        return next(optimizer for optimizer in self.record.optimizers if optimizer.id == name)

    @property
    def rules(self) -> set[str]:
        return {finding.rule for finding in self.record.findings}


def plainly(script: str, backend: str) -> str:
    """What the script prints without frostline, in a fork of a server that has loaded the backend."""
    with tempfile.TemporaryDirectory() as folder:
        done = in_keras(_loaded(backend), [str(SCRIPTS / script), backend], Path(folder), COLUMNS="100")
    assert done.returncode == 0, done.stderr
    return without_durations(done.stdout)


def observed(script: str, backend: str, folder: Path, *options: str, status: int = 0) -> Seen:
    """The script's run under frostline, in a fork of the same server."""
    data = folder / "record.json"
    command = ["-m", "frostline", "run", "--quiet", "--data", str(data), *options]
    done = in_keras(_loaded(backend), [*command, str(SCRIPTS / script), backend], folder, COLUMNS="100")
    assert done.returncode == status, done.stderr
    record = load(data)
    assert record.run.faults == []
    return Seen(done.returncode, without_durations(done.stdout), done.stderr, record)


def _loaded(backend: str) -> str:
    return "" if backend == "tf_keras" else backend
