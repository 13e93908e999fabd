"""Changes that lie outside a sample: the last row alone, odd columns, one element. A full read misses none of them."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from frostline.digest.blocks import BLOCK, blocks, differing, first_difference
from frostline.observe.tensor_match import sampled

ROWS, COLUMNS = 5000, 1000  # 38 blocks of float32, enough for several threads


def last_row(weights: np.ndarray) -> None:
    weights[-1, ::7] += 1


def odd_columns(weights: np.ndarray) -> None:
    weights[:, 1::2] *= 1.5


def one_element(weights: np.ndarray) -> None:
    weights[601, 17] = np.nextafter(weights[601, 17], np.float32(np.inf))


def the_sign_of_a_zero(weights: np.ndarray) -> None:
    weights[3, 3] = -weights[3, 3]


CHANGES = (last_row, odd_columns, one_element, the_sign_of_a_zero)


@pytest.fixture(name="weights")
def weights_fixture() -> np.ndarray:
    weights = np.random.default_rng(0).standard_normal((ROWS, COLUMNS)).astype(np.float32)
    weights[3, 3] = 0.0
    return weights


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_full_read_finds_it(change: Callable[[np.ndarray], None], weights: np.ndarray) -> None:
    digest, before = blocks(weights), weights.copy()
    change(weights)
    moved, _ = differing(digest, weights)
    elements = np.flatnonzero(before.view(np.uint32).ravel() != weights.view(np.uint32).ravel())
    assert moved == sorted({int(index) * 4 // BLOCK for index in elements})
    assert first_difference(digest, weights)


def first_row(weights: np.ndarray) -> bytes:
    return weights[0].tobytes()


def every_other_column(weights: np.ndarray) -> bytes:
    return weights[:, ::2].tobytes()


def some_blocks(weights: np.ndarray) -> bytes:
    data = weights.tobytes()
    return b"".join(data[start:stop] for start, stop in sampled(len(data)))


@pytest.mark.parametrize(
    ("sample", "change"),
    [(first_row, last_row), (every_other_column, odd_columns), (some_blocks, one_element)],
    ids=["the first row", "every other column", "four blocks"],
)
def test_a_sample_alone_is_fooled(
    sample: Callable[[np.ndarray], bytes], change: Callable[[np.ndarray], None], weights: np.ndarray
) -> None:
    before = sample(weights)
    change(weights)
    assert sample(weights) == before


def places() -> Iterator[int]:
    count = ROWS * COLUMNS * 4
    yield from (0, BLOCK - 1, BLOCK, count // 2, count - BLOCK, count - 1)
    yield from np.random.default_rng(1).integers(0, count, 40).tolist()


def test_one_bit_anywhere(weights: np.ndarray) -> None:
    digest, data = blocks(weights), bytearray(weights.tobytes())
    for place in places():
        data[place] ^= 1
        assert differing(digest, data)[0] == [place // BLOCK]
        assert first_difference(digest, data)
        data[place] ^= 1
    assert differing(digest, data)[0] == []
