"""Runs trainings under real launchers: ``python -m tests.launchers [NAME...]``; exit 1 where one is judged wrongly.

Each is run twice. Healthy, all ranks must be known and nothing found that weighs more than a note; with a fault in a
process that is not the first, an error must be found. The status of the script must be the script's both times.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from frostline import judging

SCRIPTS = Path(__file__).parent / "scripts"
SECONDS = 600
PYTHON = [sys.executable]
OBSERVED = ["-m", "frostline", "run", "--quiet"]
TORCHRUN = [*PYTHON, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

Commands = Callable[[list[str]], list[tuple[list[str], dict[str, str]]]]


def one(*words: str) -> Commands:
    """One command that starts the processes itself."""
    return lambda more: [([*words, *more], {})]


def each(*words: str) -> Commands:
    """A command for each of two processes, with the variables that a scheduler would set."""

    def commands(more: list[str]) -> list[tuple[list[str], dict[str, str]]]:
        with socket.socket() as free:
            free.bind(("localhost", 0))
            place = {"COORDINATOR": f"localhost:{free.getsockname()[1]}", "WORLD_SIZE": "2"}
        place["FROSTLINE_RUN_ID"] = "launched"
        return [([*words, *more], {**place, "RANK": str(rank)}) for rank in range(2)]

    return commands


LAUNCHERS: dict[str, Commands] = {
    "torchrun": one(*TORCHRUN, *OBSERVED, str(SCRIPTS / "ddp.py")),
    "observed torchrun": one(*PYTHON, *OBSERVED, "-m", *TORCHRUN[2:], str(SCRIPTS / "ddp.py")),
    "accelerate": one(*TORCHRUN, *OBSERVED, str(SCRIPTS / "accelerated.py")),
    "Trainer": one(*TORCHRUN, *OBSERVED, str(SCRIPTS / "trainer.py")),
    "Lightning ddp": one(*PYTHON, *OBSERVED, str(SCRIPTS / "lit.py"), "--ddp"),
    "Lightning ddp_spawn": one(*PYTHON, *OBSERVED, str(SCRIPTS / "lit.py"), "--ddp_spawn"),
    "Keras on jax": each(*PYTHON, *OBSERVED, str(SCRIPTS / "keras_on_jax.py")),
}


def judged(commands: Commands, fault: bool) -> str:
    """What is wrong with how a training was judged; empty where nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        running = [
            subprocess.Popen(
                words,
                cwd=folder,
                env={**environment, **own},
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            for words, own in commands(["--fault"] if fault else [])
        ]
        told = [process.communicate(timeout=SECONDS)[0] for process in running]
        if any(process.returncode for process in running):
            return f"ended with {[process.returncode for process in running]}: {''.join(told)[-3000:]}"
        record = judging.load(Path(folder) / ".frostline.json")
    run = record.run
    found = {each.rule: each.severity for each in record.findings if each.severity != "note"}
    if run.world_size != 2 or run.missing or run.faults:
        return f"of {run.world_size} ranks {run.missing} are missing; {run.faults}"
    if fault:
        return "" if "error" in found.values() else f"the fault was not found: {found or 'nothing was'}"
    return f"found in a healthy run: {found}" if found else ""


def main(names: list[str]) -> int:
    wrong = 0
    for name in names or LAUNCHERS:
        for fault in (False, True):
            said = judged(LAUNCHERS[name], fault)
            wrong += bool(said)
            print(f"{name}, {'with a fault' if fault else 'healthy'}: {said or 'as it should be'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
