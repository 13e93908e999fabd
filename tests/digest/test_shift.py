"""The description of a change: what is counted, in which units, for which types."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from frostline.digest import shift as module
from frostline.digest.shift import describe, update_in_ulp

WORDS = {
    "float64": "u8",
    "float32": "u4",
    "float16": "u2",
    "bfloat16": "u2",
    "float8_e5m2": "u1",
    "float8_e4m3fn": "u1",
}


def f32(*values: float) -> np.ndarray:
    return np.array(values, "f4")


@pytest.fixture
def small_chunks(monkeypatch):
    """Chunks of seven elements, so that a handful of rows already crosses them."""
    monkeypatch.setattr(module, "CHUNK", 7)


def test_nothing_moved():
    shift = describe(f32(1, math.nan, -0.0), f32(1, math.nan, -0.0), "float32", (3,))
    assert (shift.elements, shift.moved, shift.max_abs, shift.max_ulp, shift.ratio) == (3, 0, None, None, None)


def test_negative_zero_and_nan_payloads_move_and_equal_nans_do_not():
    old = np.array([0x00000000, 0x7FC00000, 0x7FC00000], "u4")
    new = np.array([0x80000000, 0x7FC00001, 0x7FC00000], "u4")
    shift = describe(old, new, "float32", (3,))
    assert (shift.moved, shift.max_abs, shift.max_ulp) == (2, 0.0, 0)


def test_moves_from_or_to_non_finite_values_count_but_have_no_size():
    shift = describe(f32(1, math.inf, 2), f32(math.nan, 1, 2), "float32", (3,))
    assert (shift.moved, shift.max_abs, shift.max_ulp) == (2, None, None)
    shift = describe(f32(1, math.inf, 2), f32(math.nan, 1, 2.5), "float32", (3,))
    assert (shift.moved, shift.max_abs) == (3, 0.5)


@pytest.mark.parametrize("name", WORDS)
def test_neighbours_are_one_ulp_apart_in_every_float_type(name):
    old = np.array([0x10, 0x10], WORDS[name])
    new = np.array([0x10, 0x13], WORDS[name])
    assert describe(old, new, name, (2,)).max_ulp == 3


@pytest.mark.parametrize("name", WORDS)
def test_ulps_are_counted_through_zero(name):
    top = 1 << (8 * np.dtype(WORDS[name]).itemsize - 1)
    old, new = np.array([2], WORDS[name]), np.array([top + 3], WORDS[name])
    assert describe(old, new, name, (1,)).max_ulp == 5


def test_the_ends_of_float64_do_not_overflow_the_count():
    largest = np.finfo("f8").max
    shift = describe(np.array([-largest]), np.array([largest]), "float64", (1,))
    assert shift.max_ulp == 2 * int(np.array(largest).view("i8"))


@pytest.mark.parametrize(
    ("dtype", "old", "new", "expected"),
    [
        ("int64", 2**62, 2**62 + 1, 1.0),
        ("int64", -(2**63), 2**63 - 1, float(2**64)),
        ("uint64", 2**64 - 1, 2**64 - 3, 2.0),
        ("int8", -128, 127, 255.0),
        ("uint8", 0, 255, 255.0),
        ("int32", 5, 3, 2.0),
        ("bool", False, True, 1.0),
    ],
)
def test_integers_have_a_size_but_no_ulps(dtype, old, new, expected):
    shift = describe(np.array([old], dtype), np.array([new], dtype), dtype, (1,))
    assert (shift.moved, shift.max_abs, shift.max_ulp, shift.ratio) == (1, expected, None, None)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_numbers_are_elements_measured_by_parts(dtype):
    old = np.array([1 + 2j, 3 + 4j, 5 + 6j], dtype)
    new = np.array([1 + 2j, 3.5 + 4j, 5.25 + 6.75j], dtype)
    shift = describe(old, new, dtype, (3,))
    assert (shift.elements, shift.moved, shift.max_abs, shift.ratio) == (3, 2, 0.75, None)
    assert describe(old, old * 0.5, dtype, (3,)).ratio == 0.5


@pytest.mark.parametrize("item", [1, 2, 3, 4, 12, 16])
def test_unknown_types_are_counted_by_element(item):
    old = np.zeros((10, item), "u1")
    new = old.copy()
    new[[2, 7], -1] = 1
    shift = describe(old, new, "posit", (5, 2))
    assert (shift.elements, shift.moved, shift.max_abs) == (10, 2, None)


@pytest.mark.usefixtures("small_chunks")
@given(rows=st.integers(1, 9), columns=st.integers(1, 9), data=st.data())
def test_elements_are_counted_across_chunks(rows, columns, data):
    flips = data.draw(st.sets(st.tuples(st.integers(0, rows - 1), st.integers(0, columns - 1))))
    old = np.random.default_rng(0).standard_normal((rows, columns)).astype("f4")
    new = old.copy()
    for place in flips:
        new[place] = -new[place]
    shift = describe(old, new, "float32", old.shape)
    assert shift.moved == len(flips)
    assert shift.max_abs == (max(2 * abs(float(old[place])) for place in flips) if flips else None)


def test_a_tensor_without_axes_is_one_element():
    shift = describe(f32(1), f32(2), "float32", ())
    assert (shift.elements, shift.moved, shift.max_abs) == (1, 1, 1.0)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_tensors(shape):
    shift = describe(b"", b"", "float32", shape)
    assert (shift.elements, shift.moved, shift.max_abs) == (0, 0, None)


def test_buffers_of_the_wrong_size_are_refused():
    with pytest.raises(ValueError, match="12 bytes do not hold 4 elements of float32"):
        describe(f32(1, 2, 3), f32(1, 2, 3), "float32", (4,))
    with pytest.raises(ValueError, match="do not hold"):
        describe(f32(1, 2, 3), f32(1, 2), "float32", (3,))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
def test_an_update_below_half_an_ulp_moves_nothing_and_one_above_moves(dtype):
    torch = pytest.importorskip("torch")

    def bits(tensor):
        return tensor.reshape(-1).view(torch.uint8).numpy()

    kind = getattr(torch, dtype)
    torch.manual_seed(0)
    weights = torch.cat([torch.randn(500, dtype=torch.float64).to(kind), torch.tensor([1, -2, 0.5, 0], dtype=kind)])
    random = torch.randn(504, dtype=torch.float64)
    largest = {}
    for exponent in range(-62, 0):
        update = (random * 2.0**exponent).to(kind)
        for weight, one in zip(weights, update, strict=True):
            ulps = update_in_ulp(bits(weight), bits(one), dtype)
            if ulps != 0.5:
                moved = bool(weight + one != weight)
                assert moved == (ulps > 0.5), (weight, one)
                largest[moved] = True
    assert set(largest) == {True, False}


def test_an_update_of_another_type_and_the_whole_tensor():
    weights, update = f32(1, 1024, -1).view("u4") >> 16, np.array([2.0**-10, 1, 0])
    assert update_in_ulp(weights.astype("u2"), update, "bfloat16", update_dtype="float64") == 1 / 8
    with pytest.raises(ValueError, match="int32"):
        update_in_ulp(weights, update, "int32", update_dtype="float64")
    with pytest.raises(ValueError, match="different lengths"):
        update_in_ulp(f32(1, 2), f32(1), "float32")


def test_a_step_of_decay_shrinks_all_that_is_large_beside_it_even_where_small_elements_cross_zero():
    old = np.linspace(-1, 1, 101, dtype="f4")
    shift = describe(old, old - np.float32(0.05) * np.sign(old), "float32", (101,))
    assert (shift.ratio, shift.shrunk, shift.grown) == (None, True, 2)


def test_one_large_element_that_grew_tells_and_too_few_that_shrank_do_not():
    old = np.linspace(-1, 1, 101, dtype="f4")
    new = old * np.float32(0.99)
    new[0] = -1.001
    assert describe(old, new, "float32", (101,)).shrunk is False
    assert describe(old[:15], old[:15] * np.float32(0.99), "float32", (15,)).shrunk is None
    assert describe(old.astype("i4"), new.astype("i4"), "int32", (101,)).shrunk is None


def test_an_update_is_measured_where_both_numbers_are_finite():
    held, given = f32(1, math.inf, math.nan, 1), f32(2.0**-25, 1, 1, math.inf)
    assert update_in_ulp(held, given, "float32") == 0.25
    assert update_in_ulp(f32(math.inf), f32(1), "float32") is None


def test_an_update_of_nothing_to_a_power_of_two_is_nothing():
    assert update_in_ulp(f32(1, -2), f32(0, 0), "float32") == 0.0
    assert update_in_ulp(f32(1), f32(-(2.0**-25)), "float32") == 0.5


@pytest.mark.parametrize(("held", "given", "named"), [("int32", None, "int32"), ("float32", "int8", "int8")])
def test_types_without_units_are_refused_by_name(held, given, named):
    with pytest.raises(ValueError, match=f"^{named} has no units in the last place"):
        update_in_ulp(f32(1), f32(1), held, update_dtype=given)


@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_integers_of_every_width_are_elements(dtype):
    old, new = np.array([1, 2, 3], dtype), np.array([1, 7, 3], dtype)
    shift = describe(old, new, dtype, (3,))
    assert (shift.elements, shift.moved, shift.max_abs) == (3, 1, 5.0)


@pytest.mark.usefixtures("small_chunks")
def test_the_largest_of_all_chunks_is_told():
    old = np.ones(30, "f4")
    new = old.copy()
    new[[2, 10, 25]] += (0.5, 2.0, 1.0)
    shift = describe(old, new, "float32", (30,))
    assert (shift.moved, shift.max_abs, shift.max_ulp) == (3, 2.0, describe(f32(1), f32(3), "float32", (1,)).max_ulp)
    new[15] = math.nan
    assert describe(old, new, "float32", (30,)).max_abs == 2.0


def test_an_empty_tensor_of_any_type_did_not_move():
    for dtype in ("float32", "complex64", "int8", "a type of tomorrow"):
        assert describe(b"", b"", dtype, (0, 3)).moved == 0


@pytest.mark.parametrize("dtype", ["int32", "uint16", "float64"])
def test_bytes_that_are_no_whole_elements_are_refused(dtype):
    with pytest.raises(ValueError, match="6 bytes do not hold 2 elements"):
        describe(bytes(6), bytes(6), dtype, (2,))
