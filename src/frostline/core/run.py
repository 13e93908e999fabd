"""How a script was run, and how it ended."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_DATA = Path(".frostline.json")  # where the record of a run goes
FAULTS_KEPT = 20  # of errors inside frostline; more are as good as these


@dataclass(slots=True)
class Run:
    """How the script was run and how it ended; ``faults`` are errors inside frostline itself, by place and reason.

    ``pid`` and ``host`` are the process and the machine, so that a record that is never completed can be explained.
    ``commit`` is that of git where the script was started. ``id`` is the same in all processes of one run. ``missing``
    says of which of them nothing, or not all, is known, ``idle`` which came to their end without a step.
    ``own_seconds`` are those of the ``seconds`` in which frostline set itself up, made its checks, and stored what it
    saw; what it does in steps that are no checks is not counted.
    """

    command: list[str] = field(default_factory=list)
    id: str = ""
    exit: int | None = None
    complete: bool = False
    pid: int | None = None
    host: str = ""
    commit: str = ""
    rank: int | None = None
    world_size: int | None = None
    frameworks: dict[str, str] = field(default_factory=dict)
    python: str = ""
    started: str = ""
    seconds: float = 0.0
    own_seconds: float = 0.0
    checks: int = 0
    bytes_read: int = 0
    steps: int = 0
    ended_by: str | None = None
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)


def is_alive(run: Run) -> bool | None:
    """Whether the process of a run goes on; None where nothing can be known, as of another machine's processes.

    Example:
        >>> is_alive(Run(pid=os.getpid(), host=platform.node())), is_alive(Run(pid=1, host="elsewhere"))
        (True, None)
    """
    if run.pid is None or run.host != platform.node() or os.name != "posix":
        return None
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
