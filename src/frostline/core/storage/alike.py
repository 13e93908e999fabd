"""Facts of one kind in a row, as one document: what they have in common once, and of each field that differs a list.

A model of ten thousand tensors has as many facts of each kind; written one by one, most of their bytes say the same.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import GenericAlias
from typing import Any, get_args

import msgspec
from msgspec import UNSET

from frostline.core.events.fact import Fact
from frostline.core.facts import AnyFact

FEW = 3  # so many facts are written one by one
_KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in get_args(AnyFact)}


class Alike(msgspec.Struct, tag=True, tag_field="fact"):
    """Facts of the kind ``of``: fields that are the ``same`` in all, and of the others a value for ``each``."""

    of: str
    same: dict[str, msgspec.Raw]
    each: dict[str, msgspec.Raw]

    def facts(self) -> Iterator[Fact]:
        """The facts themselves.

        Raises:
            LookupError: no kind or field of facts has that name.
            TypeError: a field is missing.
            ValueError: there are more values of one field than of another, or they are of another type.
        """
        kind = _KINDS[self.of]
        same = {field: _decoder(kind, field).decode(value) for field, value in self.same.items()}
        each = [_decoder(kind, field, many=True).decode(values) for field, values in self.each.items()]
        for values in zip(*each, strict=True):
            yield kind(**same, **dict(zip(self.each, values, strict=True)))


def gathered(facts: Iterable[Fact]) -> Iterator[Fact | Alike]:
    """The documents that say these facts, in their order.

    Example:
        >>> from frostline.core.facts import Unread
        >>> [few] = gathered([Unread(tensor=tensor, reason="a meta tensor") for tensor in range(9)])
        >>> few.of, bytes(few.same["reason"]), bytes(few.each["tensor"])
        ('Unread', b'"a meta tensor"', b'[0,1,2,3,4,5,6,7,8]')
    """
    for (kind, _), alike in itertools.groupby(facts, lambda fact: (type(fact), _unset(fact))):
        run = list(alike)
        if len(run) <= FEW:
            yield from run
        else:
            yield _alike(kind, [_values_of(kind)(fact) for fact in run])


def _alike(kind: type[Fact], rows: Sequence[tuple[Any, ...]]) -> Alike:
    same, each = {}, {}
    for (field, default), values in zip(_defaults(kind), zip(*rows, strict=True), strict=True):
        if values.count(values[0]) < len(values):
            each[field] = msgspec.Raw(msgspec.json.encode(values))
        elif values[0] != default:
            same[field] = msgspec.Raw(msgspec.json.encode(values[0]))
    return Alike(kind.__name__, same, each)


@functools.cache
def _values_of(kind: type[Fact]) -> Callable[[Fact], tuple[Any, ...]]:
    return operator.attrgetter(*kind.__struct_fields__)


def _unset(fact: Fact) -> frozenset[str]:
    """The fields of which a fact says nothing, which no list of values can hold."""
    return frozenset(field for field in _may_be_unset(type(fact)) if getattr(fact, field) is UNSET)


@functools.cache
def _may_be_unset(kind: type[Fact]) -> list[str]:
    return [field for field, default in _defaults(kind) if default is UNSET]


@functools.cache
def _defaults(kind: type[Fact]) -> list[tuple[str, Any]]:
    """Its fields with their defaults, those that must be given without one."""
    fields, defaults = kind.__struct_fields__, kind.__struct_defaults__
    needed = len(fields) - len(defaults)
    return list(zip(fields, (msgspec.NODEFAULT,) * needed + defaults, strict=True))


@functools.cache
def _decoder(kind: type[Fact], field: str, *, many: bool = False) -> msgspec.json.Decoder[Any]:
    types: dict[str, Any] = {each.name: each.type for each in msgspec.structs.fields(kind)}
    return msgspec.json.Decoder(GenericAlias(list, types[field]) if many else types[field])
