"""The Keras models under observation: their tensors, kept true to what the layers hold at every check."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

from frostline.core.facts import LayersUntracked, VariablesUntracked
from frostline.core.names.patterns import matches
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.frameworks.keras_common.models.layers import (
    Place,
    alive_layers,
    layers_below,
    outermost_with,
    places,
)
from frostline.frameworks.keras_common.models.untracked_layers import hidden_layers
from frostline.frameworks.keras_common.models.variables import Variables
from frostline.frameworks.keras_common.tensors.tensors import LOOSE, GradientOf, NamedVariable
from frostline.observe.observer import Observer
from frostline.observe.variable_names import unique, variable_names

KEPT_ALIVE = 64 * 2**20


class Known:
    """A model with a name that a user would use; small ones are kept alive for the last check."""

    def __init__(self, model: Any, name: str, on_death: Callable[[Known], None]) -> None:
        self.name = name
        self.reference = weakref.ref(model, lambda _: on_death(self))
        self.kept: Any = model
        self.tensors: list[NamedVariable] = []

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
        return sum(entry.row.bytes for entry in self.tensors)


def _in_order(models: list[Any], names: dict[int, str]) -> list[Any]:
    """As the script names them, then by their own names: the collector has them in an order of its own."""
    places = {identity: place for place, identity in enumerate(names)}

    def place(model: Any) -> tuple[int, int, str]:
        own = str(getattr(model, "name", ""))
        return places.get(id(model), len(places)), len(own), own

    return sorted(models, key=place)


class Models:
    """All models seen so far, and the tensors by variable.

    Args:
        observer: where tensors are handed to.
        dialect: the generation of Keras and its backend.
        gradient: tells what is known of the gradient of a variable.
    """

    def __init__(self, observer: Observer, dialect: Dialect, gradient: GradientOf) -> None:
        self.observer = observer
        self.dialect = dialect
        self.tell = observer.tell
        self.known: list[Known] = []
        self._variables = Variables(observer, dialect, gradient)
        self.forget = self._variables.forget

    # Which models there are

    def meet(self, model: Any) -> None:
        """Take a model under observation, and with it the names that other models have for its tensors."""
        if any(known.model is model for known in self.known) and self._is_complete(model):
            return
        self._know([model])
        self._survey()

    def meet_variables(self, variables: Iterable[Any]) -> None:
        """Take the models that hold these variables under observation; loose variables as tensors of their own."""
        strange = [variable for variable in variables if self.of(variable) is None]
        self.meet_owners(strange)
        for variable in strange:
            if self.of(variable) is None:
                self._adopt_loose(variable, registered=True)

    def meet_owners(self, variables: list[Any]) -> None:
        """Take the models that hold these variables under observation."""
        if variables:
            self._know(outermost_with(variables, self.dialect))
            self._survey()

    def meet_strange(self, variables: Iterable[Any]) -> None:
        """Take variables that a step reads and no model has: of nobody, or of single layers.

        A network of many layers beside the model is left alone: it measures or guides, or has a step of its own.
        """
        owned = {
            id(each) for layer in alive_layers(self.dialect) for group in self.dialect.own(layer) for each in group
        }
        mine = [each for each in variables if id(each) in owned]
        tensors = [self._adopt_loose(each, registered=False) for each in variables if id(each) not in owned]
        roots = outermost_with(mine, self.dialect) if mine else []
        networks = [layer for layer in roots if isinstance(layer, self.dialect.model_type)]
        theirs = {id(place.variable) for network in networks for place in places(network, self.dialect)}
        for layer in roots:
            tensors += self._adopt_below(layer, {id(each) for each in mine} - theirs)
        for entry in tensors:
            self._tell_untracked(entry.row.name, entry)

    def _tell_untracked(self, model: str, entry: NamedVariable) -> None:
        self.tell(VariablesUntracked(step=self.observer.steps, model=model, tensors=(entry.row.name,)))

    def _adopt_below(self, layer: Any, wanted: set[int]) -> list[NamedVariable]:
        """Tensors for the wanted variables of a layer that is in no model."""
        below = [place for place in places(layer, self.dialect) if id(place.variable) in wanted]
        names = [self._variables.free(f"{layer.name}.{place.path}") for place in below]
        return [self._adopt(name, place, None, registered=False) for name, place in zip(names, below, strict=True)]

    def _adopt_loose(self, variable: Any, *, registered: bool) -> NamedVariable:
        name = variable_names({id(variable)}, skip=(self.dialect.package,))
        place = Place(name.get(id(variable), self.dialect.tensor_name(variable)), variable, (), "parameter")
        return self._adopt(self._variables.free(place.path), place, None, registered=registered)

    def _survey(self) -> None:
        """Learn the names that the script has for models that share tensors with those known, and refresh.

        A model that no step trains is taken as well where the user speaks of it: a teacher, a target network.
        """
        names = self._names(models := self._alive())
        named = [model for model in _in_order(models, names) if not names.get(id(model), "_").startswith("_")]
        for model in named:
            if self._shares_tensors(model):
                self._know([model])
        for pattern in self._unmatched():
            wanted = [model for model in named if self._matches(pattern, names[id(model)], model)]
            self._know(wanted)
        self.refresh()

    def _unmatched(self) -> list[str]:
        """What the user said is meant, where it names no tensor that is known."""
        expected = self.observer.tracked.settings.expected
        known = [name for entry in self.tensors for name in (entry.row.name, *entry.row.aliases)]
        return [
            pattern
            for pattern in (*expected.frozen, *expected.trained)
            if not any(matches(pattern, name) for name in known)
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

    def _shares_tensors(self, model: Any) -> bool:
        return any(self.of(place.variable) is not None for place in places(model, self.dialect))

    def _is_complete(self, model: Any) -> bool:
        return all(self.of(place.variable) is not None for place in places(model, self.dialect))

    def _know(self, models: list[Any]) -> None:
        fresh = [model for model in models if not any(known.model is model for known in self.known)]
        names = self._names(fresh)
        taken = {known.name for known in self.known}
        for model in _in_order(fresh, names):
            base = names.get(id(model)) or str(getattr(model, "name", type(model).__name__))
            name = unique(base, taken)
            taken.add(name)
            self.known.append(Known(model, name, self._dying))
        self._meet_places()

    def _dying(self, known: Known) -> None:
        self.observer.look_now([entry.key for entry in known.tensors], "between")

    def _keep_within_budget(self) -> None:
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

    # Which tensors there are

    def enter(self, model: Any) -> None:
        """A step of this model begins, or of none; where flags depend on the road, they are judged by its own."""
        if self.dialect.flag_by_road:
            self._variables.follow(model)

    @property
    def tensors(self) -> list[NamedVariable]:
        """All tensors, in the order in which they were adopted."""
        return self._variables.tensors

    def of(self, variable: Any) -> NamedVariable | None:
        """The tensor that this very variable carries now."""
        return self._variables.of(variable)

    def refresh(self) -> None:
        """Bring tensors, aliases and owners in line with what the layers hold now."""
        with self.observer.tracked.notice.stretch():
            self._meet_places()
            self._meet_hidden()
            self._meet_strays()
            self._keep_within_budget()

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
        for named in names.values():
            self._variables.note_names(named)

    def _meet_variable(self, name: str, place: Place, known: Known) -> None:
        former = self._variables.called(name)
        if former is None or (former.variable is not None and self._is_anywhere(former.variable)):
            self._adopt(self._variables.free(name), place, known)
        else:
            self._variables.exchange(former, place)

    def _is_anywhere(self, variable: Any) -> bool:
        models = [known.model for known in self.known if known.model is not None]
        return any(place.variable is variable for model in models for place in places(model, self.dialect))

    def _adopt(self, name: str, place: Place, known: Known | None, *, registered: bool = True) -> NamedVariable:
        entry = self._variables.adopt(name, place, known.name if known else LOOSE, registered=registered)
        if known is not None:
            known.tensors.append(entry)
        return entry

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
                    name = self._variables.free(f"{known.name}.{path}.{place.path}")
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
                        entry = self._adopt(
                            self._variables.free(f"{known.name}.{place.path}"), place, known, registered=False
                        )
                        self._tell_untracked(known.name, entry)

    def tensors_of(self, model: Any) -> list[NamedVariable]:
        """The tensors of one model, in its order."""
        found = [self.of(place.variable) for place in places(model, self.dialect)]
        return list(dict.fromkeys(entry for entry in found if entry is not None))
