"""A look before and a look after, of a model of 256 MiB: digests against the two usual ways that keep a second copy.

The article's way is a deep copy of the weights as arrays and an element-wise comparison; the other one clones every
tensor and asks `torch.equal`. Memory is what lies between the two looks beyond the model itself.
"""

from __future__ import annotations

import copy
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import torch
from bench.turns import Line, times

from frostline.digest.blocks import blocks, differing, first_difference
from frostline.frameworks.torch.tensors.tensors import host_bytes

PACKAGES = ("torch", "numpy", "xxhash")
TURNS = 9
LAYERS, WIDTH = 16, 2048


def measure() -> Iterator[Line]:
    torch.set_num_threads(1)
    tensors = [torch.randn(WIDTH, WIDTH) for _ in range(LAYERS)]
    moved = [tensor + 1 for tensor in tensors]
    arrays, others = [tensor.numpy() for tensor in tensors], [tensor.numpy() for tensor in moved]

    def ours() -> None:
        kept = [blocks(host_bytes(tensor)) for tensor in tensors]
        assert not any(differing(digest, host_bytes(each))[0] for digest, each in zip(kept, tensors, strict=True))

    def ours_moved() -> None:
        kept = [blocks(host_bytes(tensor)) for tensor in tensors]
        assert all(first_difference(digest, host_bytes(each)) for digest, each in zip(kept, moved, strict=True))

    def article(after: list[np.ndarray], same: bool) -> None:
        kept = copy.deepcopy(arrays)
        assert all((one == other).all() == same for one, other in zip(kept, after, strict=True))

    def clones(after: list[torch.Tensor], same: bool) -> None:
        kept = [tensor.clone() for tensor in tensors]
        assert all(torch.equal(one, other) == same for one, other in zip(kept, after, strict=True))

    taken = times(
        {
            "still": ours,
            "still, article": lambda: article(arrays, True),
            "still, clones": lambda: clones(tensors, True),
            "moved": ours_moved,
            "moved, article": lambda: article(others, False),
            "moved, clones": lambda: clones(moved, False),
        },
        TURNS,
    )
    size = sum(tensor.nbytes for tensor in tensors)
    for state, words in (
        ("moved", "every tensor moved, as trained ones do"),
        ("still", "no tensor moved: two full reads"),
    ):
        for rival, way in (("article", "deep copy, ==, all()"), ("clones", "clone, torch.equal")):
            ratio = taken.ratio(f"{state}, {rival}", state)
            yield Line(
                f"{size >> 20} MiB, {words}; against {way}",
                f"{taken.median(state) * 1e3:.0f} ms",
                f"{taken.median(f'{state}, {rival}') * 1e3:.0f} ms",
                f"{ratio:.1f}× faster",
                "≥ 8×",
                ratio >= 8,
            )
    memory = _traced(lambda: [blocks(host_bytes(tensor)) for tensor in tensors])
    theirs, share = f"{_traced(lambda: copy.deepcopy(arrays)) / 2**20:.0f} MiB", memory / size
    yield Line(
        "memory between the looks", f"{memory / 1024:.0f} KiB", theirs, f"{share:.3%}", "≤ 0.1 %", share <= 0.001
    )


def _traced(make: Callable[[], object]) -> int:
    """The most memory that ``make`` and its result take, as Python and numpy allocate it."""
    np.empty(1)
    tracemalloc.start()
    kept = make()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del kept
    return peak
