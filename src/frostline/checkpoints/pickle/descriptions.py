"""Plain values of a pickle as one text, so that what decides the meaning of bytes can be compared like bytes."""

from __future__ import annotations

from typing import Any

from frostline.checkpoints.pickle.records import Call, Global, Items, Pairs, Persistent

LONGEST = 2**20
DEEPEST = 64


class TooLong(ValueError):
    """A value nested too deep, or too long to be told."""


def described(value: Any) -> bytes:
    """A value in full; what is read as a tensor of its own stands as its kind only.

    Raises:
        TooLong: the text would have more than ``LONGEST`` characters, or the value is nested too deep.

    >>> described((1, "a", None))
    b"(1, 'a', None)"
    """
    parts: list[str] = []
    _write(value, parts, [LONGEST], 0)
    return "".join(parts).encode("utf-8", "surrogatepass")


def _write(value: Any, parts: list[str], room: list[int], depth: int) -> None:
    if isinstance(value, Persistent):
        _add("tensor", parts, room)
    elif isinstance(value, bytes):
        _add("bytes", parts, room)
    elif isinstance(value, Global):
        _add(str(value), parts, room)
    elif isinstance(value, int | float | str) or value is None:
        _add(repr(value), parts, room)
    elif depth > DEEPEST:
        raise TooLong
    else:
        start, members, end = _opened(value)
        _add(start, parts, room)
        for index, member in enumerate(members):
            _add(", " if index else "", parts, room)
            _write(member, parts, room, depth + 1)
        _add(end, parts, room)


def _add(text: str, parts: list[str], room: list[int]) -> None:
    room[0] -= len(text) + 1
    if room[0] < 0:
        raise TooLong
    parts.append(text)


def _opened(value: Any) -> tuple[str, list[Any], str]:
    if isinstance(value, tuple):
        return "(", list(value), ")"
    if isinstance(value, Pairs):
        return "{", [member for pair in value.pairs for member in pair], "}"
    if isinstance(value, Items):
        return "[", value.items, "]"
    if isinstance(value, Call):
        return f"{value.function}(", [value.args, value.state, Pairs(value.pairs), Items(value.items)], ")"
    raise TooLong
