"""Which trees of arrays are copies of weights: by their bits, whatever they are called."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

from frostline.frameworks.jax.steps.functions import Call
from frostline.frameworks.jax.steps.learning import copies
from frostline.frameworks.jax.steps.values import digests_of
from frostline.frameworks.jax.tensors.paths import handed_back
from frostline.frameworks.jax.traces.proofs import Learned, Proof

W, B = np.arange(1, 5, dtype=np.float32), np.zeros(2, np.float32)
WEIGHTS = {("params", "dense", "w"): W, ("params", "dense", "b"): B}


def copied(trained: dict[Any, Any] = WEIGHTS, **trees: Any) -> set[str]:
    """The roots of the trees that are copies, of arrays in the dense layer of other trees."""
    others = {(root, "dense", name): array for root, tree in trees.items() for name, array in tree.items()}
    call = Call(lambda: trained | others, handed_back)
    call.digests = digests_of(call.arrays)
    return {path[0] for path in copies(call, Learned({path: Proof(inner=path[1:]) for path in trained}))}


def test_a_tree_with_the_bits_of_all_weights_is_a_copy_whatever_its_name() -> None:
    assert copied(kept={"w": W.copy(), "b": B.copy()}) == {"kept"}
    assert copied(ema={"w": W + 1, "b": B}) == set()
    assert copied(ema={"w": W.reshape(2, 2), "b": B}) == set()


def test_a_part_of_a_tree_is_none() -> None:
    assert copied(ema={"b": B}) == set()


def test_a_tree_of_zeros_is_what_an_optimizer_keeps() -> None:
    zeros = {path: np.zeros_like(array) for path, array in WEIGHTS.items()}
    assert copied(zeros, momentum={"w": np.zeros_like(W), "b": B}) == set()
    assert copied(momentum={"w": np.zeros_like(W), "b": B}) == set()
