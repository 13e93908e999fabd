"""Weights held in shards by several real processes: their parts are judged, and nobody is made to wait for others.

Only the process of rank 0 is observed. Whatever it computed on the whole of a sharded tensor would wait for the other
one for ever.
"""

from pathlib import Path

import pytest
from corpus.running import in_torch_together
from test_ranks import parts

from frostline import judging
from frostline.core.record import Record

START = """
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

dist.init_process_group("gloo")
torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.up, self.down, self.norm = nn.Linear(16, 32), nn.Linear(32, 16), nn.LayerNorm(16)

    def forward(self, x):
        return x + self.down(torch.relu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 16)
        self.blocks = nn.ModuleList(Block() for _ in range(2))
        self.head = nn.Linear(16, 50)

    def forward(self, words):
        x = self.embedding(words)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


model = Net()
model.embedding.requires_grad_(False)
model.blocks[0].requires_grad_(False)
mesh = init_device_mesh("cpu", (dist.get_world_size(),))
"""
OPTIMIZER = """
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, foreach=False)
"""
LOOP = """
drawn = torch.Generator().manual_seed(dist.get_rank())
for _ in range(6):
    words = torch.randint(0, 50, (4, 8), generator=drawn)
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(words).flatten(0, 1), words.flatten())
    loss.backward()
    optimizer.step()
    {after}
print(repr(loss.item()))
dist.destroy_process_group()
"""
FULLY = """
from torch.distributed.fsdp import fully_shard

for block in model.blocks:
    fully_shard(block, mesh=mesh)
fully_shard(model, mesh=mesh)
"""
WRAPPED = """
from torch.distributed.fsdp import FullyShardedDataParallel

for index, block in enumerate(model.blocks):
    model.blocks[index] = FullyShardedDataParallel(block, use_orig_params=True, device_id=torch.device("cpu"))
model = FullyShardedDataParallel(model, use_orig_params=True, device_id=torch.device("cpu"))
"""
TENSORS = """
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

for block in model.blocks:
    parallelize_module(block, mesh, {"up": ColwiseParallel(), "down": RowwiseParallel()})
"""
WRITTEN = """with torch.no_grad():
        model.blocks[0].up.weight.mul_(0.999)"""
pytestmark = pytest.mark.needs("torch")


def printed(script: str, folder: Path, *, observed: bool = True) -> str:
    """What rank 0 prints in a run of two processes; its record is in the folder."""
    (folder / "train.py").write_text(script)
    ours = ["-m", "frostline", "run", "--debug", "--data", "record.json", "--quiet"] if observed else []
    done = in_torch_together([[*ours, "train.py"], ["train.py"]], folder)
    assert [each.returncode for each in done] == [0, 0], done
    return done[0].stdout


def recorded(script: str, folder: Path) -> Record:
    """The record of rank 0, in which no error of frostline's own happened."""
    printed(script, folder)
    record = judging.load(parts(folder / "record.json")[0])
    assert record.run.faults == []
    return record


def judged(record: Record) -> dict[str, list[str]]:
    """The tensors of every finding above a note, by rule."""
    return {finding.rule: finding.tensors for finding in record.findings if finding.severity != "note"}


@pytest.mark.parametrize("sharding", [FULLY, WRAPPED, TENSORS], ids=["fully_shard", "wrapper", "tensor parallel"])
def test_healthy_shards_are_right(sharding: str, tmp_path: Path) -> None:
    record = recorded(START + sharding + OPTIMIZER + LOOP.format(after=""), tmp_path)
    assert judged(record) == {}
    for row in record.tensors:
        frozen = "embedding" in row.name or "blocks.0" in row.name
        holds_none = row.part is not None and not row.part.values
        assert row.changed.verdict == ("unknown" if holds_none else "no" if frozen else "yes"), row.name


def test_an_optimizer_made_before_the_sharding_trains_nothing(tmp_path: Path) -> None:
    record = recorded(START + OPTIMIZER + FULLY + LOOP.format(after=""), tmp_path)
    [(rule, rows)] = judged(record).items()
    assert rule == "optimizer-holds-other-tensors"
    assert set(rows) == {row.name for row in record.tensors if row.declared.trainable}


def test_a_frozen_shard_that_is_written_to_is_told_with_its_factor(tmp_path: Path) -> None:
    record = recorded(START + FULLY + OPTIMIZER + LOOP.format(after=WRITTEN), tmp_path)
    assert judged(record) == {"frozen-but-decayed": ["model.blocks.0.up.weight"]}
    [finding] = [finding for finding in record.findings if finding.severity == "error"]
    assert finding.evidence["factor"] == pytest.approx(0.999, rel=1e-6)


def test_the_training_is_the_same_with_and_without(tmp_path: Path) -> None:
    script = START + FULLY + OPTIMIZER + LOOP.format(after="")
    assert printed(script, tmp_path) == printed(script, tmp_path, observed=False)
