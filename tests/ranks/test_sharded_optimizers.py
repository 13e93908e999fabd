"""Optimizers whose state is spread over ranks: each holds what it trains, whichever process steps it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_wholes import grave

from frostline import judging
from frostline.core.columns.part import Part
from frostline.core.record import Record

REDUNDANT = """
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.optim import ZeroRedundancyOptimizer

dist.init_process_group("gloo")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
model[0].requires_grad_(False)
shared = nn.parallel.DistributedDataParallel(model)
trained = [p for p in shared.parameters() if p.requires_grad]
optimizer = ZeroRedundancyOptimizer(trained, optimizer_class=torch.optim.AdamW, lr=1e-3)
for _ in range(6):
    optimizer.zero_grad()
    shared(torch.randn(4, 16)).square().mean().backward()
    optimizer.step()
"""
DEEPSPEED = """
import os
os.environ["DS_ACCELERATOR"] = "cpu"
import deepspeed
import torch
import torch.distributed as dist
from torch import nn

deepspeed.init_distributed("gloo")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 4))
model[0].requires_grad_(False)
config = {{
    "train_micro_batch_size_per_gpu": 4,
    "optimizer": {{"type": "AdamW", "params": {{"lr": 1e-2, "torch_adam": True}}}},
    "zero_optimization": {{"stage": {stage}}},
    "zero_force_ds_cpu_optimizer": False,
    "bf16": {{"enabled": {half}}},
}}
trained = [p for p in model.parameters() if p.requires_grad]
engine, *_ = deepspeed.initialize(model=model, model_parameters=trained, config=config)
for _ in range(6):
    rows = torch.randn(4, 16).to(next(engine.module.parameters()).dtype)
    engine.backward(engine(rows).square().mean())
    engine.step()
    with torch.no_grad():
        held = getattr(model[0].weight, "ds_tensor", model[0].weight)
        held.mul_({factor} if dist.get_rank() == 1 or {stage} < 3 else 1.0)
"""
PARAMETERS, FROZEN = 1_732, 544


def launched(script: str, folder: Path) -> Record:
    """The record of a script that torchrun starts as two observed processes."""
    (folder / "train.py").write_text(script)
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", "-m", "frostline", "run", "--quiet", "train.py"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return judging.load(folder / ".frostline.json")


@pytest.mark.needs("torch")
def test_the_optimizer_inside_of_another_is_a_part_of_it(tmp_path: Path) -> None:
    record = launched(REDUNDANT, tmp_path)
    assert [(each.name, each.holds) for each in record.optimizers] == [("ZeroRedundancyOptimizer", 4)]
    assert (record.totals.changed, grave(record)) == (PARAMETERS - FROZEN, {})


@pytest.mark.needs("torch")
def test_a_parameter_that_keeps_its_part_beside_it_is_known_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the third stage of DeepSpeed leaves it: a plain parameter without values, which lie in ``ds_tensor``."""
    import torch

    from frostline.frameworks.torch.models.modules import tensors_of

    model = torch.nn.Linear(3, 2, bias=False)
    part = torch.ones(3)
    part.ds_numel = 3  # type: ignore[attr-defined]
    for name, value in {"ds_tensor": part, "ds_numel": 6, "ds_shape": (2, 3), "ds_process_group": None}.items():
        setattr(model.weight, name, value)
    model.weight.data = torch.empty(0)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda group: 1)
    [found] = tensors_of(model)
    assert found.shard is not None
    assert (found.shard.shape, found.shard.part) == ((2, 3), Part("values 3:6", 3))
    memory = found.shard.memory()
    assert memory is not None
    assert memory.data_ptr() == part.data_ptr()


@pytest.mark.needs("torch")
@pytest.mark.needs("deepspeed")
@pytest.mark.parametrize(("stage", "half"), [(1, False), (2, False), (2, True), (3, False), (3, True)])
@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_deepspeed_trains_the_models_own_parameters(stage: int, half: bool, factor: float, tmp_path: Path) -> None:
    record = launched(DEEPSPEED.format(stage=stage, half=half, factor=factor), tmp_path)
    moved = 512 if factor < 1 else 0
    assert (record.totals.parameters, record.totals.changed) == (PARAMETERS, PARAMETERS - FROZEN + moved)
    assert {row.name for row in record.tensors} >= {"model.0.weight", "model.4.bias"}
    assert record.totals.in_optimizer == PARAMETERS - FROZEN
    assert {name for tensors in grave(record).values() for name in tensors} == ({"model.0.weight"} if moved else set())
