"""Copies that the script keeps of trained weights, called or not: averages, shadows, snapshots."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from frostline.core.events.averages import CopyKept
from frostline.core.facts import Fact, Followed, TensorFound, TensorsDropped
from frostline.frameworks.torch.context import Context
from frostline.frameworks.torch.guards.no_tracing import aside
from frostline.frameworks.torch.models.containers import Holder, holders
from frostline.frameworks.torch.models.model import KEPT_ALIVE
from frostline.frameworks.torch.optimizers.optimizers import held
from frostline.frameworks.torch.tensors.near_tensors import Nearest, can_be_sought, piece_of
from frostline.frameworks.torch.tensors.tensors import NamedTensor, bytes_held, dtype_name, shape_of
from frostline.observe.moves.kept_copies import PIECE, KeptCopy, Pair
from frostline.observe.schedule import due, next_due
from frostline.observe.tensor_state import TensorState

SEARCHED_AT = (1, 16, 128, 1024, 8192, 65536)  # executed steps
COPIES = 8  # containers that are looked at


class _Kept(NamedTensor):
    """A tensor in a container: whichever stands in its place now."""

    __slots__ = ()

    def __init__(self, row: int, found: torch.Tensor, find: Callable[[], torch.Tensor | None], adopted: object) -> None:
        super().__init__(row, adopted, found, None)  # type: ignore[arg-type]
        self._tensor = find  # type: ignore[assignment]


@dataclass(slots=True)
class _Member:
    """One tensor of a container, what finds it now, and the tensor under observation that it was copied from."""

    name: str
    find: Callable[[], torch.Tensor | None]
    source: NamedTensor
    identity: int
    version: int
    state: TensorState | None = None
    told: float | None = None


@dataclass(slots=True)
class _Copy:
    holder: Holder
    members: Sequence[_Member]
    course: KeptCopy


class KeptCopies:
    """Before the second step, and a few times later, looks in the script's variables for tensors near one weight.

    The tensors of a container that holds one, and holds it still at the next step, get rows; a piece of each is looked
    at around checks, and all of it from its first move on.

    Args:
        context: what all instruments share.
    """

    tells: ClassVar[tuple[type[Fact], ...]] = (CopyKept, Followed, TensorFound, TensorsDropped)

    def __init__(self, context: Context) -> None:
        self._context = context
        self._recorder, self._models = context.recorder, context.models
        self._first: dict[int, tuple[weakref.ref[torch.Tensor], bytes]] = {}  # pieces before the first step
        self._copies: list[_Copy] = []
        self._next = 0

    def attach(self) -> Iterable[Callable[[], None]]:
        """See Instrument."""
        self._context.signals.step_nears.append(self._step_nears)
        self._context.signals.finishing.append(self._finishing)
        self._context.signals.finished.append(self._finished)
        return []

    def _step_nears(self, _: Hashable, __: bool) -> None:
        steps = self._recorder.steps
        if steps < self._next:
            return
        self._next = steps + 1 if due(steps) else next_due(steps)
        with aside():
            if not steps:
                self._first = {id(each): (weakref.ref(each), piece_of(each, PIECE)) for each in self._weights()}
            for copy in list(self._copies):
                self._look(copy, steps)
            if steps in SEARCHED_AT:
                self._search(steps)

    def _finishing(self) -> None:
        for copy in list(self._copies):
            if self._look(copy, self._recorder.steps, last=True):
                self._context.tell(copy.course.told(self._recorder.steps))

    def _finished(self) -> None:
        for copy in self._copies:
            copy.holder.let_go()

    def _weights(self) -> list[torch.Tensor]:
        """One weight of each optimizer, by which copies of its model are found."""
        found: list[torch.Tensor] = []
        for optimizer in self._context.optimizers.known():
            usable = (each for each in held(optimizer) if self._models.of(each) is not None and can_be_sought(each))
            found.extend(itertools.islice(usable, 1))
        return found

    # The search

    def _search(self, steps: int) -> None:
        weights = []
        for weight in self._weights():
            reference, piece = self._first.get(id(weight), (None, b""))
            first = [piece] if reference is not None and reference() is weight else []
            weights.append((weight, [piece_of(weight, PIECE), *first]))
        nearest = Nearest(weights)

        def wanted(tensor: torch.Tensor) -> bool:
            return nearest.to(tensor) is not None and not self._is_left(tensor)

        for holder in holders(wanted, self._models.knows)[: COPIES - len(self._copies)] if weights else ():
            near = ((key, nearest.to(each)) for _, key, each in holder.members())
            key, source = next((key, source) for key, source in near if source is not None)
            copy = self._paired(holder, key, source, steps)
            if copy is not None:
                self._copies.append(copy)

    def _is_left(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor is under observation, or in a container that is."""
        return self._models.of(tensor) is not None or any(
            member.find() is tensor for copy in self._copies for member in copy.members
        )

    def _paired(self, holder: Holder, key: str, weight: torch.Tensor, steps: int) -> _Copy | None:
        entry = self._models.of(weight)
        assert entry is not None
        pairs = []
        for suffix, own, tensor, source in _pairs(holder, key, entry, self._sources(entry)):
            if tensor.is_floating_point() and source.row.shape == shape_of(tensor):
                find = holder.finder(suffix, own)
                pairs.append(_Member(f"{holder.path}{suffix}", find, source, id(tensor), tensor._version))
        if not pairs:
            return None
        if sum(bytes_held(tensor) for _, _, tensor in holder.members()) > KEPT_ALIVE:
            holder.let_go()
        course = KeptCopy(
            holder.path, holder.kind, entry.row.model, [self._pair(member) for member in pairs], began=steps
        )
        return _Copy(holder, pairs, course)

    def _pair(self, member: _Member) -> Pair:
        tensor, row = member.find(), member.source.row
        dtype = dtype_name(tensor) if tensor is not None else row.dtype
        return Pair(member.name, row.name, dtype, row.dtype, _piece(tensor), _piece(member.source.tensor))

    def _sources(self, weight: NamedTensor) -> list[NamedTensor]:
        """The tensors of the weight's model, parameters first; where it is in none, those beside it."""
        row = weight.row
        root = next((model.root for model in self._models.models if model.name == row.model), None)
        if root is None:
            return [each for each in self._models.tensors if each.row.model == row.model]
        found = (self._models.of(tensor) for tensor in (*root.parameters(), *root.buffers()))
        return [each for each in found if each is not None]

    # The looks

    def _look(self, copy: _Copy, steps: int, *, last: bool = False) -> bool:
        """Read a piece of each tensor; whether the container is still there and no model of its own by now."""
        first = copy.members[0].find()
        gone = not last and (first is None or copy.holder.is_left())
        if gone or (first is not None and self._models.of(first) is not None):
            self._copies.remove(copy)
            self._drop(copy)
            return False
        moved = copy.course.look(steps, self._pieces(copy), self._written(copy))
        if copy.members[0].state is None:
            if last:  # kept for one step, which may be by chance
                return False
            self._adopt(copy)
        for state in [member.state for member in copy.members] if moved or last else ():
            if state is not None:
                state.settled = state.row.changed.verdict == "yes"
        for member, pair in zip(copy.members, copy.course.pairs, strict=True):
            if member.state is not None and pair.rate is not None and member.told is None:
                member.told = pair.rate
                self._context.tell(Followed(tensor=member.state.row.id, source=pair.source, rate=pair.rate))
        return True

    def _pieces(self, copy: _Copy) -> list[tuple[bytes, bytes]]:
        return [(_piece(member.find()), _piece(member.source.tensor)) for member in copy.members]

    def _written(self, copy: _Copy) -> int:
        """How often something was written to one of the tensors since the last look."""
        most = 0
        for member in copy.members:
            tensor = member.find()
            if tensor is not None:
                same = id(tensor) == member.identity
                most = max(most, tensor._version - member.version if same else 1)
                member.identity, member.version = id(tensor), tensor._version
        return most

    def _adopt(self, copy: _Copy) -> None:
        tracked = self._recorder.tracked
        for member in copy.members:
            tensor = member.find()
            if tensor is None:
                continue
            row = tracked.found(
                name=member.name,
                model=copy.holder.path,
                kind="buffer",
                shape=shape_of(tensor),
                dtype=dtype_name(tensor),
                bytes=tensor.nbytes,
                size=tensor.numel(),
                registered=False,
            )
            entry = _Kept(row.id, tensor, member.find, row)
            self._models.flags.enter(entry, tensor)
            member.state = tracked.adopt(entry, None)
            member.state.settled = True  # until a look shows that it moves, and at the end

    def _drop(self, copy: _Copy) -> None:
        states = [member.state for member in copy.members if member.state is not None]
        for state in states:
            state.settled = True
        if states:
            self._context.tell(TensorsDropped(tensors=tuple(state.row.id for state in states)))
        copy.holder.let_go()


