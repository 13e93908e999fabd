"""Stored ledgers with one field changed: what the laws would say if one thing had been otherwise.

The programs of the corpus take each law's conditions together; here they are taken apart. ``<shelf>.what_if.json``
holds for each program some places in its ledger, the value each takes, and what is then found instead. The values are
such as the same field has in other runs. A ledger so changed may be of a run that cannot be: what counts is that
whoever changes a law sees what else it now says.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias

import msgspec
from tests.ledgers import stored
from tests.ledgers.stored import HERE, Seen

Place: TypeAlias = tuple[str | int, ...]
Scalar: TypeAlias = bool | int | float | str | None
Change: TypeAlias = tuple[Place, Scalar]
KEPT = 24  # changes of a program that are stored
SILENT = 4  # of them that change nothing
TRIED = 5  # values for each kind of place, to find these
FAILS = "fails with"
NAMES = ("id", "name", "names", "model", "models", "optimizer", "held_by", "tensors", "optimizers", "followed")


def load(shelf: str) -> dict[str, dict[Change, str]]:
    """The changes of each program of a shelf, with what they do to its findings."""
    path = HERE / f"{shelf}.what_if.json"
    said = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {name: {(_place(place), value): does for place, value, does in each} for name, each in said.items()}


def save(shelf: str, said: Mapping[str, Mapping[Change, str]]) -> None:
    lines = []
    for program, each in sorted(said.items()):
        rows = [json.dumps([_text(place), value, does], ensure_ascii=False) for (place, value), does in each.items()]
        lines.append(f" {json.dumps(program)}: [\n  " + ",\n  ".join(rows) + "\n ]")
    (HERE / f"{shelf}.what_if.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def renewed(shelf: str) -> dict[str, dict[Change, str]]:
    """What the changes of all programs do now: those that are stored and still fit, and new ones in place of others."""
    programs, before = stored.load(shelf), load(shelf)
    values = _values(programs)
    used: Counter[str] = Counter()
    now: dict[str, dict[Change, str]] = {}
    for seen in programs:
        kept = effects(seen, before.get(seen.program, {}))
        if len(kept) < KEPT:
            kept |= _chosen(seen, values, used, KEPT - len(kept))
        used.update(_kind(place) for (place, _), does in kept.items() if does)
        now[seen.program] = kept
    return now


def effects(seen: Seen, changes: Iterable[Change]) -> dict[Change, str]:
    """What is found less and more with each of the changes that fit the program; empty where that is nothing."""
    without = Counter(_findings(seen))
    each = ((change, _effect(seen, change, without)) for change in changes)
    return {change: does for change, does in each if does is not None}


def _effect(seen: Seen, change: Change, without: Counter[str]) -> str | None:
    place, value = change
    try:
        first = _with(seen.ledgers[0], place, value)
    except (AttributeError, LookupError, TypeError):
        return None
    if first == seen.ledgers[0]:
        return None
    try:
        found = Counter(_findings(Seen(seen.program, [first, *seen.ledgers[1:]])))
    except Exception as error:  # the field belongs to another, which says otherwise now
        return f"{FAILS} {type(error).__name__}"
    signs = [f"-{each}" for each in (without - found).elements()] + [
        f"+{each}" for each in (found - without).elements()
    ]
    return "; ".join(sorted(signs))


def _findings(seen: Seen) -> Iterator[str]:
    record = stored.record_of(seen)
    for finding in record.findings:
        excuse = str(finding.evidence.get("excuse", "")).partition(":")[0]
        yield f"{finding.code} {excuse or finding.severity} of {len(finding.tensors)}"
    yield from (f"{each.law} excused: {each.excuse}" for each in record.excused)


def _chosen(
    seen: Seen, values: Mapping[str, Sequence[Scalar]], used: Mapping[str, int], count: int
) -> dict[Change, str]:
    """Changes of a program at the kinds of places that few other programs are changed at, those first that matter."""
    chance = random.Random(seen.program)
    kinds: dict[str, list[tuple[Place, Scalar]]] = defaultdict(list)
    for place, value in _scalars(seen.ledgers[0]):
        kinds[_kind(place)].append((place, value))
    changes: list[Change] = []
    for kind in [*sorted(kinds, key=lambda each: (used[each], chance.random()))] * TRIED:
        place, value = chance.choice(kinds[kind])
        others = [each for each in values.get(kind, ()) if repr(each) != repr(value)]
        changes += [(place, chance.choice(others))] if others else []
    tried = {change: does for change, does in effects(seen, changes).items() if not does.startswith(FAILS)}
    of_kind = {_kind(change[0]): change for change in reversed(tried) if tried[change]}
    order = sorted(of_kind.values(), key=lambda change: used[_kind(change[0])])
    order += [each for each in tried if tried[each] and each not in order]
    order = order[: KEPT - SILENT] + [each for each in tried if not tried[each]]
    return {change: tried[change] for change in order[:count]}


def _values(programs: Iterable[Seen]) -> dict[str, list[Scalar]]:
    """The values that each kind of place has in the programs; none for names."""
    found: dict[str, dict[str, Scalar]] = defaultdict(dict)
    for seen in programs:
        for place, value in _scalars(seen.ledgers[0]):
            if not _is_name(place):
                found[_kind(place)].setdefault(repr(value), value)
    return {kind: [values[each] for each in sorted(values)] for kind, values in found.items()}


def _scalars(node: Any, place: Place = ()) -> Iterator[tuple[Place, Scalar]]:
    """Every place of a ledger that has a single value, and the value."""
    if node is None or isinstance(node, bool | int | float | str):
        yield place, node
    elif isinstance(node, list | tuple):
        for index, each in enumerate(node):
            yield from _scalars(each, (*place, index))
    elif isinstance(node, dict):
        for key, each in node.items():
            yield from _scalars(each, (*place, key))
    else:
        names = node.__struct_fields__ if isinstance(node, msgspec.Struct) else [each.name for each in fields(node)]
        for name in names:
            yield from _scalars(getattr(node, name), (*place, name))


def _with(node: Any, place: Place, value: Scalar) -> Any:
    """A copy of the node with the value at the place; what is not on the way there is shared."""
    if not place:
        return value
    first, *rest = place
    if isinstance(node, dict):
        return {**node, first: _with(node[first], tuple(rest), value)}
    if isinstance(node, list | tuple):
        inner = [*node]
        inner[first] = _with(inner[first], tuple(rest), value)  # type: ignore[index, call-overload]
        return type(node)(inner)
    changed = {str(first): _with(getattr(node, str(first)), tuple(rest), value)}
    return replace(node, **changed) if is_dataclass(node) else msgspec.structs.replace(node, **changed)


def _is_name(place: Place) -> bool:
    """Whether rows and events are told by the value, so that no other one can stand in its place."""
    return next(each for each in reversed(place) if isinstance(each, str)) in NAMES


def _kind(place: Place) -> str:
    return ".".join("*" if isinstance(each, int) else each for each in place)


def _text(place: Place) -> str:
    return "/".join(map(str, place))


def _place(text: str) -> Place:
    return tuple(int(each) if each.isdigit() else each for each in text.split("/"))
