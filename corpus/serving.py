"""Servers that have loaded a framework once, and run commands again and again, each time in a fork of themselves.

A framework survives a fork as long as nothing was computed with it, and a server computes nothing. All processes below
the one that names a folder in ``FROSTLINE_SERVERS`` share their servers; one that has none names its own.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import hashlib
import importlib
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn

SHARED = "FROSTLINE_SERVERS"
_ATTEMPTS = 3  # a server ends with the process that started it, which others cannot foresee
_started: list[subprocess.Popen[str]] = []  # a server ends where nobody keeps the other end of its stdin
_starting = threading.Lock()


def share_servers() -> None:
    """Let this process and those that it starts use the same servers, which end with them."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="servers-")
        atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)


def on_server(
    preloaded: Sequence[str],
    environment: Mapping[str, str],
    words: Sequence[str],
    folder: Path,
    output: Path,
    errors: Path,
    timeout: int,
) -> int:
    """The exit status of a command of Python, run in a fork of a server; one is started if there is none.

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
    share_servers()
    kind = " ".join((*preloaded, environment.get("KERAS_BACKEND", "")))
    place = Path(os.environ[SHARED], hashlib.sha1(kind.encode()).hexdigest()[:8])
    order = json.dumps([list(words), dict(environment), str(folder), str(output), str(errors), timeout])
    for _ in range(_ATTEMPTS):
        with _server(place, preloaded, environment) as server, contextlib.suppress(ConnectionError):
            server.sendall(order.encode() + b"\n")
            if status := server.makefile().readline():
                return int(status)
    raise RuntimeError(f"a server ended: {place.with_suffix('.err').read_text(errors='replace')}")


def _server(place: Path, preloaded: Sequence[str], environment: Mapping[str, str]) -> socket.socket:
    """A connection to the server of this place, which is started if nobody listens there."""
    with _starting, place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
            return _connection(place)
        place.unlink(missing_ok=True)
        with place.with_suffix(".err").open("w") as errors:
            server = subprocess.Popen(
                [sys.executable, "-m", "corpus.serving", str(place), *preloaded],
                stdin=subprocess.PIPE,  # it ends where this is closed, which the end of this process does
                stdout=subprocess.PIPE,
                stderr=errors,
                env=dict(environment),
                cwd=Path(__file__).parents[1],
                text=True,
            )
        _started.append(server)
        assert server.stdout is not None
        server.stdout.readline()  # it listens; what it loads meanwhile, a command waits for
        return _connection(place)


def _connection(place: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(place))
    except OSError:
        connection.close()
        raise
    return connection


def _serve(place: str, preloaded: Sequence[str]) -> None:
    """Take commands until stdin is closed; those that run then come to their end."""
    waiting: dict[int, socket.socket] = {}  # by the process of the command
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(place)
        listener.listen(64)
        print("listening", flush=True)
        for name in preloaded:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # a collector that looks at what the server has loaded would copy all of it
        ended, wake = socket.socketpair()
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        for source in (sys.stdin, listener, ended):
            selector.register(source, selectors.EVENT_READ)
        open_ = True
        while open_ or waiting:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    connection = listener.accept()[0]
                    waiting[_begin(connection)] = connection
                elif key.fileobj is ended:
                    ended.recv(4096)
                    _tell_ended(waiting)
                else:
                    open_ = False
                    os.unlink(place)
                    selector.unregister(sys.stdin)
                    selector.unregister(listener)


def _begin(connection: socket.socket) -> int:
    """Fork the process of the command that this connection asks for."""
    words, environment, folder, output, errors, timeout = json.loads(connection.makefile().readline())
    child = os.fork()
    if child == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        connection.close()
        signal.alarm(timeout)
        os.environ.clear()
        os.environ.update(environment)
        _be(words, folder, output, errors)
    return child


def _tell_ended(waiting: dict[int, socket.socket]) -> None:
    """Tell the status of every command that has ended to whoever asked for it."""
    for child in list(waiting):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with waiting.pop(child) as connection, contextlib.suppress(ConnectionError):
                connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


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
    _serve(sys.argv[1], sys.argv[2:])
