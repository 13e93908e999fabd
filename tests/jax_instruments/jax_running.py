"""Runs a script of JAX, plainly or under frostline, in a fork of a server that has loaded what it imports."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus.running import in_jax

from frostline.core.ledger import OptimizerRow, TensorRow
from frostline.core.record import Record
from frostline.judging import load

SCRIPTS = Path(__file__).parent / "scripts"
NEEDS = pytest.mark.needs("jax", "flax", "optax", "equinox")


@dataclass
class Seen:
    """What came of a run."""

    status: int
    printed: str
    errors: str
    record: Record

    def row(self, name: str) -> TensorRow:
        return next(row for row in self.record.tensors if row.name == name)

    def optimizer(self, name: str) -> OptimizerRow:
        return next(row for row in self.record.optimizers if row.id == name)

    @property
    def columns(self) -> dict[str, tuple[bool | None, list[str], str]]:
        """By name: what is declared, which optimizers update it, and whether it changed."""
        return {
            row.name: (
                row.declared.trainable,
                [holding.optimizer for holding in row.optimizers if holding.listed],
                row.changed.verdict,
            )
            for row in self.record.tensors
        }

    @property
    def rules(self) -> dict[str, str]:
        return {finding.rule: finding.severity for finding in self.record.findings}


def plainly(script: str, *arguments: str) -> str:
    """What the script prints without frostline."""
    with tempfile.TemporaryDirectory() as folder:
        done = in_jax([str(SCRIPTS / script), *arguments], Path(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def observed(script: str, folder: Path, *arguments: str, options: tuple[str, ...] = (), status: int = 0) -> Seen:
    """The script's run under frostline."""
    data = folder / "record.json"
    words = ["-m", "frostline", "run", "--quiet", "--data", str(data), *options, str(SCRIPTS / script), *arguments]
    done = in_jax(words, folder)
    assert done.returncode == status, done.stderr
    return Seen(done.returncode, done.stdout, done.stderr, load(data))


def observed_code(code: str, folder: Path) -> Seen:
    """The run of a script that is given as text."""
    script = folder / "script.py"
    script.write_text(code, "utf-8")
    return observed(str(script), folder)
