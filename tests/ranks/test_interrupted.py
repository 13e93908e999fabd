"""A launcher that is told to stop: one report, of what was seen until then, whatever the signal."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from frostline.run.files import stored_run

SCRIPT = """
import pathlib
import time
import torch
import torch.distributed as dist
from torch import nn

dist.init_process_group("gloo")
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
model[0].requires_grad_(False)
shared = nn.parallel.DistributedDataParallel(model)
optimizer = torch.optim.SGD([p for p in shared.parameters() if p.requires_grad], lr=0.1)
for step in range(100_000):
    optimizer.zero_grad()
    shared(torch.randn(4, 8)).square().mean().backward()
    optimizer.step()
    with torch.no_grad():
        model[0].weight.mul_(0.999)
    if step == 9:
        pathlib.Path(f"ready-{dist.get_rank()}").touch()
    time.sleep(0.01)
"""
VERDICT = re.compile(r"(?m)^frostline: .*\n?.*\d errors?\b")  # over two lines where it is long


@pytest.mark.needs("torch")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_launcher_leaves_one_report(number: signal.Signals, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", "-m", "frostline", "run", "train.py"]
    launcher = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 120
        while not all((tmp_path / f"ready-{rank}").exists() for rank in (0, 1)):
            assert launcher.poll() is None, launcher.communicate()
            assert time.monotonic() < until
            time.sleep(0.1)
        if number == signal.SIGINT:  # a terminal sends it to all of them
            os.killpg(launcher.pid, number)
        else:
            launcher.send_signal(number)
        printed, errors = launcher.communicate(timeout=120)
    finally:
        launcher.kill()
    assert launcher.returncode != 0
    assert len(VERDICT.findall(printed + errors)) == 1, errors
    assert "F10" in printed + errors  # the frozen weight that was written to
    record = stored_run.load(tmp_path / ".frostline.json")
    assert (record.run.world_size, record.run.steps >= 8) == (2, True)
    assert any(finding.severity == "error" for finding in record.findings)
    assert any("known up to step" in said for said in record.run.missing) or record.run.ended_by
