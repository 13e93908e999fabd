"""Servers that have loaded a framework once, and run frostline again and again, each time in a fork of themselves.

A framework survives a fork as long as nothing was computed with it, and a server computes nothing.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

_idle: dict[tuple[str, ...], list[_Server]] = {}
_lock = Lock()


def on_server(
    preloaded: Sequence[str], environment: Mapping[str, str], arguments: Sequence[str], log: Path, timeout: int
) -> int:
    """The exit status of frostline, run in a fork of a server that is idle; one is started where there is none.

    Args:
        preloaded: modules that the server imports.
        environment: of the server and of all that runs in it.
        arguments: for the command line of frostline.
        log: takes stdout and stderr.
        timeout: in seconds; a command that takes longer is killed, with status -9.
    """
    kind = (*preloaded, environment.get("KERAS_BACKEND", ""))
    with _lock:
        idle = _idle.setdefault(kind, [])
        server = idle.pop() if idle else _Server(preloaded, environment)
    status = server.run(arguments, log, timeout)
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

    def run(self, arguments: Sequence[str], log: Path, timeout: int) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(arguments), str(log), timeout]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline() or -1)


def _serve(preloaded: Sequence[str]) -> None:
    for name in preloaded:
        importlib.import_module(name)
    for line in sys.stdin:
        arguments, log, timeout = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.alarm(timeout)
            _run(arguments, log)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _run(arguments: list[str], log: str) -> None:
    """Be the process of one run, which ends here; what the script writes goes into the log's folder."""
    os.chdir(Path(log).parent)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    written = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(written, 1)
    os.dup2(written, 2)
    from frostline.cli import main

    main(arguments)


if __name__ == "__main__":
    _serve(sys.argv[1:])
