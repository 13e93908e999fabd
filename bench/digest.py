"""What a digest costs: this package, one xxhash call and a plain read of the same bytes, in alternating runs.

Run it with ``python bench/digest.py``; ``--mib`` sets the size of the large leaf, ``--runs`` the number of rounds.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping

import numpy as np
import xxhash

from frostline.digest.blocks import BLOCK, blocks, differing, first_difference
from frostline.digest.shift import describe

SMALL = 1024
SMALL_LEAVES = 10_000


def medians(contestants: Mapping[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """Median seconds of each, taken in turns so that a noisy moment hits all alike; the first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(runs + 1):
        for name, call in contestants.items():
            started = time.perf_counter()
            call()
            if round_number:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(taken) for name, taken in seconds.items()}


def large(mib: int, runs: int) -> None:
    leaf = np.random.default_rng(0).integers(0, 256, mib << 20, dtype=np.uint8)
    target = np.empty_like(leaf)
    digest = blocks(leaf)
    taken = medians(
        {
            "one xxhash call": lambda: xxhash.xxh3_64_intdigest(leaf),
            "blocks": lambda: blocks(leaf),
            "differing, equal": lambda: differing(digest, leaf),
            "first_difference, equal": lambda: first_difference(digest, leaf),
            "sum of 64-bit words": lambda: leaf.view(np.uint64).sum(),
            "copy": lambda: np.copyto(target, leaf),
        },
        runs,
    )
    print(f"\none leaf of {mib} MiB")
    for name, seconds in taken.items():
        share = taken["one xxhash call"] / seconds
        print(f"  {name:<26}{seconds * 1e3:9.2f} ms {leaf.size / seconds / 1e9:7.2f} GB/s {share:7.2f} of one call")
    print(f"  memory of the digest: {len(digest.hashes):,} bytes, {len(digest.hashes) / leaf.size:.4%}")


def small(runs: int) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (SMALL_LEAVES, SMALL), dtype=np.uint8)
    leaves = list(rows)
    digests = [blocks(leaf) for leaf in leaves]
    taken = medians(
        {
            "xxhash of each, no more": lambda: [xxhash.xxh3_64_digest(leaf) for leaf in leaves],
            "blocks": lambda: [blocks(leaf) for leaf in leaves],
            "differing, equal": lambda: [differing(*pair) for pair in zip(digests, leaves, strict=True)],
            "first_difference, equal": lambda: [first_difference(*pair) for pair in zip(digests, leaves, strict=True)],
            "sum of 64-bit words, whole": lambda: rows.view(np.uint64).sum(),
        },
        runs,
    )
    print(f"\n{SMALL_LEAVES:,} leaves of {SMALL} bytes")
    for name, seconds in taken.items():
        print(f"  {name:<26}{seconds * 1e3:9.2f} ms {seconds / SMALL_LEAVES * 1e6:7.2f} µs a leaf")


def descriptions(mib: int, runs: int) -> None:
    before = np.random.default_rng(0).standard_normal((mib << 18) // 256 * 256).astype("f4").reshape(-1, 256)
    decayed, noisy = before * np.float32(0.99), before + np.float32(0.01)
    taken = medians(
        {
            "describe, decay": lambda: describe(before, decayed, "float32", before.shape),
            "describe, no law": lambda: describe(before, noisy, "float32", before.shape),
            "describe, equal": lambda: describe(before, before, "float32", before.shape),
        },
        runs,
    )
    print(f"\na change of a float32 leaf of {mib} MiB")
    for name, seconds in taken.items():
        print(f"  {name:<26}{seconds * 1e3:9.2f} ms {before.nbytes / seconds / 1e9:7.2f} GB/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=256)
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, one thread")
    print(f"numpy {np.__version__}, xxhash {xxhash.VERSION} (XXH {xxhash.XXHASH_VERSION}), blocks of {BLOCK:,} bytes")
    print(f"medians of {options.runs} alternating runs")
    large(options.mib, options.runs)
    small(options.runs)
    descriptions(64, max(3, options.runs // 5))


if __name__ == "__main__":
    main()
