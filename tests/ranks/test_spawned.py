"""Scripts that start their processes by themselves: ``torch.multiprocessing.spawn`` and ``multiprocessing.Process``."""

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from test_ranks import parts
from tests.without_compiler import WITHOUT_COMPILER

from frostline import judging

SCRIPT = """
import sys
import time

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


kept = []  # torch frees a wrapper by waiting for a thread of gloo, which may wait for us


def train(rank, count, meeting):
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=count)
    torch.manual_seed(rank)
    net = Net()
    net.backbone.requires_grad_(False)
    shared = nn.parallel.DistributedDataParallel(net)
    kept.append(shared)
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
    for step in range(4):
        optimizer.zero_grad()
        shared(torch.randn(8, 8)).square().mean().backward()
        optimizer.step()
        if "--forget" in sys.argv:
            with torch.no_grad():
                net.backbone.bias.add_(0.01)
    if rank == 0:
        print(repr(net.head.weight.sum().item()), flush=True)
    dist.barrier()
    dist.destroy_process_group()
    if "--fail" in sys.argv:
        fail(rank == count - 1)


def fail(at_once):
    if at_once:
        raise ValueError("no more rows")
    time.sleep(600)


if __name__ == "__main__":
    count = int(sys.argv[1])
    mp.spawn(train, args=(count, sys.argv[2]), nprocs=count)
    print("all done")
"""
LOCKLESS = """
import sys

import torch
import torch.multiprocessing as mp
from torch import nn


class Worker(mp.Process):
    def __init__(self, rank, net):
        super().__init__()
        self.rank, self.net = rank, net

    def run(self):
        torch.manual_seed(self.rank)
        optimizer = torch.optim.SGD(self.net.parameters(), lr=0.01)
        for _ in range(3 * (self.rank + 1)):
            optimizer.zero_grad()
            self.net(torch.randn(4, 3)).square().sum().backward()
            optimizer.step()


if __name__ == "__main__":
    torch.set_num_threads(1)
    mp.set_start_method(sys.argv[1])
    net = nn.Linear(3, 2)
    net.share_memory()
    workers = [Worker(rank, net) for rank in range(2)]
    for each in workers:
        each.start()
    if "--wait" in sys.argv:
        for each in workers:
            each.join()
        print(net(torch.zeros(1, 3)).shape)
"""
PAIRS = """
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn


def train(rank, meeting):
    if meeting:
        dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
    torch.manual_seed(0)
    net = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    torch.manual_seed(rank)
    for _ in range(4):
        optimizer.zero_grad()
        net(torch.randn(4, 3)).square().sum().backward()
        if "--reduce" in sys.argv:
            for each in net.parameters():
                dist.all_reduce(each.grad)
        optimizer.step()
    print(repr(net.weight.sum().item()), flush=True)
    if meeting:
        dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    workers = [mp.Process(target=train, args=(rank, sys.argv[1])) for rank in range(2)]
    [each.start() for each in workers]
    [each.join() for each in workers]
"""
POOLED = """
import multiprocessing

import torch
from torch import nn


def train(seed):
    torch.manual_seed(seed)
    net = nn.Linear(3, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    net(torch.randn(4, 3)).square().sum().backward()
    optimizer.step()


if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.map(train, range(2))
"""
pytestmark = pytest.mark.needs("torch")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def python(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | WITHOUT_COMPILER | {"GLOO_SOCKET_IFNAME": "lo"} | variables
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=180
    )


def observed(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return python(folder, "-m", "frostline", "run", *words, **variables)


# What the shell of a batch script has, whatever it starts.
SLURM = {"SLURM_JOB_ID": "77", "SLURM_PROCID": "0", "SLURM_NTASKS": "4"}


def meeting(folder: Path) -> str:
    """Where the processes of a run find each other: a file, which no other program takes from them as it may a port."""
    return f"file://{folder / uuid.uuid4().hex}"


def test_every_process_is_observed_and_the_report_is_of_all(folder: Path) -> None:
    done = observed(folder, "train.py", "2", meeting(folder))
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "all done"), done.stderr
    tries = (python(folder, "train.py", "2", meeting(folder)) for _ in range(3))  # gloo itself fails now and then
    plain = next(each for each in tries if each.returncode == 0)
    assert done.stdout == plain.stdout
    assert "2 processes together" in done.stderr
    assert "no contradiction found" in done.stderr
    record = judging.load(folder / ".frostline.json")
    assert (record.run.world_size, record.run.steps, record.totals.changed) == (2, 4, 18)
    assert {judging.load(part).run.rank for part in parts(folder / ".frostline.json")} == {0, 1}


