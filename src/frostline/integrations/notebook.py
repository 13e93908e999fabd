"""A line below the cell that trains, in a notebook: how far the run is, and what was found so far."""

from __future__ import annotations

import sys
from typing import Any

from frostline.core.record import Record
from frostline.core.verdict import headline
from frostline.run.session import CheckListener


def listeners() -> tuple[CheckListener, ...]:
    """The progress line, where this process is the kernel of a notebook; none elsewhere.

    >>> listeners()
    ()
    """
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return (ProgressLine(module.display.display),) if module is not None and hasattr(shell, "kernel") else ()


class ProgressLine:
    """A line that is written anew at each check, and says in the end what was found.

    Args:
        display: IPython's function.
    """

    purpose = "the progress line of a notebook"

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    def write(self, record: Record) -> None:
        """See CheckListener; what trains nothing, as a look at the flags, has no line."""
        if not record.run.steps:
            return
        state = "step" if record.run.complete else "training, step"
        text = f"frostline: {state} {record.run.steps:,}: {headline(record)}"
        if self._handle is None:
            self._handle = self._display({"text/plain": text}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": text}, raw=True)

    def close(self) -> None:
        """See CheckListener; the last line stays."""
