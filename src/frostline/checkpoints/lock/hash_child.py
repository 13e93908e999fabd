"""Run as a process of its own: BLAKE3 of ranges of a file that it maps into memory, the fastest way to hash one.

A file that is cut short while it is mapped kills the process that mapped it: this one, and not the one that asked.
"""

from __future__ import annotations

import _thread
import mmap
import os
import sys
from collections.abc import Iterator

# Started without `site`, and without `threading`, `json` and others of the library that load much: with them the start
# takes as long as hashing 256 MiB.
sys.path.append(sys.argv[2])

from blake3 import blake3

# Mapped pages count as memory, and larger windows are no faster. All but the last are a power of two long, counted from
# the range's own beginning: other pieces would not fall on the joints of BLAKE3's tree, and would be hashed in crumbs.
WINDOW = 16 * 2**20
MOST_WORKERS = 8


def windows(descriptor: int, offset: int, count: int) -> Iterator[memoryview]:
    """The bytes of a range, one mapped window at a time, so that memory stays small."""
    stop = offset + count
    for at in range(offset, stop, WINDOW):
        start = at // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        length = min(at + WINDOW, stop) - start
        with (
            mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, offset=start) as window,
            memoryview(window) as view,
            view[at - start :] as wanted,
        ):
            yield wanted


def digest(descriptor: int, offset: int, count: int, threads: int) -> str:
    """BLAKE3 of one range."""
    machine = blake3(max_threads=threads)
    for window in windows(descriptor, offset, count):
        machine.update(window)
    return str(machine.hexdigest())


def main(descriptor: int, ranges: list[tuple[int, int]]) -> None:
    """Print the number and the digest of each range as they come.

    Small ranges are hashed several at a time, one thread each. One that is more than its share of the whole would
    leave the other cores idle, so all of them hash it together.
    """
    workers = min(MOST_WORKERS, os.cpu_count() or 1)
    share = sum(count for _, count in ranges) // workers
    order = sorted(range(len(ranges)), key=lambda index: -ranges[index][1])
    large = [index for index in order if ranges[index][1] > share]

    def tell(index: int, threads: int) -> None:
        sys.stdout.write(f"{index} {digest(descriptor, *ranges[index], threads)}\n")
        sys.stdout.flush()

    for index in large:
        tell(index, blake3.AUTO)
    left = iter(order[len(large) :])

    def work(busy: _thread.LockType) -> None:
        try:
            for index in left:
                tell(index, 1)
        finally:
            busy.release()

    at_work = [_thread.allocate_lock() for _ in range(workers)]
    for busy in at_work:
        busy.acquire()
        _thread.start_new_thread(work, (busy,))
    for busy in at_work:
        busy.acquire()


if __name__ == "__main__":
    asked = [line.split() for line in sys.stdin]
    main(int(sys.argv[1]), [(int(offset), int(count)) for offset, count in asked])
