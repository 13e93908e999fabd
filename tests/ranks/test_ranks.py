"""Runs of two real processes, combined: what they disagree on is found, and healthy ones agree."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from corpus.running import in_torch_together

from frostline import judging
from frostline.core.ledger import Changed, OptimizerRow, TensorRow
from frostline.core.record import Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage import store
from frostline.errors import FrostlineError
from frostline.laws.causes.cause import EXAMPLES
from frostline.run.combine import combine
from frostline.run.files import run_folder

HEALTHY = """
import torch
import torch.distributed as dist
from torch import nn

dist.init_process_group("gloo")
torch.manual_seed(dist.get_rank())  # the weights of rank 0 are sent to all when the model is wrapped
model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
model[0].requires_grad_(False)
shared = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.Adam([p for p in shared.parameters() if p.requires_grad], lr=1e-2)
for _ in range(6):
    optimizer.zero_grad()
    shared(torch.randn(16, 8)).square().mean().backward()
    optimizer.step()
dist.destroy_process_group()
"""
pytestmark = pytest.mark.needs("torch")


def observed(script: Path, folder: Path) -> list[Path]:
    """The records of two processes that run the script together."""
    done = in_torch_together([["-m", "frostline", "run", "--quiet", str(script)]] * 2, folder)
    assert [each.returncode for each in done] == [0, 0], done
    return parts(folder / ".frostline.json")


def parts(data: Path) -> list[Path]:
    """What the processes of the latest run have written whose record goes to ``data``."""
    return run_folder.parts(run_folder.found(run_folder.runs_folder(data)))


def combined(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "frostline", "combine", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("slug", "tensors"),
    [
        ("ranks-diverge", {"head.weight", "head.bias"}),
        ("ranks-hold-different-tensors", {"model.0.weight", "model.0.bias"}),
    ],
)
def test_the_examples_fire_their_rules(slug: str, tensors: set[str], tmp_path: Path) -> None:
    records = observed(EXAMPLES / f"{slug}.py", tmp_path)
    done = combined(*map(str, records), "--format", "json", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    found = {finding["rule"]: set(finding["tensors"]) for finding in json.loads(done.stdout)["findings"]}
    assert tensors <= found[slug]
    assert judging.load(tmp_path / ".frostline.json").run.world_size == 2


def test_healthy_replicas_agree(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(HEALTHY)
    record = combine([judging.load(path) for path in observed(tmp_path / "train.py", tmp_path)])
    assert [finding for finding in record.findings if finding.severity != "note"] == []
    assert {row.name for row in record.tensors if row.changed.digests} == {row.name for row in record.tensors}
    assert record.totals.changed == 25


def record(rank: int, blocks: int, last: str) -> Record:
    changed = Changed("yes", blocks=blocks, digests=("0" * 32, last))
    row = TensorRow("m.w", "m", "parameter", (1 << 20,), "float32", 1 << 22, 1 << 20, changed=changed)
    return Record(store.FORMAT, "0.1", Run(rank=rank, world_size=2), [], [row], Totals(), [], Verdict())


def test_digests_of_other_blocks_are_refused_rather_than_compared() -> None:
    assert combine([record(0, 8, "1" * 32), record(1, 8, "1" * 32)]).findings == []
    with pytest.raises(FrostlineError, match="digests of blocks of different size"):
        combine([record(0, 8, "1" * 32), record(1, 64, "2" * 32)])


def test_records_that_cannot_be_of_one_run(tmp_path: Path) -> None:
    one = Record(store.FORMAT, "0.1", Run(rank=0, world_size=2), [], [], Totals(), [], Verdict())
    with pytest.raises(FrostlineError, match="one record alone"):
        combine([replace(one, run=Run())])
    with pytest.raises(FrostlineError, match="two of the records are of rank 0"):
        combine([one, one])
    store.save(one, tmp_path / "a.json")
    done = combined("a.json", "b.json", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("frostline: there is no record at b.json\nhint: ")


def test_processes_that_train_different_models_stand_side_by_side() -> None:
    one, other = record(0, 1, "1" * 32), record(1, 1, "2" * 32)
    one = replace(one, optimizers=[OptimizerRow("first", "optimizer", "Adam", steps_executed=4)])
    other = replace(other, optimizers=[OptimizerRow(name, "optimizer", "SGD") for name in ("first", "second")])
    assert combine([one, other]).findings
    both = combine([replace(each, run=Run(pid=number)) for number, each in enumerate((one, other))])
    assert (both.findings, [optimizer.id for optimizer in both.optimizers]) == ([], ["first", "second"])
    assert both.optimizers[0].steps_executed == 4
