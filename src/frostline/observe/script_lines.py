"""The line of the user's script that is being executed: what frostline and installed packages do was called by it."""

from __future__ import annotations

import os
import sys
import sysconfig
from types import FrameType

from frostline.core.events.fact import Origin

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_PACKAGES = tuple({sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib", "platstdlib")})


def script_line() -> Origin | None:
    """Where the script is now: the first frame that is neither ours nor a package's, and what it called there.

    Example:
        >>> script_line() is None or script_line().line > 0
        True
    """
    frame: FrameType | None = sys._getframe(1)
    inside = ""
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(("<", _OURS, *_PACKAGES)):
            return Origin(os.path.basename(code.co_filename), frame.f_lineno, code.co_name.strip("<>"), inside)
        if not code.co_filename.startswith(("<", _OURS)):
            inside = code.co_name
        frame = frame.f_back
    return None
