"""Runs one script under ``frostline run`` and brings back its record.

A trial is a fork of a server that has loaded the libraries once, since importing them takes ten times as long as the
script. For PyTorch that is the one server of ``multiprocessing``; Keras needs one for each backend.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import runpy
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from threading import Lock

from corpus.cases import Trial
from corpus.serving import on_server
from frostline import judging
from frostline.core.record import Record
from frostline.errors import RecordError
from frostline.run.combine import combine
from frostline.run.files import run_folder

# Libraries that scripts import, in the order in which the server loads them.
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

# What a server of each backend of Keras loads.
KERAS = {
    "jax": ("keras", "jax"),
    "torch": ("torch", "keras"),
    "tensorflow": ("tensorflow", "keras"),
    "": ("tensorflow", "tf_keras"),
}

# What the server of JAX without Keras loads.
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
_asking = Lock()

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
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(PRELOADED))


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
            execute = _fresh if not warm else {"torch": _forked, "jax": _served_jax}.get(trial.case.framework, _served)
            status = execute(arguments, log, trial.backend)
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


def in_torch(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], *, is_merged: bool = False
) -> subprocess.CompletedProcess[str]:
    """What came of a command of Python, in a fork of a server that has torch loaded, which leaves no file of its own.

    Args:
        words: as Python takes them: a script or ``-m`` and a module, then their arguments.
        folder: where the command runs.
        environment: all of its variables.
        is_merged: whether stdout and stderr are one file, as on a terminal, and told as stdout.
    """
    with tempfile.TemporaryDirectory(prefix="corpus-") as beside:
        output, errors = Path(beside) / "stdout.txt", Path(beside) / "stderr.txt"
        errors.touch()
        status = on_server(PRELOADED[:2], environment, words, folder, output, output if is_merged else errors, TIMEOUT)
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
        status = in_fork(_script, (str(script), str(log)))
        printed = log.read_text(errors="replace")
    if status != 0:
        raise RuntimeError(f"{script} ended with status {status}: {_last_line(printed)}")
    return printed


def _fresh(arguments: list[str], log: Path, backend: str) -> int:
    environment = _environment(backend)
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


def _forked(arguments: list[str], log: Path, _backend: str) -> int:
    return in_fork(_observed, (arguments, str(log)))


def _served(arguments: list[str], log: Path, backend: str) -> int:
    return on_server(
        KERAS[backend], _environment(backend), ["-m", "frostline", *arguments], log.parent, log, log, TIMEOUT
    )


def _served_jax(arguments: list[str], log: Path, _backend: str) -> int:
    return on_server(JAX, dict(os.environ), ["-m", "frostline", *arguments], log.parent, log, log, TIMEOUT)


def _environment(backend: str) -> dict[str, str]:
    """With the backend of Keras; tf_keras loads TensorFlow's other Keras too, which must not bring one of its own."""
    return {**os.environ, "KERAS_BACKEND": backend or "tensorflow"}


def in_fork(target: Callable[..., None], arguments: tuple[object, ...], timeout: int = TIMEOUT) -> int:
    """The exit status of a function, run in a fork of the server that ``prepare`` loads; killed after so many seconds.

    multiprocessing asks after all its processes whenever it starts one. Of two threads that ask after the same one at
    the same moment, one gets a wrong answer: hence the lock.
    """
    process = multiprocessing.get_context("forkserver").Process(target=target, args=arguments)
    with _asking:
        process.start()
    wait([process.sentinel], timeout)
    with _asking:
        if process.exitcode is None:
            process.kill()
            process.join()
        return -1 if process.exitcode is None else process.exitcode


def _observed(arguments: list[str], log: str) -> None:
    """The command line, in a forked process."""
    _redirect(log)
    from frostline.cli import main

    main(arguments)


def _script(script: str, log: str) -> None:
    """The script alone, in a forked process."""
    _redirect(log)
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")


def _redirect(log: str) -> None:
    """What is printed goes to ``log``, and what the script writes into the folder around it."""
    os.chdir(Path(log).parent)
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2][:200]
