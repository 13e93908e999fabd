"""Names and sizes of element types, one name for one type whatever the file calls it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from frostline.errors import CheckpointError

BITS: dict[str, int] = {
    "bool": 8,
    **{f"{sign}int{bits}": bits for sign in ("", "u") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": bits for bits in (16, 32, 64)},
    "bfloat16": 16,
    "float8_e4m3fn": 8,
    "float8_e5m2": 8,
    "float8_e4m3fnuz": 8,
    "float8_e5m2fnuz": 8,
    "float8_e8m0fnu": 8,
    "float6_e2m3fn": 6,
    "float6_e3m2fn": 6,
    "float4_e2m1fn": 4,
    "complex32": 32,
    "complex64": 64,
    "complex128": 128,
    # containers whose values need a scale that stands elsewhere
    "qint8": 8,
    "quint8": 8,
    "qint32": 32,
    **{f"{sign}int{bits}": 8 for sign in ("", "u") for bits in range(1, 8)},
    **{f"bits{form}": 8 for form in ("1x8", "2x4", "4x2", "8")},
    "bits16": 16,
    # several in a byte, as ONNX and TFLite have them
    **{f"{sign}int{bits}_packed": bits for sign in ("", "u") for bits in (2, 4)},
}


def agree(one: str, other: str) -> bool:
    """Whether two names may stand for one type: they are equal, or one is a mere run of bytes of the same width.

    >>> agree("bfloat16", "raw16"), agree("bfloat16", "float16")
    (True, False)
    """
    unnamed = one.startswith("raw") or other.startswith("raw")
    return one == other or (unnamed and bits(one) == bits(other))


def raw(width: int) -> str:
    """The name of an element type of ``width`` bytes that the file does not name."""
    return f"raw{8 * width}"


def bits(dtype: str) -> int | None:
    """Bits of one element, or None for a type whose elements have no size of their own.

    >>> bits("bfloat16"), bits("raw16"), bits("Q4_K"), bits("raw" + "9" * 5000)
    (16, 16, None, None)
    """
    if dtype.startswith("raw") and dtype.isascii() and dtype[3:].isdigit() and len(dtype) < 20:
        return int(dtype[3:])
    return BITS.get(dtype)


@lru_cache
def numeric(dtype: str) -> np.dtype | None:
    """The numpy type that can compute with ``dtype``, or None where there is none."""
    if dtype.startswith(("bfloat", "float8")):
        try:
            import ml_dtypes
        except ImportError:
            raise CheckpointError(
                f"numbers of type {dtype} need the package ml_dtypes", "pip install 'frostline[checkpoints]'"
            ) from None
        narrow: np.dtype = np.dtype(getattr(ml_dtypes, dtype))
        return narrow
    try:
        return np.dtype(dtype) if dtype in BITS else None
    except TypeError:  # a container that numpy has no word for
        return None


def from_numpy(dtype: np.dtype) -> str:
    """The name of a numpy type: its own, or ``raw<bits>`` where it is a mere run of bytes.

    >>> from_numpy(np.dtype(">f4")), from_numpy(np.dtype("V2"))
    ('float32', 'raw16')
    """
    return dtype.name if dtype.kind in "biufc" and dtype.name in BITS else raw(dtype.itemsize)