def test_what_is_wrong_in_one_process_alone_is_found_too(folder: Path) -> None:
    done = observed(folder, "train.py", "1", meeting(folder), "--forget")
    assert done.returncode == 0
    assert "F109 frozen-but-rewritten-outside-step" in done.stderr
    assert judging.load(folder / ".frostline.json").run.rank is None


def test_a_process_that_fails_is_told_as_python_tells_it(folder: Path) -> None:
    plain = python(folder, "train.py", "2", meeting(folder), "--fail")
    done = observed(folder, "--quiet", "train.py", "2", meeting(folder), "--fail")
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout)
    assert (done.returncode, len(done.stdout.splitlines())) == (1, 1)
    assert _told(done.stderr) == _told(plain.stderr)
    assert "no more rows" in done.stderr


def _told(stderr: str) -> list[str]:
    """What is told of the failure, without the launcher's remark on whom it ended and when."""
    return [line for line in stderr.splitlines() if not re.match(r"W\d{4} ", line)]


@pytest.mark.parametrize(("method", "waits"), [("fork", ["--wait"]), ("spawn", []), ("forkserver", ["--wait"])])
def test_a_process_is_observed_however_it_is_started(folder: Path, method: str, waits: list[str]) -> None:
    (folder / "lockless.py").write_text(LOCKLESS)
    done = observed(folder, "lockless.py", method, *waits)
    assert (done.returncode, done.stdout) == (0, "torch.Size([1, 2])\n" if waits else ""), done.stderr
    assert "no contradiction found (0 errors, 0 warnings, 0 notes)" in done.stderr
    record = judging.load(folder / ".frostline.json")
    assert (record.run.world_size, record.run.steps, record.run.complete, record.totals.changed) == (2, 6, True, 8)
    assert sorted(judging.load(part).run.steps for part in parts(folder / ".frostline.json")) == [3, 6]


def test_processes_of_one_group_must_agree_and_others_need_not(folder: Path) -> None:
    (folder / "pairs.py").write_text(PAIRS)
    assert "R701 ranks-diverge" in observed(folder, "pairs.py", meeting(folder), **SLURM).stderr
    reduced = observed(folder, "pairs.py", meeting(folder), "--reduce", **SLURM)
    alone = observed(folder, "pairs.py", "")
    assert sorted(alone.stdout) == sorted(python(folder, "pairs.py", "").stdout)  # two processes' lines may mingle
    for done in (reduced, alone):
        assert "no contradiction found (0 errors, 0 warnings, 0 notes)" in done.stderr


def test_processes_that_are_not_observed_are_named_as_the_reason(folder: Path) -> None:
    (folder / "pooled.py").write_text(POOLED.replace("import torch\n", "import os\nimport torch\nos.environ.clear()\n"))
    done = observed(folder, "pooled.py")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "hint: processes that the script starts are observed if" in done.stderr


def test_records_of_earlier_runs_are_not_taken_for_those_of_this_one(folder: Path) -> None:
    assert observed(folder, "--quiet", "train.py", "1", meeting(folder)).returncode == 0
    before = (folder / ".frostline.json").read_bytes()
    (folder / "idle.py").write_text(
        "import torch.multiprocessing as mp\n\ndef idle(rank):\n    pass\n\n"
        "if __name__ == '__main__':\n    mp.spawn(idle, nprocs=1)\n"
    )
    done = observed(folder, "idle.py")
    assert (done.returncode, done.stderr.splitlines()[0]) == (0, "frostline: no model was found in the run")
    assert (folder / ".frostline.json").read_bytes() == before
