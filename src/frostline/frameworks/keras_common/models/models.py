"""The Keras models under observation: their leaves, kept true to what the layers hold at every check."""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from frostline.core.facts import (
    BufferFrozen,
    FlagSeen,
    LayersUntracked,
    ModulesRecreated,
    TensorReplaced,
    TensorsDropped,
    TensorSeen,
    VariablesUntracked,
)
from frostline.core.patterns import matches
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import (
    Place,
    alive_layers,
    layers_below,
    outermost_with,
    places,
    role_of,
)
from frostline.frameworks.keras_common.models.untracked_layers import hidden_layers
from frostline.frameworks.keras_common.tensors.tensors import LOOSE, GradientOf, KerasLeaf
from frostline.observe.live import Unreadable
from frostline.observe.names import unique, variable_names
from frostline.observe.observer import Observer

KEPT_ALIVE = 64 * 2**20


class Known:
    """A model with a name that a user would use; small ones are kept alive for the last look."""

    def __init__(self, model: Any, name: str, on_death: Callable[[Known], None]) -> None:
        self.name = name
        self.reference = weakref.ref(model, lambda _: on_death(self))
        self.kept: Any = model
        self.leaves: list[KerasLeaf] = []

    @property
    def model(self) -> Any:
        return self.reference()

    def let_go(self) -> None:
        """The run is over: keep nothing alive, and have nothing happen when the model is freed."""
        model, self.kept = self.reference(), None
        if model is not None:
            self.reference = weakref.ref(model)

    @property
    def bytes(self) -> int:
        return sum(leaf.row.bytes for leaf in self.leaves)


