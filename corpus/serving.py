"""Servers that have loaded a framework once, and run commands again and again, each time in a fork of themselves.

A framework survives a fork as long as nothing was computed with it, and a server computes nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import NoReturn

_idle: dict[tuple[str, ...], list[_Server]] = {}
_lock = Lock()


def on_server(
    preloaded: Sequence[str],
    environment: Mapping[str, str],
    words: Sequence[str],
    folder: Path,
    output: Path,
    errors: Path,
    timeout: int,
) -> int:
    """The exit status of a command of Python, run in a fork of a server that is idle; one is started if none is.

    Args:
        preloaded: modules that the server imports.
        environment: of the command; what libraries read while they are imported, they take from the server's first.
        words: as Python takes them: a script or ``-m`` and a module, then their arguments.
        folder: where the command runs.
        output: takes stdout.
        errors: takes stderr; may be the same file.
        timeout: in seconds; a command that takes longer is killed, with status -14.
    """
    kind = (*preloaded, environment.get("KERAS_BACKEND", ""))
    with _lock:
        idle = _idle.setdefault(kind, [])
        server = idle.pop() if idle else _Server(preloaded, environment)
    status = server.run([list(words), dict(environment), str(folder), str(output), str(errors), timeout])
    with _lock:
        idle.append(server)
    return status


class _Server:
    """A process that waits for command lines until its stdin is closed, which the end of this process does."""

    def __init__(self, preloaded: Sequence[str], environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "corpus.serving", *preloaded]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd=Path(__file__).parents[1],
            text=True,
        )

    def run(self, order: list[object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline() or -1)


def _serve(preloaded: Sequence[str]) -> None:
    for name in preloaded:
        importlib.import_module(name)
    for line in sys.stdin:
        words, environment, folder, output, errors, timeout = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.alarm(timeout)
            os.environ.clear()
            os.environ.update(environment)
            _run(words, folder, output, errors)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(words: list[str], folder: str, output: str, errors: str) -> NoReturn:
    """Be the process of one command, which ends here; what it writes goes into the folder."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, descriptor in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND), descriptor)
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[0] = str(Path(words[0]).parent)
        runpy.run_path(words[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve(sys.argv[1:])
