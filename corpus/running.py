"""Runs one script under ``frostline run`` and brings back its record.

A trial is a fork of a server that has loaded the libraries once, since importing them takes ten times as long as the
script.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from corpus import calling
from corpus.cases import Trial
from corpus.serving import on_server
from frostline import judging
from frostline.core.record import Record
from frostline.errors import RecordError
from frostline.run.combine import combine
from frostline.run.files import run_folder

# Libraries that scripts of PyTorch import, in the order in which their server loads them.
PRELOADED = (
    "torch",
    "torch._dynamo",
    "sklearn.datasets",
    "schedulefree",
    "transformers.models.bert.modeling_bert",
    "transformers.models.gpt2.modeling_gpt2",
    "transformers.trainer",
    "peft",
    "accelerate",
    "lightning.pytorch",
)

# The same for each backend of Keras.
KERAS = {
    "jax": ("keras", "jax"),
    "torch": ("torch", "keras"),
    "tensorflow": ("tensorflow", "keras"),
    "": ("tensorflow", "tf_keras"),
}

# The same for JAX without Keras.
JAX = ("jax", "flax.nnx", "flax.linen", "optax", "equinox")

# One core for each trial, and no second framework loaded by a library that only looks whether it is there.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "USE_TF": "0",
    "USE_FLAX": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "CUDA_VISIBLE_DEVICES": "",
}

TIMEOUT = 300

# What no two runs share: what a transformers Trainer and a fit of Keras print.
_DURATIONS = re.compile(r"'\w+_(runtime|per_second)': [\d.e-]+|\b\d+(ms|us|s)(/(step|epoch))?\b")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one trial: the record, or why there is none; what the script printed; how long it took.

    ``each`` holds the records of all processes, which ``record`` combines.
    """

    trial: Trial
    record: Record | None
    printed: str
    problem: str = ""
    seconds: float = 0.0
    each: tuple[Record, ...] = ()


def without_durations(printed: str) -> str:
    """What a script printed, to be compared with another run of it."""
    return _DURATIONS.sub("", printed)


def prepare() -> None:
    """Set the environment of all trials; to be called before the first one."""
    os.environ.update(ENVIRONMENT)


def run(trial: Trial, *, warm: bool = True) -> Outcome:
    """Run a trial's script under frostline, with the case's options, in a process of its own.

    Args:
        trial: what to run.
        warm: fork from the server that has the libraries loaded, or a fresh interpreter.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        data, log = Path(folder) / "record.json", Path(folder) / "printed.txt"
        arguments = ["run", "--quiet", "--data", str(data), *trial.case.options, str(trial.script)]
        if trial.case.processes > 1:
            status = _together(arguments, log, trial.case.processes)
        else:
            preloaded = {"torch": PRELOADED, "jax": JAX}.get(trial.case.framework) or KERAS[trial.backend]
            status = (_served if warm else _fresh)(arguments, log, _environment(trial.backend), preloaded)
        printed = log.read_text(errors="replace") if log.exists() else ""
        seconds = time.perf_counter() - started
        if status != trial.case.exit:
            return Outcome(trial, None, printed, f"exit status {status}: {_last_line(printed)}", seconds)
        try:
            each = _records(data, trial.case.processes)
        except RecordError as error:
            return Outcome(trial, None, printed, error.message, seconds)
        return Outcome(trial, combine(each) if len(each) > 1 else each[0], printed, "", seconds, each)


def _records(data: Path, processes: int) -> tuple[Record, ...]:
    if processes == 1:
        return (judging.load(data),)
    return tuple(map(judging.load, run_folder.parts(run_folder.found(run_folder.runs_folder(data)))))


def in_keras(backend: str, words: Sequence[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What came of a command of Python, in a fork of a server that has one backend of Keras loaded.

    Args:
        backend: jax, torch, tensorflow, or nothing for tf_keras.
        words: as Python takes them: a script or ``-m`` and a module, then their arguments.
        folder: where the command runs; what it prints lies there too.
        variables: of the environment, beside those of all trials.

    Returns:
        As of ``subprocess.run`` with text captured.
    """
    output, errors = folder / "stdout.txt", folder / "stderr.txt"
    environment = {**_environment(backend), **ENVIRONMENT, **variables}
    status = on_server(KERAS[backend], environment, words, folder, output, errors, TIMEOUT)
    return _completed(words, status, output, errors)


