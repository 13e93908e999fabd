"""Processes that stay warm: one for each backend, which imports its framework once and answers trial after trial."""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import subprocess
import sys
import warnings
from pathlib import Path
from typing import IO, Any

TIMEOUT = 180
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "",
}


class Server:
    """A process that has imported ``module`` and calls its ``run`` for every question.

    Args:
        module: has ``run(question) -> dict``; question and answer are JSON.
        backend: of Keras, or empty.
    """

    def __init__(self, module: str, backend: str = "") -> None:
        self._module, self._backend = module, backend
        self._process: subprocess.Popen[str] | None = None

    def ask(self, question: Any) -> dict[str, Any]:
        """The answer, or ``{"ended": reason}`` when the process died over it or took too long."""
        process = self._process = self._process or self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        line = _line(process.stdout)
        if line:
            return json.loads(line)
        process.kill()
        self._process = None
        return {"ended": f"the process ended with status {process.wait()}, or took more than {TIMEOUT} s"}

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        # tf_keras brings Keras along. On torch that would load Triton, whose LLVM and TensorFlow's refuse each other.
        environment = {**os.environ, **ENVIRONMENT, "KERAS_BACKEND": self._backend or "jax"}
        return subprocess.Popen(
            [sys.executable, "-m", "studies.serving", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=Path(__file__).parents[1],
            text=True,
            bufsize=1,
        )


def _line(stream: IO[str]) -> str:
    ready, _, _ = select.select([stream], [], [], TIMEOUT)
    return stream.readline() if ready else ""


def _serve(module: str) -> None:
    """Answer lines from stdin; what trials print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    run = importlib.import_module(module).run
    gc.collect()
    gc.freeze()  # what the imports left behind need not be gone through again by every trial
    for line in sys.stdin:
        out.write(json.dumps(run(json.loads(line))) + "\n")


if __name__ == "__main__":
    _serve(sys.argv[1])
