"""The garbage collector while we work: a check and the judging make so many small objects that it would set in.

It would go through every object of the process for cycles that we do not make, which takes a second where a hundred
thousand tensors are known; and it would run finalizers of the script's objects inside of a step.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection sets in; afterwards the collector is as it was.

    >>> with collector_paused():
    ...     print(gc.isenabled())
    False
    >>> gc.isenabled()
    True
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
