"""Under a launcher no process fails because of frostline; rank 0 judges all, when it was asked to."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.without_compiler import WITHOUT_COMPILER

pytestmark = pytest.mark.needs("torch")

TRAIN = """
import os, shutil, sys, time
import torch

rank = int(os.environ["RANK"])
if rank == 1 and "idle" in sys.argv:
    sys.exit(0)
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
model[0].requires_grad_(False)
decayed = [{"params": model.parameters(), "weight_decay": 0.1}]
optimizer = torch.optim.SGD(decayed, lr=0.1)
frozen = model[0].weight
for step in range(6):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).square().mean().backward()
    if rank == 1 and "planted" in sys.argv:
        frozen.grad = torch.zeros_like(frozen)
    optimizer.step()
    if rank == 0 and step == 2 and "removed" in sys.argv:
        shutil.rmtree(".frostline")
    if rank == 1 and step == 4 and "killed" in sys.argv:
        os.kill(os.getpid(), 9)
if rank == 1:
    time.sleep(float(os.environ.get("LATE", "0")))
open(f"done{rank}", "w").close()
"""


def launched(
    folder: Path, *arguments: str, options: tuple[str, ...] = (), **environment: str
) -> tuple[int, str, set[str]]:
    """The exit status of torchrun, what was printed, and which ranks came to the end of the script."""
    (folder / "train.py").write_text(TRAIN)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = ["-m", "frostline", "run", *options, "train.py", *arguments]
    variables = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **WITHOUT_COMPILER, **environment}
    done = subprocess.run([*launcher, *script], cwd=folder, env=variables, capture_output=True, text=True, timeout=240)
    return done.returncode, done.stderr, {path.name for path in folder.glob("done*")}


def test_a_rank_without_a_model_does_not_end_the_job(tmp_path: Path) -> None:
    status, printed, done = launched(tmp_path, "idle")
    assert (status, done) == (0, {"done0"}), printed
    assert "1 without a step" in printed or "without a step: rank 1" in printed


def test_a_fault_in_another_rank_is_judged_by_the_first_after_all_have_ended(tmp_path: Path) -> None:
    status, printed, done = launched(tmp_path, "planted", options=("--quiet", "--fail-on", "error"), LATE="3")
    assert status == 1, printed
    assert done == {"done0", "done1"}


def test_healthy_ranks_pass(tmp_path: Path) -> None:
    status, printed, done = launched(tmp_path, options=("--quiet", "--fail-on", "error"))
    assert (status, done) == (0, {"done0", "done1"}), printed


def test_a_record_that_cannot_be_written_costs_no_training(tmp_path: Path) -> None:
    (tmp_path / "closed").write_text("a file, in which nothing can be put")
    status, printed, done = launched(tmp_path, options=("--data", "closed/run.json"))
    assert (status, done) == (0, {"done0", "done1"}), printed
    assert "cannot write" in printed
    assert "no contradiction found" in printed  # the report is printed from memory


def test_a_folder_that_is_removed_costs_the_other_ranks_and_no_report(tmp_path: Path) -> None:
    status, printed, done = launched(tmp_path, "removed")
    assert (status, done) == (0, {"done0", "done1"}), printed
    assert "cannot write" in printed
    assert "rank 1: no record of it" in printed
    assert "exit 0 after " in printed  # of this rank, from memory
