"""A ledger without anything private: names, paths and classes replaced, the same one everywhere by the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from frostline.core.ledger import Ledger
from frostline.core.names.public_words import PUBLIC
from frostline.core.run import Run

# An identifier, or whatever is neither digit nor punctuation; and the parts of an identifier, whose numbers laws read.
_WORD = re.compile(r"[^\W\d]\w*|[^\w\s.,:;/\\()\[\]{}*'\"=<>+|&!?@^~$#%-]+")
_PART = re.compile(r"[^\d_]+")
_LETTERS = "bcdfghjklmnpqrstvwxz"  # of the words that stand for others: none of them then says what a law looks for
_STEP_OF_PATH = re.compile(r"[^/\\]+")
_SAID = re.compile(r"\b(\w*(?:Error|Exception|Warning|Interrupt)): .*", re.DOTALL)  # what an error says may be anything
_PATHS = {"file", "files", "lines"}
_LEFT_OUT = {"source", "value"}  # lines of the script, and what it assigned
_KEPT = {"dtype", "dtypes", "expected", "shows"}
# What frostline says itself, with names in it:
_SENTENCES = {
    "equals",
    "event",
    "faults",
    "how",
    "idle",
    "missing",
    "reason",
    "unknown",
}


def anonymous(ledger: Ledger) -> Ledger:
    """``ledger`` with every word that a user chose replaced: names of tensors, classes, files, functions, arguments.

    Words of frameworks (``weight``, ``BatchNorm1d``) and numbers in names stay, so that laws see what they saw.
    Command, host, commit and time, lines of the script, what errors said, digests and samples of values are left out.

    Example:
        >>> from frostline.core.ledger import TensorRow
        >>> row = TensorRow("secret.0.weight", "secret", "parameter", (2, 1), "float32", 8, 2)
        >>> [(each.name, each.model) for each in anonymous(Ledger([row])).tensors]
        [('nb.0.weight', 'nb')]
    """
    words = _Words()
    data = words.names(msgspec.to_builtins(replace(ledger, run=_without_place(ledger.run))))
    return msgspec.convert(words.sentences(data), Ledger)


def _without_place(run: Run) -> Run:
    """How a script was run, and nothing of where, when, or with which arguments."""
    return replace(run, command=["train.py"], id="", pid=None, host="", commit="", started="")


class _Words:
    """Private words and what stands for each."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def names(self, node: Any, field: str = "") -> Any:
        """Plain data whose names are replaced; ``field`` is the one that holds ``node``."""
        match node:
            case dict():
                return {
                    key: each if key == "frameworks" else self.names(each, "unknown" if field == "unknown" else key)
                    for key, each in node.items()
                }
            case list() | tuple() if field == "digests":
                return [self._another(each) for each in node]
            case list() | tuple():
                return [self.names(each, field) for each in node]
            case str() if field in _LEFT_OUT:
                return ""
            case str() if field in _PATHS:
                return _STEP_OF_PATH.sub(lambda step: self._step(step[0]), node)
            case str() if field not in _SENTENCES | _KEPT and node not in _closed():
                return _WORD.sub(lambda word: self._word(word[0]), node)
        return None if field == "sample" else node

    def sentences(self, node: Any, field: str = "") -> Any:
        """Plain data in whose sentences the names are replaced that were replaced elsewhere."""
        match node:
            case dict():
                return {
                    key: self.sentences(each, "unknown" if field == "unknown" else key) for key, each in node.items()
                }
            case list() | tuple():
                return [self.sentences(each, field) for each in node]
            case str() if field in _SENTENCES:
                return _WORD.sub(lambda word: _PART.sub(self._as_elsewhere, word[0]), _SAID.sub(_unsaid, node))
        return node

    def _as_elsewhere(self, part: re.Match[str]) -> str:
        return self._known.get(part[0], part[0])

    def _word(self, word: str) -> str:
        """A word as it may be shown: whole where frameworks choose it, else part by part."""
        return word if word in PUBLIC else _PART.sub(lambda part: self._part(part[0]), word)

    def _part(self, part: str) -> str:
        return part if part in PUBLIC else self._another(part)

    def _another(self, word: str) -> str:
        """What stands for ``word``."""
        return self._known.setdefault(word, f"n{_in_letters(len(self._known))}")

    def _step(self, step: str) -> str:
        """A folder or file: its ending stays where it is a kind of file, and so does the line that follows it."""
        name, ending, line = re.fullmatch(r"(.*?)(\.\w+)?(:\d+)?", step, re.DOTALL).groups(default="")  # type: ignore[union-attr]
        return self._another(name) + (ending if ending[1:] in PUBLIC else "") + line


def _unsaid(error: re.Match[str]) -> str:
    """The kind of an error without what it said."""
    return error[1] if error[1] in PUBLIC else "an error"


def _in_letters(number: int) -> str:
    """A number in digits that are letters.

    >>> _in_letters(0), _in_letters(21)
    ('b', 'cc')
    """
    tens, ones = divmod(number, len(_LETTERS))
    return (_in_letters(tens) if tens else "") + _LETTERS[ones]


@cache
def _closed() -> frozenset[str]:
    """The texts that frostline itself chooses from, such as ``outside`` and ``nonzero``."""

    def chosen(node: Any) -> Iterator[str]:
        for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
            yield from chosen(each)
        if isinstance(node, dict):
            yield from (each for each in node.get("enum", ()) if isinstance(each, str))

    return frozenset(chosen(msgspec.json.schema(Ledger)))