def _piece(tensor: torch.Tensor | None) -> bytes:
    return piece_of(tensor, PIECE) if tensor is not None else b""


def _pairs(
    holder: Holder, key: str, weight: NamedTensor, sources: Sequence[NamedTensor]
) -> Iterable[tuple[str, str, torch.Tensor, NamedTensor]]:
    """The tensors of a container with those they are copies of: by their names, else by their order.

    Args:
        holder: the container.
        key: of the copy of ``weight`` in it.
        weight: of which the container holds a copy.
        sources: the tensors of its model.
    """
    members, prefix = holder.members(), f"{weight.row.model}."
    own, path = _heads(key, weight.row.name.removeprefix(prefix))
    if own is not None:
        by_path = {source.row.name.removeprefix(prefix): source for source in sources}
        for suffix, name, tensor in members:
            source = by_path.get(path + name.removeprefix(own)) if name.startswith(own) else None
            if source is not None:
                yield suffix, name, tensor, source
        return
    for chosen in (sources, [each for each in sources if each.row.kind == "parameter"], _trainable(sources)):
        if [each.row.shape for each in chosen] == [shape_of(tensor) for _, _, tensor in members]:
            for (suffix, name, tensor), source in zip(members, chosen, strict=True):
                yield suffix, name, tensor, source
            return
    for suffix, name, tensor in members:
        if name == key:
            yield suffix, name, tensor, weight


def _trainable(sources: Iterable[NamedTensor]) -> list[NamedTensor]:
    return [each for each in sources if each.row.kind == "parameter" and each.flag()]


def _heads(name: str, source: str) -> tuple[str | None, str]:
    """What stands before the longest ending that two dotted names share; no first where they share none.

    >>> _heads("module.0.weight", "0.weight"), _heads("weight", "body.weight"), _heads("3", "0.weight")
    (('module.', ''), ('', 'body.'), (None, ''))
    """
    mine, theirs = name.split("."), source.split(".")
    if mine[-1] != theirs[-1]:
        return None, ""
    while mine and theirs and mine[-1] == theirs[-1]:
        mine.pop()
        theirs.pop()
    return "".join(f"{part}." for part in mine), "".join(f"{part}." for part in theirs)
