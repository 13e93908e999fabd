"""Calls a function that a file holds, in a process that a server has forked."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path


def write(file: Path, target: Callable[..., None], arguments: tuple[object, ...]) -> None:
    """Store the call, and where its modules are found; the function is importable by its name."""
    with file.open("wb") as stored:
        pickle.dump(sys.path, stored)
        pickle.dump((target, arguments), stored)


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as call:
        sys.path[:] = pickle.load(call)
        target, arguments = pickle.load(call)
    target(*arguments)
