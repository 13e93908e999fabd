"""Processes of every kind below one observed script: a fault in one that is not the first is found and named."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_ranks import parts
from tests.without_compiler import WITHOUT_COMPILER

from frostline.frameworks.registry import FRAMEWORKS
from frostline.run import environment
from frostline.run.files import stored_run

pytestmark = pytest.mark.needs("torch")

# Worker 1 gives the frozen layer gradients of zero, so that weight decay moves it.
WORKER = """
import os, sys
import torch

def train(worker):
    planted = worker == 1 and "planted" in sys.argv
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 1))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([{"params": model.parameters(), "weight_decay": 0.1}], lr=0.1)
    for step in range(4):
        optimizer.zero_grad()
        model(torch.ones(2, 4)).square().mean().backward()
        if planted:
            model[0].weight.grad = torch.zeros_like(model[0].weight)
        optimizer.step()
    return worker

"""
FORK = """
for worker in range(2):
    if not (child := os.fork()):
        train(worker)
        os._exit(0)
    os.waitpid(child, 0)
"""
FORK_TO_THE_END = """
for worker in range(2):
    if not (child := os.fork()):
        train(worker)
        sys.exit(0)
    os.waitpid(child, 0)
"""
POOL = """
import multiprocessing
if __name__ == "__main__":
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        pool.map(train, range(2), chunksize=1)
"""
EXECUTOR = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("{method}")) as pool:
        assert list(pool.map(train, range(2))) == [0, 1]
"""
SUBPROCESS = """
import subprocess
if len(sys.argv) > 1 and sys.argv[1] == "worker":
    train(int(sys.argv[2]))
else:
    for worker in "01":
        subprocess.run([sys.executable, __file__, "worker", worker, *sys.argv[1:]], check=True)
"""
KINDS = {
    "os.fork": FORK,
    "os.fork, through the end of the script": FORK_TO_THE_END,
    "Pool of forks": POOL.format(method="fork"),
    "Pool of new interpreters": POOL.format(method="spawn"),
    "Pool of a fork server": POOL.format(method="forkserver"),
    "ProcessPoolExecutor": EXECUTOR.format(method="spawn"),
    "subprocess": SUBPROCESS,
}
RANK = """
import torch.distributed as dist
dist.init_process_group("gloo")
train(dist.get_rank())
dist.destroy_process_group()
"""
LAUNCHERS = {
    "torch.distributed.run": ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
    "accelerate": ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"],
}
LIGHTNING = """
import lightning, os, sys, torch

class Model(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.body, self.head = torch.nn.Linear(4, 4), torch.nn.Linear(4, 1)
        self.body.requires_grad_(False)

    def training_step(self, batch, index):
        return self.head(self.body(batch)).square().mean()

    def on_before_optimizer_step(self, optimizer):
        if self.global_rank == 1 and "planted" in sys.argv:
            self.body.weight.grad = torch.zeros_like(self.body.weight)

    def configure_optimizers(self):
        return torch.optim.SGD([{"params": self.parameters(), "weight_decay": 0.1}], lr=0.1)

if __name__ == "__main__":
    torch.set_num_threads(1)
    trainer = lightning.Trainer(
        max_steps=4, accelerator="cpu", devices=2, strategy="ddp", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )
    trainer.fit(Model(), torch.utils.data.DataLoader(torch.ones(16, 4), batch_size=2))
"""


@pytest.fixture(autouse=True)
def is_installed() -> None:
    """What starts the observation of a new interpreter lies beside the package, where installing it has put it."""
    found = [path for path in sys.path if (Path(path) / "frostline_children.pth").is_file()]
    assert found, "install the package again: pip install --editable ."


def run(folder: Path, script: str, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    (folder / "train.py").write_text(script)
    command = [sys.executable, "-m", "frostline", "run", *options, *words]
    environment = os.environ | ({} if script is LIGHTNING else WITHOUT_COMPILER) | {"PYTHONFAULTHANDLER": "1"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        stdout, stderr = process.communicate(timeout=200)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGABRT)  # each process says where it is
        pytest.fail(f"it hangs:\n{process.communicate()[1]}")
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def found_in(folder: Path) -> dict[str, object]:
    """The errors of the run, each with the processes in which alone it was found."""
    record = stored_run.load(folder / ".frostline.json")
    return {
        finding.rule: next((told for key, told in finding.evidence.items() if key.startswith("only_in")), None)
        for finding in record.findings
        if finding.severity == "error"
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_a_process_that_is_not_the_first_is_found(kind: str, tmp_path: Path) -> None:
    done = run(tmp_path, WORKER + KINDS[kind], "train.py", "planted")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    [(rule, processes)] = found_in(tmp_path).items()
    assert rule == "frozen-but-decayed"
    assert processes is None or len(processes) == 1  # a pool may give both tasks to one process
    assert len(re.findall(r"(?m)^frostline: .*\n?.*\d+ errors?\b", done.stderr)) == 1  # one report


@pytest.mark.parametrize("kind", ["os.fork", "Pool of new interpreters"])
def test_healthy_processes_are_quiet(kind: str, tmp_path: Path) -> None:
    done = run(tmp_path, WORKER + KINDS[kind], "train.py", options=("--fail-on", "warning"))
    assert done.returncode == 0, done.stderr
    assert "no contradiction found (0 errors, 0 warnings, " in done.stderr


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_fault_in_a_rank_of_a_launcher_below_is_found(launcher: str, tmp_path: Path) -> None:
    done = run(tmp_path, WORKER + RANK, *LAUNCHERS[launcher], "train.py", "planted")
    assert done.returncode == 0, done.stderr
    assert found_in(tmp_path).items() >= {"frozen-but-decayed": ["1"]}.items()
    assert [path.name for path in parts(tmp_path / ".frostline.json")] == ["rank-0.json", "rank-1.json"]


@pytest.mark.needs("lightning")
def test_a_fault_in_a_rank_that_lightning_starts_is_found(tmp_path: Path) -> None:
    done = run(tmp_path, LIGHTNING, "train.py", "planted")
    assert done.returncode == 0, done.stderr
    assert found_in(tmp_path).items() >= {"frozen-but-decayed": ["1"]}.items()
    assert stored_run.load(tmp_path / ".frostline.json").run.world_size == 2


def test_what_a_child_waits_for_are_the_frameworks() -> None:
    assert tuple(FRAMEWORKS) == environment.NAMES


def test_a_child_that_trains_nothing_loads_next_to_nothing() -> None:
    """What it waits with is all that it pays for: nothing slow of the standard library, nothing more of frostline."""

    def loaded(**variables: str) -> set[str]:
        command = [sys.executable, "-c", "import sys; print(*sys.modules)"]
        done = subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    own = {"frostline", "frostline.version", "frostline.run", "frostline.run.child_start", "frostline.run.environment"}
    assert loaded(**{environment.VARIABLE: "{}"}) - loaded() - {"__future__"} == own
