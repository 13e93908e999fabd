"""Where a sample is taken: of few bytes all, of many both ends and the middle."""

from __future__ import annotations

import pytest

from frostline.digest.sample import LARGEST, PIECE, sample


def asked(size: int) -> list[tuple[int, int]]:
    """The parts that a sample of so many bytes asks for."""
    parts: list[tuple[int, int]] = []

    def part(start: int, stop: int) -> bytes:
        parts.append((start, stop))
        return bytes(stop - start)

    sample(part, size)
    return parts


def test_few_bytes_are_read_whole() -> None:
    assert asked(8) == [(0, 8)]
    assert asked(LARGEST) == [(0, LARGEST)]


def test_of_many_three_pieces_are() -> None:
    size = 100 * PIECE + 10
    assert asked(LARGEST + 1) == [(0, PIECE), (PIECE, 2 * PIECE), (LARGEST + 1 - PIECE, LARGEST + 1)]
    assert asked(size) == [(0, PIECE), (50 * PIECE, 51 * PIECE), (size - PIECE, size)]


@pytest.mark.parametrize("size", [16, LARGEST, 64 * PIECE])
@pytest.mark.parametrize("at", [0, -1])
def test_other_bytes_have_another_hash(size: int, at: int) -> None:
    data = bytearray(size)
    before = sample(lambda start, stop: bytes(data[start:stop]), size)
    data[at] = 1
    after = sample(lambda start, stop: bytes(data[start:stop]), size)
    assert isinstance(before, int)
    assert before != after
