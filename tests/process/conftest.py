"""Real processes: the same script under plain python and under frostline."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus.running import in_torch
from tests.without_compiler import WITHOUT_COMPILER

# Of the environment of the tests themselves; it must not reach the processes.
LEFT_OUT = {"RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS", "PMI_RANK", "PMI_SIZE", "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True)
class Done:
    """How a process ended and what it printed."""

    status: int
    stdout: str
    stderr: str


class Shell:
    """Starts processes in a folder of their own; ``plain`` is python, ``observed`` is frostline's ``run``.

    Where it is ``warm``, they are forks of one that has torch loaded already, which takes most of the time. Where it is
    ``lean``, those that are not do without torch's compiler, which takes as long again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warm = self.lean = False
        self.environment = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        self.started: list[subprocess.Popen] = []

    def write(self, name: str, source: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
        return path

    def plain(self, *arguments: str, **options) -> Done:
        return self._quickly(arguments, options)

    def observed(self, *arguments: str, **options) -> Done:
        return self.frostline("run", "--quiet", *arguments, **options)

    def frostline(self, *arguments: str, **options) -> Done:
        return self._quickly(("-m", "frostline", *arguments), options)

    def _quickly(self, words: tuple[str, ...], options: dict) -> Done:
        if not self.warm or options.keys() - {"env"}:
            return self.python(*words, **options)
        done = in_torch(words, self.folder, self.environment | options.get("env", {}))
        return Done(done.returncode, done.stdout, done.stderr)

    @property
    def fresh(self) -> dict[str, str]:
        """The environment of processes that are no forks."""
        return self.environment | (WITHOUT_COMPILER if self.lean else {})

    def python(self, *arguments: str, stdin: str = "", flags: tuple[str, ...] = (), **options) -> Done:
        done = subprocess.run(
            [sys.executable, *flags, *arguments],
            cwd=self.folder,
            env=self.fresh | options.pop("env", {}),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            **options,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Frostline, started and left running, with its output in pipes; it is killed at the test's end."""
        process = subprocess.Popen(
            [sys.executable, "-m", "frostline", *arguments],
            cwd=self.folder,
            env=self.fresh,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=self.by_default,
        )
        self.started.append(process)
        return process

    @staticmethod
    def by_default() -> None:
        """Signals end a process again, even where the tests run in the background and were told to ignore them."""
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)

    def files(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    for process in shell.started:
        process.kill()


@pytest.fixture
def linear(shell: Shell) -> Callable[[str], None]:
    """Writes ``train.py``: three steps of a small torch model, with ``more`` after them."""

    def write(more: str = "") -> None:
        shell.lean = True
        shell.write("train.py", TRAIN + more)

    return write


TRAIN = """\
import torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
model[0].requires_grad_(False)
optimizer = torch.optim.SGD(model[1].parameters(), lr=0.1)
def step():
    optimizer.zero_grad()
    model(torch.randn(5, 4)).square().mean().backward()
    optimizer.step()
for _ in range(3):
    step()
"""
