"""When the processes of a large job write: one after the other, since all come to a check at the same step."""

from __future__ import annotations

MANY = 16  # ranks; fewer do no harm to a file system
SECONDS = 0.05


def turn(rank: int | None, size: int | None) -> float:
    """The seconds that a process waits before it writes: the ranks of a large job share ``SECONDS``.

    >>> turn(1, 2), turn(500, 1000)
    (0.0, 0.025)
    """
    if rank is None or size is None or size <= MANY:
        return 0.0
    return SECONDS * rank / size
