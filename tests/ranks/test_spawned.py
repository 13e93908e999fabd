"""Scripts that start their ranks by themselves, with ``torch.multiprocessing.spawn``."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from test_ranks import free_port

from frostline.core import store

SCRIPT = """
import os
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head = nn.Linear(8, 8), nn.Linear(8, 2)

    def forward(self, rows):
        return self.head(torch.relu(self.backbone(rows)))


def train(rank, count, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    dist.init_process_group("gloo", rank=rank, world_size=count)
    torch.manual_seed(rank)
    net = Net()
    net.backbone.requires_grad_(False)
    shared = nn.parallel.DistributedDataParallel(net)
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    for step in range(4):
        optimizer.zero_grad()
        shared(torch.randn(8, 8)).square().mean().backward()
        optimizer.step()
        if "--forget" in sys.argv:
            with torch.no_grad():
                net.backbone.bias.add_(0.01)
        if "--fail" in sys.argv and rank == count - 1 and step == 2:
            raise ValueError("no more rows")
    if rank == 0:
        print(repr(net.head.weight.sum().item()))
    dist.destroy_process_group()


if __name__ == "__main__":
    count = int(sys.argv[1])
    mp.spawn(train, args=(count, sys.argv[2]), nprocs=count)
    print("all done")
"""
SHARED = """
import torch
import torch.multiprocessing as mp
from torch import nn


def train(rank, net):
    torch.manual_seed(rank)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for _ in range(6):
        optimizer.zero_grad()
        net(torch.randn(4, 3)).square().sum().backward()
        optimizer.step()


if __name__ == "__main__":
    net = nn.Linear(3, 2)
    net.share_memory()
    mp.spawn(train, args=(net,), nprocs=2)
"""
LOCKLESS = SHARED.replace(
    "mp.spawn(train, args=(net,), nprocs=2)",
    "workers = [mp.get_context('spawn').Process(target=train, args=(rank, net)) for rank in range(2)]\n"
    "    [each.start() for each in workers]\n"
    "    [each.join() for each in workers]\n"
    "    print(net(torch.zeros(1, 3)).shape)",
)
pytestmark = pytest.mark.needs("torch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "shared.py").write_text(SHARED)
    return tmp_path


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True, timeout=180)


def observed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "frostline", "run", *words)


def test_every_process_is_observed_and_the_report_is_of_all(folder: Path) -> None:
    done = observed(folder, "train.py", "2", str(free_port()))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all done"), done.stderr
    assert done.stdout == python(folder, "train.py", "2", str(free_port())).stdout
    assert "process     2 together" in done.stderr
    assert "no contradiction found" in done.stderr
    record = store.load(folder / ".frostline.json")
    assert (record.run.world_size, record.run.steps, record.totals.changed) == (2, 4, 18)
    assert store.load(folder / ".frostline.1.json").run.rank == 1


def test_what_is_wrong_in_one_process_alone_is_found_too(folder: Path) -> None:
    done = observed(folder, "train.py", "1", str(free_port()), "--forget")
    assert done.returncode == 0
    assert "F109 frozen-but-rewritten-outside-step" in done.stderr
    assert store.load(folder / ".frostline.json").run.rank is None


def test_a_process_that_fails_is_told_as_python_tells_it(folder: Path) -> None:
    plain = python(folder, "train.py", "2", str(free_port()), "--fail")
    done = observed(folder, "--quiet", "train.py", "2", str(free_port()), "--fail")
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout) == (1, "")
    assert _told(done.stderr) == _told(plain.stderr)
    assert "no more rows" in done.stderr


def _told(stderr: str) -> list[str]:
    """What is told of the failure, without the launcher's remark on whom it ended and when."""
    return [line for line in stderr.splitlines() if not re.match(r"W\d{4} ", line)]


def test_processes_that_share_one_memory_have_nothing_to_diverge(folder: Path) -> None:
    done = observed(folder, "shared.py")
    assert done.returncode == 0
    assert "no contradiction found (0 errors, 0 warnings, 0 notes)" in done.stderr


def test_processes_that_are_not_observed_are_named_as_the_reason(folder: Path) -> None:
    (folder / "lockless.py").write_text(LOCKLESS)
    done = observed(folder, "lockless.py")
    assert (done.returncode, done.stdout) == (2, "torch.Size([1, 2])\n"), done.stderr
    assert "hint: what processes of its own train is seen where the script starts them with" in done.stderr


def test_records_of_earlier_runs_are_not_taken_for_those_of_this_one(folder: Path) -> None:
    assert observed(folder, "--quiet", "train.py", "1", str(free_port())).returncode == 0
    before = (folder / ".frostline.json").read_bytes()
    (folder / "idle.py").write_text(
        "import torch.multiprocessing as mp\n\ndef idle(rank):\n    pass\n\n"
        "if __name__ == '__main__':\n    mp.spawn(idle, nprocs=1)\n"
    )
    done = observed(folder, "idle.py")
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, "frostline: no model was found in the run")
    assert (folder / ".frostline.json").read_bytes() == before
