"""What became of the tensors beside one: the rest of its module, its likes in a list, what the same optimizer holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import TypeAlias

from frostline.core.ledger import TensorRow
from frostline.laws.causes.frozen.decay import decay_alone
from frostline.laws.observed_run import ObservedRun

Place: TypeAlias = tuple[str, str, tuple[int, ...], int, tuple[str, ...]]  # of what model, type and shape, and where
Lists: TypeAlias = dict[Place, list[tuple[int, TensorRow]]]


def trained(row: TensorRow) -> bool:
    """Whether the tensor moved, not merely by decay, and was not frozen all along."""
    frozen = row.declared.first is False and not row.declared.flips
    return row.changed.verdict == "yes" and not frozen and decay_alone(row.changed.movements) is None


def rest_of_module(row: TensorRow, run: ObservedRun) -> str | None:
    """That another weight of the same module is trained: then the loss merely does not depend on this one."""
    for other in run.beside(row):
        if other.kind == "parameter" and trained(other):
            return f"{other.name}, of the same module, was trained"
    return None


def expert_of_many(row: TensorRow, run: ObservedRun) -> str | None:
    """That a module of the same type beside this one, as in a list of experts or heads, was trained or called."""
    other = sibling(row, run.once(_trained_in_lists))
    if other is not None:
        return f"{other.name}, of a module of the same type beside it, was trained"
    return other_of_list_called(row)


def _trained_in_lists(run: ObservedRun) -> Lists:
    return in_lists(run, trained)


def in_lists(run: ObservedRun, chosen: Callable[[TensorRow], bool]) -> Lists:
    """For each place in a list of modules the first two of the chosen tensors there, of modules apart."""
    found: Lists = {}
    for number, row in enumerate(run.tensors):
        for place in _places(row) if chosen(row) else ():
            there = found.setdefault(place, [])
            if not there or (len(there) == 1 and there[0][1].owner.path != row.owner.path):
                there.append((number, row))
    return found


def sibling(row: TensorRow, lists: Lists) -> TensorRow | None:
    """The first of the tensors in ``lists`` whose module stands beside that of ``row``, as experts and heads do."""
    found = [each for place in _places(row) for each in lists.get(place, ()) if each[1].owner.path != row.owner.path]
    return min(found, key=itemgetter(0))[1] if found else None


def _places(row: TensorRow) -> Iterator[Place]:
    """The lists of modules that the tensor's module stands in, by its path without one number."""
    pieces = row.owner.path.split(".")
    for index, piece in enumerate(pieces):
        if piece[-1:].isdigit():
            path = (*pieces[:index], f"{piece.rstrip('0123456789')}#", *pieces[index + 1 :])
            yield row.model, row.owner.type, row.shape, index, path


def other_of_list_called(row: TensorRow) -> str | None:
    """That another module of the list in which this one stands was called, as a router does with experts."""
    return "another module of its list was called" if row.owner.sibling_called else None


def factor_of_zeros(row: TensorRow, run: ObservedRun) -> bool:
    """Whether it and another matrix of its module are all zeros: neither ever gets a gradient from their product."""
    return _is_zero_matrix(row) and any(map(_is_zero_matrix, run.beside(row)))


def _is_zero_matrix(row: TensorRow) -> bool:
    return bool(row.zeros) and len(row.shape) > 1 and row.declared.trainable is True


def moved_any(optimizer: str, run: ObservedRun) -> str | None:
    """A tensor that the optimizer holds and that moved, or None."""
    return next((row.name for row, _ in run.holdings[optimizer] if row.changed.verdict == "yes"), None)
