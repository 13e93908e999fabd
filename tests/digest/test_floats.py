"""Bit layouts against torch, which has every one of these types of its own."""

import math

import numpy as np
import pytest

from frostline.digest.floats import FLOATS

torch = pytest.importorskip("torch")

NARROW = ["float16", "bfloat16", "float8_e5m2", "float8_e4m3fn"]
REAL = ["float64", "float32", *NARROW]


def codes(name: str) -> np.ndarray:
    """All codes of a narrow type, or many of a wide one with the extremes among them."""
    width = FLOATS[name].width
    if width <= 16:
        return np.arange(2**width, dtype=f"u{width // 8}")
    random = np.random.default_rng(0).integers(0, 2**width, 20_000, dtype=f"u{width // 8}", endpoint=False)
    special = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1e-40]
    with np.errstate(over="ignore"):
        return np.concatenate([random, np.array(special, f"f{width // 8}").view(random.dtype)])


@pytest.mark.parametrize("name", REAL)
def test_values_are_those_of_torch(name):
    bits = codes(name)
    theirs = torch.from_numpy(bits.view(np.uint8)).view(getattr(torch, name)).double().numpy()
    ours = FLOATS[name].values(bits)
    np.testing.assert_array_equal(ours, theirs)
    known = ~np.isnan(ours)
    np.testing.assert_array_equal(np.signbit(ours[known]), np.signbit(theirs[known]))


@pytest.mark.parametrize("name", REAL)
def test_an_ulp_is_the_way_to_the_next_code(name):
    layout, bits = FLOATS[name], codes(name)
    values = layout.values(bits)
    following = layout.values(bits + bits.dtype.type(1))
    inner = np.isfinite(values) & np.isfinite(following) & (np.signbit(values) == np.signbit(following))
    np.testing.assert_array_equal(layout.ulps(bits)[inner], np.abs(following[inner] - values[inner]))
    assert np.isnan(layout.ulps(bits)[~np.isfinite(values)]).all()


@pytest.mark.parametrize("name", REAL)
def test_order_is_that_of_the_numbers(name):
    layout, bits = FLOATS[name], codes(name)
    bits = bits[np.isfinite(layout.values(bits))]
    by_order = bits[np.argsort(layout.order(bits), kind="stable")]
    assert (np.diff(layout.values(by_order)) >= 0).all()
    if layout.width <= 16:
        assert set(np.diff(np.unique(layout.order(bits)))) == {1}


@pytest.mark.parametrize("name", REAL)
def test_the_lowest_of_a_binade_has_a_nearer_neighbour_below(name):
    layout, bits = FLOATS[name], codes(name)
    values, before = layout.values(bits), layout.values(bits - bits.dtype.type(1))
    inner = np.isfinite(values) & np.isfinite(before) & (np.signbit(values) == np.signbit(before))
    nearer = np.abs(values[inner] - before[inner]) < layout.ulps(bits)[inner]
    np.testing.assert_array_equal(layout.lowest(bits)[inner], nearer)


@pytest.mark.parametrize("name", REAL)
def test_the_smallest_number_and_the_way_to_the_one_below_one(name):
    one = torch.ones(1, dtype=getattr(torch, name)).view(torch.uint8).numpy().view(f"u{FLOATS[name].width // 8}")
    first, below = FLOATS[name].values(np.array([1], one.dtype)), FLOATS[name].values(one - one.dtype.type(1))
    assert FLOATS[name].smallest == first.item()
    assert FLOATS[name].below_one == 1 - below.item()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_layouts_are_those_of_numpy(dtype):
    layout, known = FLOATS[dtype], np.finfo(dtype)
    assert (layout.width, layout.fraction) == (known.bits, known.nmant)
    assert layout.width * layout.parts == 8 * np.dtype(dtype).itemsize
