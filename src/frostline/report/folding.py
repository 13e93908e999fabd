"""Making many tensors few: a module tree folded where columns agree, and lists of names written as patterns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from frostline.core.ledger import TensorRow

ROWS = 40
_SIBLINGS = 15
_DEPTH = 40  # hostile names may hold thousands of dots

Path = tuple[str, ...]


@dataclass(slots=True)
class Fold:
    """One row of a folded tree: a module (or several alike) and every tensor under it."""

    label: str
    depth: int
    tensors: list[TensorRow]


@dataclass(slots=True)
class _Node:
    """A module of the tree; ``marks`` are the distinct marks of its tensors, ``kind`` its shape and marks."""

    name: str
    tensors: list[TensorRow] = field(default_factory=list)
    children: dict[str, _Node] = field(default_factory=dict)
    marks: set[Hashable] = field(default_factory=set)
    kind: int = -1


@dataclass(slots=True)
class _Group:
    """Modules that look alike, shown as one row; ``parts`` is what it was expanded into."""

    label: str
    nodes: list[_Node]
    parts: list[_Group] = field(default_factory=list)


def folded(
    model: str, rows: Iterable[TensorRow], mark: Callable[[TensorRow], Hashable], root: str, limit: int = ROWS
) -> list[Fold]:
    """The module tree of ``tensors`` as at most about ``limit`` rows.

    a module whose tensors all bear the same mark is one row; sibling modules that look alike are one row too.
    Where the rows would be too many, the deeper modules stay folded although their tensors differ.

    Args:
        model: the first part of the tensors' names.
        tensors: the tensors to show.
        mark: what must agree for tensors to share a row.
        root: how the whole is called in its row.
        limit: the number of rows after which nothing more is unfolded.
    """
    top = _grown(model, rows, mark)
    _classify(top, {})
    group = _Group(root, [top])
    _expand(group, limit)
    return list(_rows(group, 0))


def _grown(model: str, rows: Iterable[TensorRow], mark: Callable[[TensorRow], Hashable]) -> _Node:
    top = _Node(model)
    for row in rows:
        parts = row.name.split(".", _DEPTH)
        own = mark(row)
        path = [top]
        for part in parts[1:] if parts[0] == model and len(parts) > 1 else parts:
            children = path[-1].children
            if part not in children:
                children[part] = _Node(part)
            path.append(children[part])
        for node in path:
            node.tensors.append(row)
            node.marks.add(own)
    return top


def _classify(node: _Node, kinds: dict[Hashable, int]) -> int:
    """Number the node so that equal numbers mean: looks the same, whatever its own name."""
    if len(node.marks) == 1:
        key: Hashable = ("same", *node.marks)
    else:
        key = ("mixed", *((child.name, _classify(child, kinds)) for child in node.children.values()))
    node.kind = kinds.setdefault(key, len(kinds))
    return node.kind


def _expand(group: _Group, limit: int) -> None:
    """Unfold breadth first, so that a limit cuts depth and not the later modules."""
    waiting, rows = [group], 1
    while waiting:
        current = waiting.pop(0)
        parts = _parts(current)
        while len(parts) == 1 and len(parts[0].nodes[0].marks) > 1:
            current.label += f".{parts[0].label}"
            current.nodes = parts[0].nodes
            parts = _parts(current)
        shown = parts if len(parts) <= _SIBLINGS else parts[: _SIBLINGS - 1]
        rest = [node for part in parts[len(shown) :] for node in part.nodes]
        if rows + len(shown) <= limit:
            current.parts = [*shown, _Group(f"… {len(rest):,} more", rest)] if rest else shown
            rows += len(current.parts)
            waiting.extend(shown)


def _parts(group: _Group) -> list[_Group]:
    """The children of a group whose tensors differ, those that look alike together."""
    if len(group.nodes[0].marks) == 1:
        return []
    alike: dict[int, list[_Node]] = {}
    for node in group.nodes:
        for child in node.children.values():
            alike.setdefault(child.kind, []).append(child)
    return [_Group(listed([node.name for node in nodes]), nodes) for nodes in alike.values()]


def _rows(group: _Group, depth: int) -> Iterable[Fold]:
    yield Fold(group.label, depth, [row for node in group.nodes for row in node.tensors])
    for part in group.parts:
        yield from _rows(part, depth + 1)


def listed(names: Sequence[str], show: int = 3) -> str:
    """Sibling names in few words: runs of numbers as ranges, long lists by their ends.

    >>> listed(["0", "1", "2", "5"]), listed(["a", "b"]), listed(["a", "b", "c", "d", "e"])
    ('0–2, 5 ×4', 'a, b', 'a, b, … e ×5')
    """
    distinct = list(dict.fromkeys(names))
    pieces = _ranges(distinct)
    text = ", ".join(pieces) if len(pieces) <= show else f"{', '.join(pieces[: show - 1])}, … {pieces[-1]}"
    return f"{text} ×{len(distinct)}" if len(distinct) > 2 else text


def _ranges(names: Sequence[str]) -> list[str]:
    if not all(_is_number(name) for name in names):
        return list(names)
    pieces: list[tuple[int, int]] = []
    for number in sorted({int(name) for name in names}):
        if pieces and pieces[-1][1] == number - 1:
            pieces[-1] = (pieces[-1][0], number)
        else:
            pieces.append((number, number))
    return [str(first) if first == last else f"{first}–{last}" for first, last in pieces]


def _is_number(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) < 10 and str(int(part)) == part


@dataclass(frozen=True, slots=True)
class Pattern:
    """A name or a pattern and how many tensors it stands for."""

    text: str
    tensors: int


class Names:
    """All tensor names of a ledger, to tell when a list of names is a whole module."""

    def __init__(self, rows: Iterable[TensorRow]) -> None:
        self.kinds: dict[str, str] = {row.name: row.kind for row in rows}
        self._prefixes: dict[str, list[Path]] = {}
        self._totals: dict[frozenset[str], Counter[Path]] = {}

    def patterns(self, names: Iterable[str]) -> list[Pattern]:
        """``names`` as few patterns: whole modules as ``module.**``, numbered siblings as ``{0–11}``.

        Whole means every tensor of the same kinds as those in ``names``: all buffers of a module, say.
        """
        distinct = list(dict.fromkeys(names))
        known = [name for name in distinct if name in self.kinds]
        total = self._total(frozenset(self.kinds[name] for name in known))
        inside = Counter(path for name in known for path in self._paths(name))
        covers: dict[Path, int] = {}
        for name in distinct:
            paths = self._paths(name)
            whole = next((path for path in paths if inside[path] == total[path]), paths[-1])
            # Of the modules that hold just the same tensors, the innermost says most.
            path = next(path for path in reversed(paths) if inside[path] == inside[whole])
            covers[path if path is paths[-1] else (*path, "**")] = inside[path] or 1
        return [Pattern(".".join(path), count) for path, count in _merged(covers).items()]

    def describe(self, names: Sequence[str]) -> str:
        """How many tensors of which kind: ``40 buffers``."""
        kinds = {self.kinds.get(name, "tensor") for name in names}
        kind = kinds.pop() if len(kinds) == 1 else "tensor"
        plural = {"tensor": "tensors"}.get(kind, f"{kind}s")
        return f"{len(names):,} {kind if len(names) == 1 else plural}"

    def _total(self, kinds: frozenset[str]) -> Counter[Path]:
        """How many tensors of these kinds are under each module."""
        if kinds not in self._totals:
            of_kinds = (name for name, kind in self.kinds.items() if kind in kinds)
            self._totals[kinds] = Counter(path for name in of_kinds for path in self._paths(name))
        return self._totals[kinds]

    def _paths(self, name: str) -> list[Path]:
        """Every module that holds the tensor, from the model down to the tensor itself."""
        if name not in self._prefixes:
            parts = tuple(name.split(".", _DEPTH))
            self._prefixes[name] = [parts[:stop] for stop in range(1, len(parts) + 1)]
        return self._prefixes[name]


def _merged(covers: dict[Path, int]) -> dict[Path, int]:
    """Paths that differ in one number become one path with a range, the rightmost number first."""
    for position in reversed(range(max((len(path) for path in covers), default=0))):
        families: dict[tuple[str | None, ...], list[Path]] = {}
        for path in covers:
            numbered = position < len(path) and _is_number(path[position])
            families.setdefault((*path[:position], None, *path[position + 1 :]) if numbered else path, []).append(path)
        covers = {
            members[0] if len(members) == 1 else _ranged(members, position): sum(covers[path] for path in members)
            for members in families.values()
        }
    return covers


def _ranged(members: Sequence[Path], position: int) -> Path:
    numbers = ", ".join(_ranges([path[position] for path in members]))
    first = members[0]
    return (*first[:position], f"{{{numbers}}}", *first[position + 1 :])
