"""What a checkpoint holds beside its tensors: numbers, texts and objects, each as a text that differs where they do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NAME = "other-values"  # by which a lock lists them all, and patterns name them
DTYPE = "values"
NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is not the same in two files, as texts."""

    name: str
    old: str
    new: str

    @property
    def text(self) -> str:
        """What became of it.

        >>> Change("epoch", "3", "4").text
        '3 became 4'
        """
        return f"{self.old} became {self.new}"


def mark(content: str | bytes) -> str:
    """Digits that stand for content that is not shown: the beginning of its SHA-256.

    >>> mark("a")
    'ca978112ca1bbdcafac231b39a23dc4d'
    """
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    return hashlib.sha256(data).hexdigest()[:32]


def changes(
    old: Mapping[str, str], new: Mapping[str, str], chosen: Callable[[str], bool], is_one_format: bool
) -> list[Change]:
    """The values that differ; those that one file alone has only where both are of one format, since others drop them.

    >>> changes({"epoch": "3", "seed": "1"}, {"epoch": "4"}, lambda name: True, False)
    [Change(name='epoch', old='3', new='4')]
    """
    names = [name for name in {**old, **new} if is_one_format or (name in old and name in new)]
    pairs = [(name, old.get(name, NONE), new.get(name, NONE)) for name in names if chosen(name)]
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def content(extras: Mapping[str, str]) -> bytes:
    """All of them as bytes, whose digest a lock has."""
    return json.dumps(sorted(extras.items())).encode()
