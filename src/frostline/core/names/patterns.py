"""Patterns over tensor names: ``*`` stays inside one dotted part, ``**`` crosses them, ``?`` is one character.

A pattern that ends in a slice, such as ``embed.weight[:1000]``, means only those rows of the tensors that it matches.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as a regular expression over a whole name; ``/`` in the pattern reads as ``.``."""
    pieces = re.split(r"(\*\*|\*|\?)", pattern.replace("/", "."))
    regex = "".join({"**": ".*", "*": r"[^.]*", "?": r"[^.]"}.get(piece) or re.escape(piece) for piece in pieces)
    return re.compile(regex)


def matches(pattern: str, name: str) -> bool:
    """Whether ``pattern`` names the tensor ``name``, or a module above it, with or without the model's own name.

    >>> matches("backbone.**", "model.backbone.0.weight"), matches("backbone", "model.backbone.0.weight")
    (True, True)
    >>> matches("*.bias", "model.fc.bias"), matches("fc.*", "model.fc2.bias")
    (True, False)
    """
    name = name.replace("/", ".")
    regex = compiled(pattern)
    candidates = (name, name.partition(".")[2]) if "." in name else (name,)
    for candidate in candidates:
        while candidate:
            if regex.fullmatch(candidate):
                return True
            candidate = candidate.rpartition(".")[0]
    return False


_ROWS = re.compile(r"\[(-?\d*):(-?\d*)(?::([1-9]\d*))?\]$")


def rows_of(pattern: str) -> tuple[str, slice | None]:
    """The pattern of names alone, and the rows that it is limited to, if it is.

    >>> rows_of("embed.weight[:1000]"), rows_of("head.**")
    (('embed.weight', slice(None, 1000, None)), ('head.**', None))
    """
    found = _ROWS.search(pattern)
    if found is None:
        return pattern, None
    return pattern[: found.start()], slice(*(int(part) if part else None for part in found.groups()))


def matching(pattern: str, names: Sequence[Sequence[str]]) -> list[int]:
    """Indices of the tensors (each given by all its names) that ``pattern`` matches under any name, rows left aside."""
    pattern, _ = rows_of(pattern)
    return [index for index, known in enumerate(names) if any(matches(pattern, name) for name in known)]


def looks_like_prefix(pattern: str, names: Sequence[str]) -> list[str]:
    """Numbered modules that ``pattern`` matches only because it ends inside a number (layer.1 and layer.10)."""
    stem = pattern.rstrip("*").rstrip(".")
    digits = re.search(r"(\d+)$", stem)
    if not digits or not pattern.endswith("*") or pattern.endswith((".*", ".**")):
        return []
    longer = re.compile(re.escape(stem) + r"\d+(\.|$)")
    return sorted(name for name in names if longer.search(name) and matches(pattern, name))
