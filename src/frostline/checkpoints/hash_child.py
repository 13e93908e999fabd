"""Run as a process of its own: BLAKE3 of ranges of a file that it maps into memory, the fastest way to hash one.

A file that is cut short while it is mapped kills the process that mapped it: this one, and not the one that asked.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import sys
import threading
from collections.abc import Iterator

# Started with neither `site` nor `concurrent.futures` (which loads `logging`): they take longer than hashing 256 MiB.
sys.path.append(sys.argv[2])

from blake3 import blake3

# Larger windows are no faster, and their pages count as memory. The kernel maps all pages of one in a single call,
# where the first access to each group of 16 would be a fault of its own. The number is Linux's, and Python has no name
# for it; where it is not known, pages are mapped as they are read.
WINDOW = 16 * 2**20
MADV_POPULATE_READ = 22
MOST_WORKERS = 8


def windows(descriptor: int, offset: int, count: int) -> Iterator[memoryview]:
    """The bytes of a range, one mapped window at a time, so that memory stays small."""
    stop = offset + count
    while offset < stop:
        start = offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        length = min(stop - start, WINDOW)
        with mmap.mmap(descriptor, length, access=mmap.ACCESS_READ, offset=start) as window:
            if sys.platform == "linux":
                with contextlib.suppress(OSError):
                    window.madvise(MADV_POPULATE_READ)
            with memoryview(window) as view, view[offset - start :] as wanted:
                yield wanted
        offset = start + length


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

    for index in large:
        print(index, digest(descriptor, *ranges[index], blake3.AUTO), flush=True)
    left = iter(order[len(large) :])

    def work() -> None:
        for index in left:
            sys.stdout.write(f"{index} {digest(descriptor, *ranges[index], 1)}\n")
            sys.stdout.flush()

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), json.load(sys.stdin))
