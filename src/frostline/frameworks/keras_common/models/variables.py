"""The variables under observation as tensors: by identity, by name, and how their rows follow what the layers hold."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from frostline.core.facts import BufferFrozen, TensorReplaced, TensorSeen
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import Place, role_of
from frostline.frameworks.keras_common.tensors.tensors import GradientOf, NamedVariable
from frostline.observe.observer import Observer
from frostline.observe.protocols import Unreadable


class Variables:
    """The tensors of all models, in the order in which they were adopted.

    Args:
        observer: where tensors are handed to.
        dialect: the generation of Keras and its backend.
        gradient: tells what is known of the gradient of a variable.
    """

    def __init__(self, observer: Observer, dialect: Dialect, gradient: GradientOf) -> None:
        self._observer = observer
        self._dialect = dialect
        self._gradient = gradient
        self._root: Callable[[], Any] = lambda: None
        self.tensors: list[NamedVariable] = []
        self._by_id: dict[int, NamedVariable] = {}
        self._by_name: dict[str, NamedVariable] = {}

    def of(self, variable: Any) -> NamedVariable | None:
        """The tensor that this very variable carries now."""
        entry = self._by_id.get(id(variable))
        return entry if entry is not None and entry.variable is variable else None

    def called(self, name: str) -> NamedVariable | None:
        """The tensor of that name."""
        return self._by_name.get(name)

    def free(self, name: str) -> str:
        """A name that no tensor has, as close to this one as can be."""
        unique, count = name, 1
        while unique in self._by_name:
            count += 1
            unique = f"{name}#{count}"
        return unique

    def follow(self, model: Any) -> None:
        """Judge all flags by the roads from this model; by each tensor's first one, if it is None."""
        self._root = weakref.ref(model) if model is not None else lambda: None
        for entry in self.tensors:
            entry.follow(model)

    def forget(self, entries: Iterable[NamedVariable]) -> None:
        """These tensors are no longer under observation."""
        gone = list(entries)
        self.tensors = [entry for entry in self.tensors if entry not in gone]

    def adopt(self, name: str, place: Place, model: str, *, registered: bool = True) -> NamedVariable:
        """Take the variable at this place under observation, as a tensor of that name and model."""
        owner = (
            (place.owner_path, type(place.owner).__name__, role_of(place.chain)) if place.chain else ("", "", "other")
        )
        row = self._observer.tracked.found(
            name=name,
            model=model,
            kind=place.kind,
            shape=(),
            dtype="",
            bytes=0,
            size=0,
            owner=owner[0],
            owner_type=owner[1],
            role=owner[2],
            registered=registered,
        )
        entry = NamedVariable(row.id, row, place.variable, place.chain, self._dialect, self._gradient)
        self._measure(entry)
        if place.chain:
            self._note_frozen_subtree(entry, place.chain)
        self.tensors.append(entry)
        self._by_id[id(place.variable)] = entry
        self._by_name[name] = entry
        self._observer.tracked.adopt(entry, entry.flag())
        return entry

    def exchange(self, entry: NamedVariable, place: Place) -> None:
        """Another variable carries the tensor's name now: quantisation and adapters put new ones in place."""
        row, variable = entry.row, place.variable
        entry.carry(variable, place.chain)
        self._by_id[id(variable)] = entry
        self._observer.tell(TensorSeen(tensor=row.id, kind=place.kind))
        self._observer.tell(
            TensorReplaced(
                step=self._observer.steps,
                tensor=row.id,
                name=row.name,
                by=type(place.owner).__name__,
                flag_before=row.declared.trainable,
                flag_now=entry.flag(),
            )
        )
        self._measure(entry)
        self._observer.tensors[entry.key].rebase(self._observer.clock.now)

    def note_names(self, named: list[tuple[str, Place]]) -> None:
        """One variable has all these names and places now."""
        entry = self._by_id[id(named[0][1].variable)]
        aliases = [name for name, _ in named if name != entry.row.name]
        if aliases != entry.row.aliases:
            self._observer.tell(TensorSeen(tensor=entry.row.id, aliases=aliases))
        for name, place in named:
            if name == entry.row.name:
                self._note_owner(entry, place, [other for _, other in named])
        if not entry.row.bytes:
            self._measure(entry)

    def _measure(self, entry: NamedVariable) -> None:
        row, variable = entry.row, entry.variable
        shape = tuple(int(size) for size in variable.shape)
        try:
            size = memoryview(entry.read()).nbytes
        except Unreadable:
            size = 0
        self._observer.tell(
            TensorSeen(
                tensor=row.id,
                shape=shape,
                dtype=self._dialect.dtype(variable),
                size=math.prod(shape),
                bytes=size,
            )
        )

    def _note_owner(self, entry: NamedVariable, place: Place, everywhere: list[Place]) -> None:
        entry.carry(place.variable, place.chain, [each.chain for each in everywhere])
        entry.follow(self._root())
        if entry.row.kind == "buffer" and (chain := entry.road):
            self._note_frozen_subtree(entry, chain)

    def _is_frozen(self, layer: Any) -> bool:
        weights, _ = self._dialect.own(layer)
        one_by_one = bool(weights) and not any(self._dialect.flag(weight, ()) for weight in weights)
        return one_by_one or not self._dialect.says(layer)

    def _note_frozen_subtree(self, entry: NamedVariable, chain: tuple[Any, ...]) -> None:
        """A buffer counts as frozen when its layer, or a layer around it, is: by its flag or weight by weight."""
        if entry.row.kind != "buffer":
            return
        frozen = next((layer for layer in reversed(chain) if self._is_frozen(layer)), None)
        subtree = str(frozen.name) if frozen is not None else None
        watched, flipped = self._observer.tensors.get(entry.key), False
        if watched is not None and (subtree is None) != (entry.row.owner.frozen_subtree is None):
            flipped = bool(entry.row.changed.checks)
            watched.froze_at = self._observer.clock.now if flipped else watched.froze_at
            watched.settled = False
        if subtree != entry.row.owner.frozen_subtree:
            self._observer.tell(BufferFrozen(tensor=entry.row.id, subtree=subtree, flipped=flipped))