def in_jax(words: Sequence[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """What came of a command of Python, in a fork of a server that has JAX and its libraries loaded."""
    output, errors = folder / "stdout.txt", folder / "stderr.txt"
    environment = {**os.environ, **ENVIRONMENT, **variables}
    return _completed(words, on_server(JAX, environment, words, folder, output, errors, TIMEOUT), output, errors)


def in_torch(words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """What came of a command of Python, in a fork of a server that has torch loaded; see ``in_framework``."""
    return in_framework("torch", words, folder, environment)


def in_framework(
    framework: str, words: Sequence[str], folder: Path, environment: Mapping[str, str], *, is_merged: bool = False
) -> subprocess.CompletedProcess[str]:
    """What came of a command of Python, in a fork of a server with a framework, which leaves no file of its own.

    Args:
        framework: torch, jax, or keras on the backend jax.
        words: as Python takes them: a script or ``-m`` and a module, then their arguments.
        folder: where the command runs.
        environment: all of its variables.
        is_merged: whether stdout and stderr are one file, as on a terminal, and told as stdout.
    """
    with tempfile.TemporaryDirectory(prefix="corpus-") as beside:
        output, errors = Path(beside) / "stdout.txt", Path(beside) / "stderr.txt"
        errors.touch()
        preloaded = {"torch": PRELOADED[:2], "jax": JAX, "keras": KERAS["jax"]}[framework]
        status = on_server(preloaded, environment, words, folder, output, output if is_merged else errors, TIMEOUT)
        return _completed(words, status, output, errors)


def _completed(words: Sequence[str], status: int, output: Path, errors: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess(
        list(words), status, output.read_text(errors="replace"), errors.read_text(errors="replace")
    )


def plainly(script: Path) -> str:
    """What a PyTorch script prints without frostline.

    Raises:
        RuntimeError: the script failed.
    """
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        log = Path(folder) / "printed.txt"
        status = on_server(PRELOADED, dict(os.environ), [str(script)], Path(folder), log, log, TIMEOUT)
        printed = log.read_text(errors="replace")
    if status != 0:
        raise RuntimeError(f"{script} ended with status {status}: {_last_line(printed)}")
    return printed


def _fresh(arguments: list[str], log: Path, environment: dict[str, str], _: Sequence[str]) -> int:
    command = [sys.executable, "-m", "frostline", *arguments]
    with log.open("wb") as output:
        try:
            ended = subprocess.run(
                command, stdout=output, stderr=output, env=environment, cwd=log.parent, timeout=TIMEOUT
            )
            return ended.returncode
        except subprocess.TimeoutExpired:
            return -1


@contextmanager
def meeting_place() -> Iterator[dict[str, str]]:
    """The variables by which processes that train together find each other; nobody else gets the port meanwhile.

    A port is taken as long as a socket is bound to it; whoever shares addresses, as torch does, may listen there still.
    """
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        yield {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}


def in_torch_together(
    commands: Sequence[Sequence[str]], folder: Path, **variables: str
) -> list[subprocess.CompletedProcess[str]]:
    """What came of commands of Python that train together, each with the variables that torchrun sets.

    Args:
        commands: one for each rank, as ``in_torch`` takes them.
        folder: where they run.
        variables: of the environment, beside those of these tests.
    """
    with meeting_place() as meeting, ThreadPoolExecutor(len(commands)) as pool:
        shared = {**os.environ, **ENVIRONMENT, **meeting, "WORLD_SIZE": str(len(commands)), **variables}
        each = [{**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(len(commands))]
        return list(pool.map(in_torch, commands, [folder] * len(commands), each))


def _together(arguments: list[str], log: Path, processes: int) -> int:
    """The gravest exit status of processes that train together; what they print goes to the log."""
    done = in_torch_together([["-m", "frostline", *arguments]] * processes, log.parent)
    log.write_text("".join(each.stdout + each.stderr for each in done), "utf-8")
    return max(abs(each.returncode) for each in done)


def _served(arguments: list[str], log: Path, environment: dict[str, str], preloaded: Sequence[str]) -> int:
    return on_server(preloaded, environment, ["-m", "frostline", *arguments], log.parent, log, log, TIMEOUT)


def _environment(backend: str) -> dict[str, str]:
    """With the backend of Keras; tf_keras loads TensorFlow's other Keras too, which must not bring one of its own."""
    return {**os.environ, "KERAS_BACKEND": backend or "tensorflow"}


def in_fork(target: Callable[..., None], arguments: tuple[object, ...], timeout: int = TIMEOUT) -> int:
    """The exit status of a function, run in a fork of the server of PyTorch; killed after so many seconds.

    What it prints is lost, unless it opens a file for it.
    """
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        call, log = Path(folder) / "call.pickle", Path(folder) / "printed.txt"
        calling.write(call, target, arguments)
        words = ["-m", calling.__name__, str(call)]
        return on_server(PRELOADED, dict(os.environ), words, Path(folder), log, log, timeout)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:200]
