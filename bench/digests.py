"""A digest of a large tensor against one `xxhash` call over the same bytes and a plain read; 10,000 small tensors.

The lines that say *one thread* are measured with one; the others let a digest use what processors there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xxhash
from bench.turns import Line, times

from frostline.digest import threads
from frostline.digest.blocks import BLOCK, blocks, differing, first_difference
from frostline.digest.shift import describe

PACKAGES = ("numpy", "xxhash")
MIB, TURNS = 128, 21
SMALL, SMALL_TENSORS = 1024, 10_000
OTHER_BLOCKS = (64, 128, 256, 512, 1024)


def measure() -> Iterator[Line]:
    yield from large()
    yield from block_sizes()
    yield from small()
    yield from descriptions()


def large() -> Iterator[Line]:
    row = np.random.default_rng(0).integers(0, 256, MIB << 20, dtype=np.uint8)
    words, digest = row.view(np.uint64), blocks(row)
    middle = len(words) // 2
    with ThreadPoolExecutor(2) as pool:
        taken = times(
            {
                "one call": lambda: xxhash.xxh3_64_intdigest(row),
                "blocks": lambda: alone(lambda: blocks(row)),
                "differing": lambda: alone(lambda: differing(digest, row)),
                "first_difference": lambda: alone(lambda: first_difference(digest, row)),
                "blocks by all": lambda: blocks(row),
                "first_difference by all": lambda: first_difference(digest, row),
                "read": words.sum,
                "read, two threads": lambda: list(pool.map(np.sum, (words[:middle], words[middle:]))),
            },
            TURNS,
        )

    def speed(name: str) -> str:
        return f"{row.size / taken.median(name) / 1e9:.1f} GB/s"

    for name in ("blocks", "differing", "first_difference"):
        ratio = taken.ratio("one call", name)
        what = f"{name} of {MIB} MiB, one thread, against one xxhash call"
        yield Line(what, speed(name), speed("one call"), f"{ratio:.2f}", "≥ 0.9", ratio >= 0.9)
    scaling = taken.ratio("read", "read, two threads")
    yield Line("a plain read by two threads against one", speed("read, two threads"), speed("read"), f"{scaling:.2f}")
    best = "read, two threads" if scaling > 1 else "read"
    for name in ("blocks", "first_difference"):
        ratio = taken.ratio(best, f"{name} by all")
        what = f"{name} of {MIB} MiB, all processors, against the fastest plain read"
        yield Line(what, speed(f"{name} by all"), speed(best), f"{ratio:.2f}", "≥ 0.9", ratio >= 0.9)
    share = len(digest.hashes) / row.size
    yield Line("memory of a digest", f"{share:.3%}", "", "", "≤ 0.05 %", share <= 0.0005)


def alone(read: Callable[[], object]) -> None:
    """Read as on a machine of one processor."""
    processors = threads.processors
    threads.processors = lambda: 1
    try:
        read()
    finally:
        threads.processors = processors


def block_sizes() -> Iterator[Line]:
    """What decided the size of a block: calls cost, and a change is told no finer than by block."""
    row = memoryview(np.random.default_rng(0).integers(0, 256, MIB << 20, dtype=np.uint8))

    def hashed(size: int) -> None:
        for start in range(0, len(row), size):
            xxhash.xxh3_64_digest(row[start : start + size])

    taken = times({str(kib): lambda kib=kib: hashed(kib << 10) for kib in OTHER_BLOCKS}, TURNS // 2)  # type: ignore[misc]
    chosen = str(BLOCK >> 10)
    for name in taken:
        speed = f"{len(row) / taken.median(name) / 1e9:.1f} GB/s"
        yield Line(f"speed of blocks of {name} KiB", speed, f"{chosen} KiB", f"{taken.ratio(chosen, name):.2f}")


def small() -> Iterator[Line]:
    rows = np.random.default_rng(0).integers(0, 256, (SMALL_TENSORS, SMALL), dtype=np.uint8)
    tensor_rows = list(rows)
    digests = [blocks(row) for row in tensor_rows]
    taken = times(
        {
            "hashes alone": lambda: [xxhash.xxh3_64_digest(row) for row in tensor_rows],
            "check": lambda: [differing(*pair) for pair in zip(digests, tensor_rows, strict=True)],
            "read": rows.view(np.uint64).sum,
        },
        TURNS,
    )
    beyond = taken.median("check") - taken.median("read")
    yield Line(
        f"{SMALL_TENSORS:,} tensors of 1 KiB, one full check, beyond a plain read of the bytes",
        f"{beyond * 1e3:.1f} ms",
        f"{taken.median('hashes alone') * 1e3:.1f} ms for the xxhash calls alone",
        f"{taken.ratio('check', 'hashes alone'):.2f}",
        "≤ 30 ms",
        beyond <= 0.03,
    )


def descriptions() -> Iterator[Line]:
    before = np.random.default_rng(0).standard_normal((64 << 18) // 256 * 256).astype("f4").reshape(-1, 256)
    decayed, noisy = before * np.float32(0.99), before + np.float32(0.01)
    taken = times(
        {
            "a decay": lambda: describe(before, decayed, "float32", before.shape),
            "no law": lambda: describe(before, noisy, "float32", before.shape),
        },
        3,
    )
    for name in taken:
        yield Line(f"the shape of a change of 64 MiB, {name}", f"{taken.median(name):.2f} s")
