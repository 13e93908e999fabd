"""What a change of a tensor looks like: how much moved, by how much, and which simple law explains every element.

All functions take readings of one tensor as buffers of its bytes and work through them in chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from frostline.core.ledger import Shift
from frostline.digest.blocks import Buffer
from frostline.digest.floats import FLOATS, Codes, Float, Reals
from frostline.digest.slope import Slope, fit

LARGE = 16  # times the largest move: no step or two bring such an element to zero
ENOUGH_SHRUNK = 16  # elements: fewer might all shrink by chance
CHUNK = 1 << 16  # elements: the dozen float64 forms of a chunk stay in the processor's cache
_INTEGERS = {f"{sign}int{8 * size}": f"<{sign or 'i'}{size}" for sign in ("", "u") for size in (1, 2, 4, 8)}
_EXACT = {"bool": "|u1", **_INTEGERS}


def describe(before: Buffer, after: Buffer, dtype: str, shape: Sequence[int]) -> Shift:
    """How the bits of one tensor moved between two readings.

    Elements are compared by their bits: 0.0 and -0.0 differ, equal NaN bits do not. ``max_abs`` and ``max_ulp``
    are over moves between finite values (of the parts, where complex) and None where there are none.

    Args:
        before: the tensor's bytes at the first reading.
        after: the same at the second.
        dtype: the name of its type without prefix, as "float32"; of unknown types only the counts are made.
        shape: its shape.

    Raises:
        ValueError: the buffers do not both hold a tensor of this type and shape.

    >>> old, new = np.array([[1, 2], [3, 4]], "f4"), np.array([[1, 2], [3, 4.5]], "f4")
    >>> shift = describe(old, new, "float32", (2, 2))
    >>> shift.moved, shift.max_abs, shift.ratio
    (1, 0.5, None)
    """
    elements = math.prod(shape)
    old, new = _words(before, dtype, elements), _words(after, dtype, elements)
    moved = 0
    gaps: list[tuple[float | None, int | None]] = []
    for _, one, other in _chunks(old, new):
        differs = one != other
        if not differs.any():
            continue
        moved += int((differs if differs.ndim == 1 else differs.any(axis=1)).sum())
        gaps.append(_gap(one[differs], other[differs], dtype))
    grown, shrunk = _sizes(before, after, dtype)
    return Shift(
        elements=elements,
        moved=moved,
        max_abs=max((gap for gap, _ in gaps if gap is not None), default=None),
        max_ulp=max((ulps for _, ulps in gaps if ulps is not None), default=None),
        ratio=_ratio(before, after, dtype) if moved else None,
        grown=grown,
        shrunk=shrunk,
    )


def follows(before: Buffer, after: Buffer, source: Buffer, dtype: str) -> float | None:
    """The rate r of a move towards ``source``: after = before + r·(source - before) in every element, up to rounding.

    1.0 means that ``after`` is ``source``, bit for bit. None where the law does not hold with 0 < r <= 1, and where
    the data cannot show it: fewer than two elements with telling moves of different size, or a constant source.

    >>> old, new, average = (np.array(row, "f4") for row in ([0, 0, 0], [1, 2, 4], [0.25, 0.5, 1]))
    >>> follows(old, average, new, "float32"), follows(old, new, new, "float32"), follows(old, old, new, "float32")
    (0.25, 1.0, None)
    """
    if _is_copy(before, after, source, dtype):
        return 1.0
    if _constant(source, dtype):
        return None
    slope = _towards(before, after, source, dtype)
    rate = None if slope is None else slope.found
    return rate if rate is not None and 0 < rate < 1 else None


def may_follow(before: Buffer, after: Buffer, source: Buffer, dtype: str) -> bool:
    """Whether no element rules out that the tensor moved towards ``source`` at one rate, however little that shows.

    Averages in narrow types move by a unit or two in the last place, most of which is rounding: ``follows`` finds no
    rate in that.

    >>> old, new, source = np.float16([1, 2, 3]), np.float16([1, 2.001, 3]), np.float16([1.1, 2.2, 3.1])
    >>> may_follow(old, new, source, "float16"), may_follow(old, np.float16([1, 1.9, 3]), source, "float16")
    (True, False)
    """
    slope = _towards(before, after, source, dtype)
    return slope is not None and slope.low < 1 and slope.high > 0


def update_in_ulp(weights: Buffer, update: Buffer, dtype: str, *, update_dtype: str | None = None) -> float | None:
    """The largest \\|update\\| in units in the last place of its weight: below 0.5, no weight can move.

    None where no weight and its update are both finite: NaN plus anything is NaN, and no question of size.
    Towards zero the neighbour of a power of two is half a unit away, so such an update counts twice.

    Args:
        weights: the tensor's bytes.
        update: what is to be added, element by element.
        dtype: the tensor's type.
        update_dtype: the type of ``update`` where it is another.

    Raises:
        ValueError: one of the types is no floating-point type, or the sizes do not agree.

    >>> update_in_ulp(np.float32([1, 2]), np.float32([2.0**-25, 0]), "float32")
    0.25
    """
    held, given = FLOATS.get(dtype), FLOATS.get(update_dtype or dtype)
    if held is None or given is None:
        raise ValueError(f"{dtype if held is None else update_dtype} has no units in the last place")
    largest = None
    for _, codes, steps in _chunks(_flat(weights, dtype), _flat(update, update_dtype or dtype)):
        values, change = held.values(codes), given.values(steps)
        units = held.ulps(codes)
        units[held.lowest(codes) & (values * change < 0)] /= 2
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(change) / units
        finite = sizes[np.isfinite(values) & np.isfinite(change)]
        largest = max(largest or 0.0, float(finite.max())) if len(finite) else largest
    return largest


def _ratio(before: Buffer, after: Buffer, dtype: str) -> float | None:
    """The c with after = c·before in every element, zeros staying zeros; None where there is no such number but 1."""
    slope = _decay(before, after, dtype)
    return None if slope is None else slope.found


def _sizes(before: Buffer, after: Buffer, dtype: str) -> tuple[int | None, bool | None]:
    """How many elements grew in size; whether those that are large beside the largest move all went towards zero.

    Smaller ones may cross zero and swing about it, and of a few the second tells nothing.
    """
    layout = FLOATS.get(dtype)
    if layout is None:
        return None, None

    def sizes() -> Iterator[tuple[Reals, Reals, Reals]]:
        for _, old, new in _chunks(_flat(before, dtype), _flat(after, dtype)):
            one, other = layout.values(old), layout.values(new)
            yield np.abs(one), np.abs(other), np.abs(other - one)

    with np.errstate(invalid="ignore", over="ignore"):
        bound = LARGE * max((float(gap.max(initial=0.0)) for _, _, gap in sizes()), default=0.0)
        if not 0 < bound < np.inf:
            return None, None
        grown = large_grown = large_shrunk = 0
        for old, new, _ in sizes():
            grown += int((new > old).sum())
            large_grown += int(((new > old) & (old >= bound)).sum())
            large_shrunk += int(((new < old) & (old >= bound)).sum())
    if large_grown:
        return grown, False
    return grown, True if large_shrunk >= ENOUGH_SHRUNK else None


def _towards(before: Buffer, after: Buffer, source: Buffer, dtype: str) -> Slope | None:
    return _slope((before, after, source), dtype, 0.0, lambda old, new, aim: (new - old, aim - old))


def _decay(before: Buffer, after: Buffer, dtype: str) -> Slope | None:
    return _slope((before, after), dtype, 1.0, lambda old, new: (new, old))


def _slope(
    readings: Sequence[Buffer], dtype: str, neutral: float, law: Callable[..., tuple[Reals, Reals]]
) -> Slope | None:
    """The slope of a law over readings (before, after, ...), telling or not; None where it does not hold.

    First with the one rounding that a fused operation makes, which tells more in the narrow types; then with one
    for each reading.
    """
    layout = FLOATS.get(dtype)
    if layout is None:
        return None
    scalar = 2.0 ** (-53 if layout.width == 64 else -24)
    arrays = [_flat(reading, dtype) for reading in readings]
    for once in (True, False):
        slope = fit(Slope(neutral, scalar), _terms(arrays, layout, law, once))
        if slope is not None:
            return slope
    return None


def _terms(
    arrays: list[Codes], layout: Float, law: Callable[..., tuple[Reals, Reals]], once: bool
) -> Iterator[tuple[Reals, Reals, Reals] | None]:
    """Target, direction and tolerance of the finite elements, chunk by chunk; None where one became or left non-finite.

    A rounding is half a unit, and a little for factors that were rounded before. In float32 those were rounded as
    coarsely as the values, and in float64 the arithmetic here rounds like the one it judges: hence more there.
    """
    scale = {64: 2.0, 32: 0.52 if once else 1.0}.get(layout.width, 0.52)
    for _, *codes in _chunks(*arrays):
        values = [layout.values(code) for code in codes]
        sound = np.isfinite(values[0])
        for reading in values[2:]:
            sound &= np.isfinite(reading)
        if not np.array_equal(np.isfinite(values[1]), sound):
            yield None
            return
        if not sound.all():
            values, codes = [value[sound] for value in values], [code[sound] for code in codes]
        rounded = codes[1:2] if once else codes
        tolerance = np.sum([layout.ulps(code) for code in rounded], axis=0) * scale
        yield *law(*values), tolerance


def _gap(old: Codes, new: Codes, dtype: str) -> tuple[float | None, int | None]:
    """Largest absolute difference, and distance in representable numbers, of words that differ."""
    if dtype in _EXACT:
        kind = np.dtype(_EXACT[dtype])
        wide = np.int64 if kind.kind == "i" else np.uint64
        return float(_distance(old.view(kind).astype(wide), new.view(kind).astype(wide)).max()), None
    if dtype not in FLOATS:
        return None, None
    layout = FLOATS[dtype]
    one, other = layout.values(old), layout.values(new)
    finite = np.isfinite(one) & np.isfinite(other)
    if not finite.all():
        old, new, one, other = old[finite], new[finite], one[finite], other[finite]
    if not one.size:
        return None, None
    with np.errstate(over="ignore"):  # between the ends of float64's range
        size = np.abs(one - other).max()
    return float(size), int(_distance(layout.order(old), layout.order(new)).max())


def _distance(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.uint64]:
    """The distances of 64-bit integers, signed or not: unsigned arithmetic wraps to the right number."""
    forward: NDArray[np.uint64] = other.view(np.uint64) - one.view(np.uint64)
    return np.where(one > other, -forward, forward)


def _is_copy(before: Buffer, after: Buffer, source: Buffer, dtype: str) -> bool:
    """Whether ``after`` has the bits of ``source`` and the move there brought at least two values."""
    first: Any = None
    varied = False
    for _, old, new, aim in _chunks(_flat(before, dtype), _flat(after, dtype), _flat(source, dtype)):
        if not np.array_equal(new, aim):
            return False
        brought = aim[old != aim]
        if brought.size:
            first = brought[0] if first is None else first
            varied = varied or bool((brought != first).any())
    return varied


def _constant(buffer: Buffer, dtype: str) -> bool:
    words = _flat(buffer, dtype)
    return all((piece == words[0]).all() for _, piece in _chunks(words))


def _chunks(*arrays: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    """The position and the pieces of arrays of one length, a chunk at a time."""
    if len({len(array) for array in arrays}) > 1:
        raise ValueError(f"readings of different lengths: {', '.join(str(len(array)) for array in arrays)}")
    for start in range(0, len(arrays[0]), CHUNK):
        yield start, *(array[start : start + CHUNK] for array in arrays)


def _words(buffer: Buffer, dtype: str, elements: int) -> Codes:
    """The elements as unsigned integers; a row of them each where an element is wider than a word, or complex."""
    size = np.frombuffer(cast("memoryview", buffer), np.uint8).size
    item = _word(dtype) * _parts(dtype) if _word(dtype) else size // max(elements, 1)
    if item * elements != size:
        raise ValueError(f"{size} bytes do not hold {elements} elements of {dtype}")
    word = _word(dtype) or math.gcd(item, 8)
    words = np.frombuffer(cast("memoryview", buffer), f"<u{word}")
    return words if word == item or not size else words.reshape(elements, -1)


def reals(buffer: Buffer, dtype: str) -> Reals:
    """The values of a floating-point type."""
    return FLOATS[dtype].values(_flat(buffer, dtype))


def _flat(buffer: Buffer, dtype: str) -> Codes:
    """The words of known types, parts of complex numbers one after the other; the bytes of unknown types."""
    return np.frombuffer(cast("memoryview", buffer), f"<u{_word(dtype) or 1}")


def _word(dtype: str) -> int:
    """Bytes of one word of a known type, else 0."""
    if dtype in FLOATS:
        return FLOATS[dtype].width // 8
    return np.dtype(_EXACT[dtype]).itemsize if dtype in _EXACT else 0


def _parts(dtype: str) -> int:
    return FLOATS[dtype].parts if dtype in FLOATS else 1


def distance(one: Buffer, other: Buffer, dtype: str) -> float:
    """How far two tensors are apart, relative to the second: 0 for equal values, about 1.4 for unrelated ones.

    Args:
        one: bytes of a tensor.
        other: bytes of a tensor of the same type and size.
        dtype: their type.

    >>> distance(np.float32([3, 4]), np.float32([3, 5]), "float32") < 0.2
    True
    """
    held = FLOATS.get(dtype)
    if held is None:
        return np.inf
    gap = size = 0.0
    for _, mine, theirs in _chunks(_flat(one, dtype), _flat(other, dtype)):
        values = held.values(theirs)
        gap += float(np.square(held.values(mine) - values, dtype=np.float64).sum())
        size += float(np.square(values, dtype=np.float64).sum())
    return float(np.sqrt(gap / size)) if size else np.inf
