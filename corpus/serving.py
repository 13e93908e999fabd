"""Servers that have loaded a framework once, and run commands again and again, each time in a fork of themselves.

A framework survives a fork as long as nothing was computed with it, and a server computes nothing.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
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

    Raises:
        RuntimeError: the server has ended, as where a module cannot be imported.
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
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # open as long as the server runs
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=dict(environment),
            cwd=Path(__file__).parents[1],
            text=True,
        )

    def run(self, order: list[object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        if status := self._process.stdout.readline():
            return int(status)
        self._errors.seek(0)
        raise RuntimeError(f"a server ended with {self._process.wait()}: {self._errors.read()}")


def _serve(preloaded: Sequence[str]) -> None:
    for name in preloaded:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collector that looks at what the server has loaded would copy all of it
    for line in sys.stdin:
        words, environment, folder, output, errors, timeout = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.alarm(timeout)
            os.environ.clear()
            os.environ.update(environment)
            _be(words, folder, output, errors)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _be(words: list[str], folder: str, output: str, errors: str) -> NoReturn:
    """Be the process of one command, which ends here; what it writes goes into the folder."""
    os.chdir(folder)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for path, descriptor in ((output, 1), (errors, 2)):
        os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_APPEND), descriptor)
    try:
        _run(words)
        status = 0
    except SystemExit as leaving:
        status = _status(leaving.code)
    except BaseException as error:
        trace = _from_script(error.__traceback__, os.path.abspath(words[0]))
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        status = 1
    _end(status)


def _run(words: list[str]) -> None:
    if words[0] == "-m":
        sys.argv = words[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        sys.path[0] = str(Path(words[0]).parent)
        runpy.run_path(os.path.abspath(words[0]), run_name="__main__")


def _status(code: object) -> int:
    """What a process leaves with that says ``sys.exit(code)``; what is no number is printed."""
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return 1


def _from_script(trace: TracebackType | None, script: str) -> TracebackType | None:
    """What python prints of a traceback that came through here: it begins in the script."""
    while trace is not None and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    return trace


def _end(status: int) -> NoReturn:
    """Do what python does at its end, but for taking down the modules: that copies all which the server has loaded."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    _serve(sys.argv[1:])
