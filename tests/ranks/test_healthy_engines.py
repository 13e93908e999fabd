"""Healthy ways to train in several processes: nothing is found that weighs more than a note."""

from pathlib import Path

import pytest
from corpus.running import in_torch_together

from frostline import judging

pytestmark = pytest.mark.needs("torch")
MODEL = """
import contextlib
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh

dist.init_process_group("gloo")
torch.manual_seed(0)
rank, size = dist.get_rank(), dist.get_world_size()
model = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
"""
STEPS = """
torch.manual_seed(rank)
for _ in range(6):
    optimizer.zero_grad()
    model(torch.randn(8, 8)).square().mean().backward()
    optimizer.step()
"""
ADAM = "optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2, foreach=False)\n"
ACCUMULATED = """
model[0].requires_grad_(False)
shared = nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
optimizer = torch.optim.AdamW([p for p in shared.parameters() if p.requires_grad], lr=1e-2)
torch.manual_seed(rank)
for _ in range(6):
    for part in range(2):
        with shared.no_sync() if part == 0 else contextlib.nullcontext():
            shared(torch.randn(8, 8)).square().mean().backward()
    optimizer.step()
    optimizer.zero_grad()
"""
JOINED = """
from torch.distributed.algorithms.join import Join

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
shared = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.SGD(shared.parameters(), lr=1e-2)
torch.manual_seed(rank)
with Join([shared]):
    for _ in range(6 + 2 * rank):
        optimizer.zero_grad()
        shared(torch.randn(8, 8)).square().mean().backward()
        optimizer.step()
"""
HALF_PRECISION = (
    """
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
model[0].requires_grad_(False)
policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
mesh = init_device_mesh("cpu", (size,))
for layer in model:
    fully_shard(layer, mesh=mesh, mp_policy=policy)
fully_shard(model, mesh=mesh, mp_policy=policy)
"""
    + ADAM
    + STEPS
)
FLAT_HALVES = (
    """
from torch.distributed.fsdp import FullyShardedDataParallel, MixedPrecision

model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
model[0].requires_grad_(False)
policy = MixedPrecision(param_dtype=torch.bfloat16, reduce_dtype=torch.bfloat16)
cpu = torch.device("cpu")
model = FullyShardedDataParallel(model, mixed_precision=policy, use_orig_params=True, device_id=cpu)
"""
    + ADAM
    + STEPS
)
HYBRID = (
    """
from torch.distributed.fsdp import fully_shard

model = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.ReLU(), nn.Linear(16, 3))
model[0].requires_grad_(False)
fully_shard(model, mesh=init_device_mesh("cpu", (2, 2), mesh_dim_names=("copies", "shards")))
"""
    + ADAM
    + STEPS
)
TENSORS = (
    """
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module

model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8), nn.LayerNorm(8))
parallelize_module(model, init_device_mesh("cpu", (size,)), {"0": ColwiseParallel(), "2": RowwiseParallel()})
"""
    + ADAM
    + STEPS.replace("manual_seed(rank)", "manual_seed(0)").replace("square().mean()", "square().sum()")
)
BATCH, HALVES = "torch.randn(8, 8)", "torch.randn(8, 8, dtype=torch.bfloat16)"
TENSORS_OF_HALVES = TENSORS.replace("parallelize_module(model", "model.to(torch.bfloat16)\nparallelize_module(model")
TENSORS_OF_HALVES = TENSORS_OF_HALVES.replace(
    f"model({BATCH}).square().sum()", f"(model({HALVES}) - 1).square().mean()"
)
PIPELINE = """
from torch.distributed.pipelining import PipelineStage, ScheduleGPipe

model = [nn.Sequential(nn.Linear(8, 16), nn.ReLU()), nn.Sequential(nn.Linear(16, 2))][rank]
stage = PipelineStage(model, rank, size, torch.device("cpu"))
schedule = ScheduleGPipe(stage, n_microbatches=2, loss_fn=lambda out, to: (out - to).square().mean())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for _ in range(6):
    optimizer.zero_grad()
    if rank == 0:
        schedule.step(torch.randn(8, 8))
    else:
        schedule.step(target=torch.zeros(8, 2))
    optimizer.step()
"""
LOCAL_STEPS = """
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
inner = torch.optim.AdamW(model.parameters(), lr=1e-2)
outer = torch.optim.SGD(model.parameters(), lr=0.7, momentum=0.9, nesterov=True)
torch.manual_seed(rank)
for _ in range(3):
    before = [p.detach().clone() for p in model.parameters()]
    for _ in range(4):
        inner.zero_grad()
        model(torch.randn(8, 8)).square().mean().backward()
        inner.step()
    for p, first in zip(model.parameters(), before):
        delta = first - p.detach()
        dist.all_reduce(delta)
        p.grad = delta / size
        p.data.copy_(first)
    outer.step()
"""
EXPERTS = """
class Mixture(nn.Module):
    def __init__(self):
        super().__init__()
        self.router = nn.Linear(8, 2)
        torch.manual_seed(100 + rank)
        self.expert = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x):
        return self.expert(x) * torch.softmax(self.router(x), -1)


model = Mixture()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
torch.manual_seed(rank)
for _ in range(6):
    optimizer.zero_grad()
    model(torch.randn(8, 8)).square().mean().backward()
    for p in model.router.parameters():
        dist.all_reduce(p.grad)
        p.grad /= size
    optimizer.step()
"""
WAYS = {
    "accumulated": (ACCUMULATED, 2),
    "joined": (JOINED, 2),
    "fully_shard in bfloat16": (HALF_PRECISION, 2),
    "FullyShardedDataParallel in bfloat16": (FLAT_HALVES, 2),
    "hybrid shards": (HYBRID, 4),
    "tensor parallel": (TENSORS, 2),
    "tensor parallel in bfloat16": (TENSORS_OF_HALVES, 2),
    "pipeline": (PIPELINE, 2),
    "local steps": (LOCAL_STEPS, 2),
    "experts": (EXPERTS, 2),
}
BEGUN_APART = """
torch.manual_seed(rank)
model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(6):
    optimizer.zero_grad()
    model(torch.randn(8, 8)).square().mean().backward()
    for p in model.parameters():
        dist.all_reduce(p.grad)
        p.grad /= size
    optimizer.step()
"""


def found(script: str, processes: int, folder: Path) -> dict[str, str]:
    """The gravest severity of each cause that a run of so many processes shows, notes left out."""
    (folder / "train.py").write_text(MODEL + script)
    done = in_torch_together([["-m", "frostline", "run", "--quiet", "train.py"]] * processes, folder)
    assert [each.returncode for each in done] == [0] * processes, done
    record = judging.load(folder / ".frostline.json")
    assert (record.run.faults, record.run.missing, record.totals.unknown) == ([], [], 0)
    return {each.rule: each.severity for each in record.findings if each.severity != "note"}


@pytest.mark.parametrize("way", WAYS)
def test_a_healthy_way_is_quiet(way: str, tmp_path: Path) -> None:
    assert found(*WAYS[way], tmp_path) == {}


def test_replicas_that_average_gradients_must_begin_alike(tmp_path: Path) -> None:
    assert found(BEGUN_APART, 2, tmp_path) == {"ranks-diverge": "error"}
