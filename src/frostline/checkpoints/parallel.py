"""Work on many tensors at once, by a few threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST_WORKERS = 8
WORTH_THREADS = 2**22  # bytes

T = TypeVar("T")
R = TypeVar("R")


def parallel(work: Callable[[T], R], tasks: Iterable[T], size: Callable[[T], int]) -> list[R]:
    """The results of ``work`` in the order of ``tasks``; the largest tasks start first, so that none is left alone.

    Where all of them together are small, handing them to threads would take longer than the work.
    """
    items = list(tasks)
    if sum(map(size, items)) < WORTH_THREADS:
        return [work(item) for item in items]
    order = sorted(range(len(items)), key=lambda index: -size(items[index]))
    results: dict[int, R] = {}
    with ThreadPoolExecutor(min(MOST_WORKERS, os.cpu_count() or 1)) as pool:
        futures = {index: pool.submit(work, items[index]) for index in order}
        try:
            for index, future in futures.items():
                results[index] = future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [results[index] for index in range(len(items))]
