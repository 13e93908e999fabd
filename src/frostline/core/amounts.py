"""Counts with their nouns, as findings say them."""

from __future__ import annotations

from collections.abc import Iterable

from frostline.core.ledger import TensorRow


def parameters(rows: Iterable[TensorRow]) -> int:
    """How many values the tensors hold together."""
    return sum(row.size for row in rows)


def several(count: int, singular: str, plural: str | None = None) -> str:
    """A count with its noun.

    >>> several(1, "tensor"), several(2, "tensor")
    ('1 tensor', '2 tensors')
    """
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def are(count: int) -> str:
    """The verb that follows ``several(count, …)``: "is" of one thing, "are" of more."""
    return "is" if count == 1 else "are"


def were(count: int) -> str:
    """The same of what is past: "was" of one thing, "were" of more."""
    return "was" if count == 1 else "were"


def tensors(tensor_rows: Iterable[TensorRow]) -> str:
    """The tensors as "3 tensors (1,024 parameters)"; what buffers hold are values."""
    rows = list(tensor_rows)
    noun = "value" if any(row.kind == "buffer" for row in rows) else "parameter"
    return f"{several(len(rows), 'tensor')} ({several(parameters(rows), noun)})"