class Models:
    """All models seen so far, and the leaves by variable.

    Args:
        observer: where leaves are handed to.
        dialect: the generation of Keras and its backend.
        gradient: tells what is known of the gradient of a variable.
    """

    def __init__(self, observer: Observer, dialect: Dialect, gradient: GradientOf) -> None:
        self.observer = observer
        self.dialect = dialect
        self.gradient = gradient
        self.tell = observer.tell
        self.known: list[Known] = []
        self._root: Callable[[], Any] = lambda: None
        self.leaves: list[KerasLeaf] = []
        self._by_id: dict[int, KerasLeaf] = {}
        self._by_name: dict[str, KerasLeaf] = {}

    # Which models there are

    def meet(self, model: Any) -> None:
        """Take a model under observation, and with it the names that other models have for its leaves."""
        if any(known.model is model for known in self.known) and self._is_complete(model):
            return
        self._know([model])
        self.survey()

    def meet_variables(self, variables: Iterable[Any]) -> None:
        """Take the models that hold these variables under observation; loose variables as leaves of their own."""
        strange = [variable for variable in variables if self.of(variable) is None]
        self.meet_owners(strange)
        for variable in strange:
            if self.of(variable) is None:
                self._adopt_loose(variable, registered=True)

    def meet_owners(self, variables: list[Any]) -> None:
        """Take the models that hold these variables under observation."""
        if variables:
            self._know(outermost_with(variables, self.dialect))
            self.survey()

    def meet_strange(self, variables: Iterable[Any]) -> None:
        """Take variables that a step reads and no model has: of nobody, or of single layers.

        A network of many layers beside the model is left alone: it measures or guides, or has a step of its own.
        """
        owned = {
            id(each) for layer in alive_layers(self.dialect) for group in self.dialect.own(layer) for each in group
        }
        mine = [each for each in variables if id(each) in owned]
        leaves = [self._adopt_loose(each, registered=False) for each in variables if id(each) not in owned]
        roots = outermost_with(mine, self.dialect) if mine else []
        networks = [layer for layer in roots if isinstance(layer, self.dialect.model_type)]
        theirs = {id(place.variable) for network in networks for place in places(network, self.dialect)}
        for layer in roots:
            leaves += self._adopt_below(layer, {id(each) for each in mine} - theirs)
        for leaf in leaves:
            self._tell_untracked(leaf.row.name, leaf)

    def _tell_untracked(self, model: str, leaf: KerasLeaf) -> None:
        self.tell(VariablesUntracked(step=self.observer.steps, model=model, tensors=(leaf.row.name,)))

    def _adopt_below(self, layer: Any, wanted: set[int]) -> list[KerasLeaf]:
        """Leaves for the wanted variables of a layer that is in no model."""
        below = [place for place in places(layer, self.dialect) if id(place.variable) in wanted]
        names = [self._free(f"{layer.name}.{place.path}") for place in below]
        return [self._adopt(name, place, None, registered=False) for name, place in zip(names, below, strict=True)]

    def _adopt_loose(self, variable: Any, *, registered: bool) -> KerasLeaf:
        name = variable_names({id(variable)}, skip=(self.dialect.package,))
        place = Place(name.get(id(variable), self.dialect.leaf_name(variable)), variable, (), "parameter")
        return self._adopt(self._free(place.path), place, None, registered=registered)

    def survey(self) -> None:
        """Learn the names that the script has for models that share leaves with those known, and refresh.

        A model that no step trains is taken as well where the user speaks of it: a teacher, a target network.
        """
        models = self._alive()
        names = self._names(models)
        named = [model for model in models if not names.get(id(model), "_").startswith("_")]
        for model in named:
            if self._shares_leaves(model):
                self._know([model])
        for pattern in self._unmatched():
            wanted = [model for model in named if self._matches(pattern, names[id(model)], model)]
            self._know(wanted)
        self.refresh()

    def _unmatched(self) -> list[str]:
        """What the user said is meant, where it names no leaf that is known."""
        meant = self.observer.settings.meant
        known = [name for leaf in self.leaves for name in (leaf.row.name, *leaf.row.aliases)]
        return [
            pattern for pattern in (*meant.frozen, *meant.trained) if not any(matches(pattern, name) for name in known)
        ]

    def _matches(self, pattern: str, name: str, model: Any) -> bool:
        return any(matches(pattern, f"{name}.{place.path}") for place in places(model, self.dialect))

    def meet_all(self) -> None:
        """Take every built model that the script has a name for: nothing was trained, all that can be said is flags."""
        models = self._alive()
        names = self._names(models)
        self._know([model for model in models if id(model) in names and places(model, self.dialect)])
        self.refresh()

    def name_of(self, model: Any) -> str:
        """The name that the model is known by, else its own."""
        return next((known.name for known in self.known if known.model is model), str(getattr(model, "name", "model")))

    def _alive(self) -> list[Any]:
        return [layer for layer in alive_layers(self.dialect) if isinstance(layer, self.dialect.model_type)]

    def _names(self, models: list[Any]) -> dict[int, str]:
        return variable_names({id(model) for model in models}, skip=(self.dialect.package, "wrapt"))

    def _shares_leaves(self, model: Any) -> bool:
        return any(self.of(place.variable) is not None for place in places(model, self.dialect))

    def _is_complete(self, model: Any) -> bool:
        return all(self.of(place.variable) is not None for place in places(model, self.dialect))

    def _know(self, models: list[Any]) -> None:
        fresh = [model for model in models if not any(known.model is model for known in self.known)]
        names = self._names(fresh)
        taken = {known.name for known in self.known}
        for model in fresh:
            base = names.get(id(model)) or str(getattr(model, "name", type(model).__name__))
            name = unique(base, taken)
            taken.add(name)
            self.known.append(Known(model, name, self._dying))
        self._meet_places()

    def _dying(self, known: Known) -> None:
        self.observer.look_now([leaf.key for leaf in known.leaves], "between")

    def keep_within_budget(self) -> None:
        """Let the oldest models go first, after a look at each."""
        spent = 0
        for known in reversed(self.known):
            spent += known.bytes if known.kept is not None else 0
            if spent > KEPT_ALIVE and known.kept is not None:
                self._dying(known)
                known.kept = None

    def let_go(self) -> None:
        """Keep no model alive any longer, and look at none that dies."""
        for known in self.known:
            known.let_go()

    # Which leaves there are

    def enter(self, model: Any) -> None:
        """A step of this model begins, or of none; where flags depend on the road, they are judged by its own."""
        if self.dialect.flag_by_road:
            self._root = weakref.ref(model) if model is not None else lambda: None
            for leaf in self.leaves:
                leaf.follow(model)

    def of(self, variable: Any) -> KerasLeaf | None:
        """The leaf that this very variable carries now."""
        leaf = self._by_id.get(id(variable))
        return leaf if leaf is not None and leaf.variable is variable else None

    def refresh(self) -> None:
        """Bring leaves, aliases and owners in line with what the layers hold now."""
        with self.observer.notice.stretch():
            self._meet_places()
            self._meet_hidden()
            self._meet_strays()
            self.keep_within_budget()

    def _meet_places(self) -> None:
        names: dict[int, list[tuple[str, Place]]] = {}
        for known in self.known:
            model = known.model
            mine: dict[int, list[Place]] = {}
            for place in places(model, self.dialect) if model is not None else ():
                mine.setdefault(id(place.variable), []).append(place)
            for identity, same in mine.items():
                names.setdefault(identity, []).extend((f"{known.name}.{place.path}", place) for place in same)
                if self.of(same[0].variable) is None:
                    # What a wrapper holds as well goes by the name of the layer that made it.
                    place = max(same, key=lambda each: len(each.chain))
                    self._meet_variable(f"{known.name}.{place.path}", place, known)
        for identity, named in names.items():
            leaf = self._by_id[identity]
            aliases = [name for name, _ in named if name != leaf.row.name]
            if aliases != leaf.row.aliases:
                self.tell(TensorSeen(tensor=leaf.row.id, aliases=aliases))
            for name, place in named:
                if name == leaf.row.name:
                    self._note_owner(leaf, place, [other for _, other in named])
            if not leaf.row.bytes:
                self._measure(leaf)

    def _meet_variable(self, name: str, place: Place, known: Known) -> None:
        former = self._by_name.get(name)
        if former is None or (former.variable is not None and self._is_anywhere(former.variable)):
            self._adopt(self._free(name), place, known)
        else:
            self._exchange(former, place)

    def _is_anywhere(self, variable: Any) -> bool:
        models = [known.model for known in self.known if known.model is not None]
        return any(place.variable is variable for model in models for place in places(model, self.dialect))

    def _exchange(self, leaf: KerasLeaf, place: Place) -> None:
        """Another variable carries the leaf's name now: quantisation and adapters put new ones in place."""
        row, variable = leaf.row, place.variable
        leaf.carry(variable, place.chain)
        self._by_id[id(variable)] = leaf
        self.tell(TensorSeen(tensor=row.id, kind=place.kind))
        self.tell(
            TensorReplaced(
                step=self.observer.steps,
                tensor=row.id,
                name=row.name,
                by=type(place.owner).__name__,
                flag_before=row.declared.trainable,
                flag_now=leaf.flag(),
            )
        )
        self._measure(leaf)
        self.observer.leaves[leaf.key].rebase(self.observer.now)

    def _adopt(self, name: str, place: Place, known: Known | None, *, registered: bool = True) -> KerasLeaf:
        owner = (
            (place.owner_path, type(place.owner).__name__, role_of(place.chain)) if place.chain else ("", "", "other")
        )
        row = self.observer.found(
            name=name,
            model=known.name if known is not None else LOOSE,
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
        leaf = KerasLeaf(row.id, row, place.variable, place.chain, self.dialect, self.gradient)
        self._measure(leaf)
        if place.chain:
            self._note_frozen_subtree(leaf, place.chain)
        self.leaves.append(leaf)
        if known is not None:
            known.leaves.append(leaf)
        self._by_id[id(place.variable)] = leaf
        self._by_name[name] = leaf
        self.observer.adopt(leaf, leaf.flag())
        return leaf

    def _measure(self, leaf: KerasLeaf) -> None:
        row, variable = leaf.row, leaf.variable
        shape = tuple(int(size) for size in variable.shape)
        try:
            size = memoryview(leaf.read()).nbytes
        except Unreadable:
            size = 0
        self.tell(
            TensorSeen(
                tensor=row.id,
                shape=shape,
                dtype=self.dialect.dtype(variable),
                size=math.prod(shape),
                bytes=size,
            )
        )

    def _note_owner(self, leaf: KerasLeaf, place: Place, everywhere: list[Place]) -> None:
        leaf.carry(place.variable, place.chain, [each.chain for each in everywhere])
        leaf.follow(self._root())
        if leaf.row.kind == "buffer" and (chain := leaf.road):
            self._note_frozen_subtree(leaf, chain)

    def _note_frozen_subtree(self, leaf: KerasLeaf, chain: tuple[Any, ...]) -> None:
        """A buffer counts as frozen when its layer, or a layer around it, says that it is."""
        if leaf.row.kind != "buffer":
            return
        frozen = next((layer for layer in reversed(chain) if not self.dialect.says(layer)), None)
        subtree = str(frozen.name) if frozen is not None else None
        watched, flipped = self.observer.leaves.get(leaf.key), False
        if watched is not None and (subtree is None) != (leaf.row.owner.frozen_subtree is None):
            flipped = bool(leaf.row.changed.checks)
            watched.froze_at = self.observer.now if flipped else watched.froze_at
            watched.settled = False
        if subtree != leaf.row.owner.frozen_subtree:
            self.tell(BufferFrozen(tensor=leaf.row.id, subtree=subtree, flipped=flipped))

    def note_containers(self) -> None:
        """Write down which layers around a trainable leaf say that it is frozen; called just before steps.

        Where a layer's own variables differ, as an adapter's from the kernel under it, somebody chose them singly.
        """
        for leaf in self.leaves:
            if leaf.row.kind == "buffer" or not leaf.flag() or self._is_chosen_singly(leaf):
                continue
            silent = [layer for layer in leaf.chain if not self.dialect.says(layer)]
            if silent:
                container = str(silent[-1].name)
                if (container, False) != (leaf.row.declared.container, leaf.row.declared.container_flag):
                    self.tell(FlagSeen(tensors=(leaf.row.id,), container=container, container_flag=False))

    def _is_chosen_singly(self, leaf: KerasLeaf) -> bool:
        chain = leaf.chain
        if not chain or not self.dialect.says(chain[-1]):
            return False
        beside = (self.of(variable) for variable in self.dialect.own(chain[-1])[0])
        return any(other is not None and other.flag() is False for other in beside)

    def _meet_hidden(self) -> None:
        """Take the weights of layers that hang under plain objects, unless another model has them."""
        for known in self.known:
            model = known.model
            for path, layer in list(hidden_layers(model, self.dialect)) if model is not None else ():
                below = [place for place in places(layer, self.dialect) if self.of(place.variable) is None]
                if not below or getattr(layer, "optimizer", None) is not None:
                    continue
                names = []
                for place in below:
                    name = self._free(f"{known.name}.{path}.{place.path}")
                    names.append(self._adopt(name, place, known, registered=False).row.name)
                layer_name = f"{known.name}.{path}"
                self.tell(LayersUntracked(step=self.observer.steps, layer=layer_name, tensors=tuple(names)))

    def _meet_strays(self) -> None:
        """Take variables of the backend that layers hold by attributes and do not track."""
        for known in self.known:
            for path, chain in layers_below(known.model, self.dialect) if known.model is not None else ():
                for name, variable in self.dialect.strays(chain[-1]):
                    if self.of(variable) is None:
                        place = Place(f"{path}.{name}" if path else name, variable, chain, "parameter")
                        leaf = self._adopt(self._free(f"{known.name}.{place.path}"), place, known, registered=False)
                        self._tell_untracked(known.name, leaf)

    def remade(self) -> list[ModulesRecreated]:
        """One event for each kind of layer that passes made anew; their weights, gone with them, have no rows.

        Where there is no more than one for each program, it was made with the model: in a loop over folds, say.
        """
        gone = [leaf for leaf in self.leaves if leaf.is_of_nobody and leaf.variable is None]
        weights = Counter((leaf.row.owner.type, leaf.row.name.rpartition(".")[2].partition("#")[0]) for leaf in gone)
        passes: dict[str, int] = {}
        for (kind, _), count in weights.items():
            passes[kind] = max(count, passes.get(kind, 0))
        passes = {kind: count for kind, count in passes.items() if count > len(self.observer.programs)}
        anew = [leaf for leaf in gone if leaf.row.owner.type in passes]
        self.leaves = [leaf for leaf in self.leaves if leaf not in anew]
        if anew:
            self.tell(TensorsDropped(tensors=tuple(leaf.row.id for leaf in anew)))
        step = self.observer.steps
        return [ModulesRecreated(step=step, type=kind, passes=count) for kind, count in passes.items()]

    def _free(self, name: str) -> str:
        unique, count = name, 1
        while unique in self._by_name:
            count += 1
            unique = f"{name}#{count}"
        return unique

    def leaves_of(self, model: Any) -> list[KerasLeaf]:
        """The leaves of one model, in its order."""
        found = [self.of(place.variable) for place in places(model, self.dialect)]
        return list(dict.fromkeys(leaf for leaf in found if leaf is not None))

    def flags(self) -> list[bool | None]:
        """The declared flag of every leaf, in the order of adoption."""
        return [leaf.flag() for leaf in self.leaves]
