"""How far two tensors are apart."""

import numpy as np
import pytest

from frostline.digest import shift
from frostline.digest.shift import distance

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("chunk", [1 << 16, 7])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_it_is_the_norm_of_the_difference_beside_that_of_the_second(
    dtype: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "CHUNK", chunk)
    one, other = RANDOM.standard_normal((2, 100)).astype(dtype)
    expected = np.linalg.norm(one.astype("f8") - other.astype("f8")) / np.linalg.norm(other.astype("f8"))
    assert distance(one, other, dtype) == pytest.approx(expected, rel=1e-6)
    assert distance(3 * other, other, dtype) == pytest.approx(2, rel=1e-2)
    assert distance(other, other, dtype) == 0


def test_nothing_is_near_zeros_or_a_type_without_values() -> None:
    zeros, ones = np.zeros(3, "f4"), np.ones(3, "f4")
    assert distance(ones, zeros, "float32") == distance(zeros, zeros, "float32") == np.inf
    assert distance(ones, ones, "int32") == np.inf
