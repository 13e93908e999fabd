"""Digests: the definition against xxhash itself, and that no change and no place of a change gets past them."""

import ctypes
from itertools import pairwise

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from frostline.digest.blocks import (
    BLOCK,
    Digest,
    blocks,
    differing,
    first_difference,
    reading_order,
    tensor_digest,
)

SIZES = [1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 17]


def data(size: int) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)


@pytest.mark.parametrize("size", SIZES)
def test_values_are_those_of_xxhash(size):
    raw = data(size).tobytes()
    expected = [xxhash.xxh3_64_intdigest(raw[start : start + BLOCK]) for start in range(0, size, BLOCK)]
    assert list(blocks(raw).values) == expected


def test_an_empty_buffer_has_no_blocks():
    for empty in (b"", np.zeros((0, 3), "f4"), (ctypes.c_float * 0)()):
        digest = blocks(empty)
        assert len(digest) == 0
        assert differing(digest, empty) == ([], digest)
        assert first_difference(digest, empty) is False


def test_a_single_element_without_axes():
    assert blocks(np.float32(1.5)) == blocks(np.array(1.5, "f4")) == blocks(np.array([1.5], "f4").tobytes())


@pytest.mark.parametrize("size", SIZES)
def test_every_kind_of_buffer_gives_the_same_digest(size):
    array = data(size)
    foreign = (ctypes.c_char * size).from_address(array.ctypes.data)
    assert blocks(array) == blocks(memoryview(array)) == blocks(array.tobytes()) == blocks(foreign)


def test_the_format_and_shape_of_a_buffer_do_not_matter():
    array = np.arange(3 * BLOCK, dtype="f4").reshape(-1, 16)
    foreign = (ctypes.c_float * array.size).from_address(array.ctypes.data)
    assert blocks(array) == blocks(foreign) == blocks(array.tobytes())


def test_a_transposed_tensor_is_read_in_c_order():
    array = np.arange(400 * 300, dtype="f4").reshape(400, 300).T
    with pytest.raises(ValueError, match="contiguous"):
        blocks(array)
    assert blocks(np.ascontiguousarray(array)) == blocks(array.tobytes())


def test_values_made_elsewhere_give_the_same_digest():
    digest = blocks(data(2 * BLOCK + 5))
    assert Digest.of(np.array(digest.values, np.uint64)) == Digest.of(digest.values) == digest


def test_a_digest_cannot_be_changed():
    with pytest.raises(AttributeError):
        blocks(b"1").hashes = b""


@given(size=st.sampled_from(SIZES), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_flipped_bit_is_seen_in_its_block_and_nowhere_else(size, place, bit):
    array = data(size)
    before = blocks(array)
    where = int(place * size)
    array[where] ^= 1 << bit
    moved, after = differing(before, array)
    assert moved == [where // BLOCK]
    assert after == blocks(array) != before
    assert first_difference(before, array) is True


@given(size=st.sampled_from(SIZES), places=st.lists(st.floats(0, 1, exclude_max=True), max_size=4))
def test_proof_of_change_agrees_with_the_full_comparison(size, places):
    array = data(size)
    before = blocks(array)
    for place in places:
        array[int(place * size)] ^= 1
    moved, after = differing(before, array)
    assert first_difference(before, array) is bool(moved) is (after != before)


def test_only_the_last_element_of_a_large_tensor_changed():
    array = np.zeros(1 << 22, "f4")
    before = blocks(array)
    array[-1] = -0.0
    assert differing(before, array)[0] == [len(before) - 1]
    assert first_difference(before, array)


@given(st.integers(0, 199))
def test_the_one_block_that_changed_is_found_wherever_it_is(block):
    array = np.zeros(200 * BLOCK, "u1")
    before = Digest(blocks(array[:BLOCK]).hashes * 200)
    array[block * BLOCK + 5] = 1
    assert first_difference(before, array)


@pytest.mark.parametrize(
    ("old", "new"),
    [(0x00000000, 0x80000000), (0x7FC00000, 0x7FC00001), (0x7FC00000, 0xFFC00000)],
    ids=["negative-zero", "nan-payload", "nan-sign"],
)
def test_floats_that_compare_oddly_are_compared_by_bits(old, new):
    array = np.full(10, old, "u4")
    before = blocks(array.view("f4"))
    assert differing(before, array.view("f4").copy())[0] == []
    array[3] = new
    assert differing(before, array.view("f4"))[0] == [0]


@pytest.mark.parametrize(("old", "new"), [(2 * BLOCK, 2 * BLOCK + 1), (BLOCK, 0), (0, 3), (3 * BLOCK, 2 * BLOCK)])
def test_another_length_is_a_difference_in_the_blocks_beyond(old, new):
    before = blocks(bytes(old))
    expected = list(range(min(old, new) // BLOCK, -(-max(old, new) // BLOCK)))
    assert differing(before, bytes(new)) == (expected, blocks(bytes(new)))
    assert first_difference(before, bytes(new))


@given(st.integers(1, 3000))
def test_the_reading_order_visits_every_block_once(count):
    assert sorted(reading_order(count)) == list(range(count))


@pytest.mark.parametrize("count", [64, 1000, 4096, 16381])
def test_the_reading_order_is_spread_wherever_it_stops(count):
    order = list(reading_order(count))
    assert order[:3] == [0, count - 1, count // 2]
    for seen in (4, 8, 16):
        marks = sorted(order[:seen])
        gaps = [right - left for left, right in pairwise(marks)]
        assert max(gaps) <= 4 * count / seen


def test_the_tensor_digest_binds_type_and_shape():
    digest = blocks(bytes(24))
    tensors = [("float32", (6,)), ("float32", (2, 3)), ("float32", (3, 2)), ("int32", (6,)), ("float32", (6, 1))]
    names = {tensor_digest(digest, dtype, shape) for dtype, shape in tensors}
    assert len(names) == len(tensors)
    assert tensor_digest(digest, "float32", (6,)) == tensor_digest(blocks(bytes(24)), "float32", [6])
    assert tensor_digest(blocks(b""), "float32", (0,)) != tensor_digest(blocks(b""), "float32", (0, 2))


def test_the_tensor_digest_can_be_made_by_hand():
    raw = data(BLOCK + 9).tobytes()
    values = [xxhash.xxh3_64_intdigest(piece) for piece in (raw[:BLOCK], raw[BLOCK:])]
    text = f"uint8[{len(raw)}]\n".encode() + b"".join(value.to_bytes(8, "big") for value in values)
    assert tensor_digest(blocks(raw), "uint8", (len(raw),)) == xxhash.xxh3_128_hexdigest(text)
