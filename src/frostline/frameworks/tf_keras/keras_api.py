"""Keras 2 as a dialect: flags live on layers, a parent's flag gates its children, and compile() keeps a copy of all."""

from __future__ import annotations

import re
import sys
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tf_keras

from frostline.core.ledger import Gradient
from frostline.frameworks.keras_common.keras_api import Mode
from frostline.frameworks.keras_common.tensors import tensorflow_bytes
from frostline.observe.protocols import Unreadable


class Keras2:
    """See Dialect."""

    package = "tf_keras"
    flag_by_road = True
    layer_type = tf_keras.layers.Layer
    model_type = tf_keras.Model
    optimizer_type = tf_keras.optimizers.Optimizer
    backend = "tensorflow"

    def __init__(self) -> None:
        variable = sys.modules["tensorflow.python.ops.resource_variable_ops"].BaseResourceVariable
        self.assigning: Sequence[tuple[type, str]] = [
            (variable, method) for method in ("assign", "assign_add", "assign_sub")
        ]
        self._user_flags: weakref.WeakKeyDictionary[Any, tuple[bool, bool]] = weakref.WeakKeyDictionary()
        self._compiled: weakref.WeakSet[Any] = weakref.WeakSet()

    def mode(self, model: Any) -> Mode:
        """See Dialect."""
        return "traced"

    def summarised(self, model: Any) -> Sequence[Any] | None:
        """See Dialect; Keras 2 counts no variables of optimizers."""
        return None

    def note_compiled(self, model: Any) -> None:
        """The model keeps, from now on, the flags that its layers have at this moment."""
        self._compiled.add(model)

    def set_aside(self, model: Any, user: Any, compiled: Any) -> None:
        """While ``fit`` runs the layers carry the flags of compile(); remember those that the user set.

        A flag that another model was compiled with is in force there: then this model's own is meant too, as in a GAN
        whose discriminator is compiled before it is frozen for the combined model.
        """
        others = [other._compiled_trainable_state for other in self._compiled if other is not model]
        for layer, flag in user.items():
            in_force = any(layer in state and bool(state[layer]) == bool(flag) for state in others)
            if layer in compiled and not in_force:
                self._user_flags[layer] = (bool(flag), bool(compiled[layer]))

    def restore(self) -> None:
        """``fit`` is over: the layers carry the user's flags again."""
        self._user_flags.clear()

    def children(self, layer: Any) -> Sequence[Any]:
        """See Dialect."""
        return tuple(layer._flatten_layers(recursive=False, include_self=False))

    def own(self, layer: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """See Dialect."""
        attributes = vars(layer)
        return tuple(attributes.get("_trainable_weights") or ()), tuple(attributes.get("_non_trainable_weights") or ())

    def extras(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Dialect."""
        return ()

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Dialect; Keras 2 tracks every variable of tensorflow."""
        return ()

    def says(self, layer: Any) -> bool:
        """See Dialect; a flag set while ``fit`` runs, by a callback, shows as a difference from compile()'s."""
        live = bool(layer._trainable)
        user, compiled = self._user_flags.get(layer, (live, live))
        return user if live == compiled else live

    def flag(self, variable: Any, chain: Sequence[Callable[[], Any]]) -> bool:
        """See Dialect."""
        return all(self.says(layer) for reference in chain if (layer := reference()) is not None)

    def flag_in_step(self, variable: Any, chain: Sequence[Callable[[], Any]]) -> bool:
        """See Dialect: the layers carry the flags of compile() at that moment."""
        return all(layer._trainable for reference in chain if (layer := reference()) is not None)

    def tensor_name(self, variable: Any) -> str:
        """See Dialect."""
        return str(variable.name).rpartition("/")[2].partition(":")[0]

    def dtype(self, variable: Any) -> str:
        """See Dialect."""
        return str(variable.dtype.name)

    def read(self, variable: Any) -> Any:
        """See Dialect."""
        return tensorflow_bytes.variable_bytes(variable)

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """See Dialect; tensorflow keeps no gradients."""
        return "unknown", None

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """See Dialect."""
        zero = tensorflow_bytes.is_zero(gradient)
        return "unknown" if zero is None else "zero" if zero else "nonzero"

    def built_for(self, optimizer: Any, variables: Sequence[Any]) -> Sequence[Any]:
        """See Dialect."""
        known = getattr(inner(optimizer), "_index_dict", None) or getattr(inner(optimizer), "_slots", {})
        return [variable for variable in variables if variable._unique_id in known]

    def inner(self, optimizer: Any) -> Any:
        """See Dialect."""
        return inner(optimizer)

    def part(self, optimizer: Any, variable: Any) -> int:
        """See Dialect; the optimizers of Keras 2 have no groups."""
        return 0

    def rate(self, optimizer: Any, part: int = 0) -> float | None:
        """See Dialect."""
        optimizer = inner(optimizer)
        rate = optimizer._learning_rate if hasattr(optimizer, "_learning_rate") else optimizer.learning_rate
        try:
            if isinstance(rate, tf_keras.optimizers.schedules.LearningRateSchedule):
                return float(rate(self.iterations(optimizer)))
            return tensorflow_bytes.scalar(rate) if hasattr(rate, "dtype") else float(rate)
        except (Unreadable, AttributeError, TypeError, ValueError):
            return None

    def iterations(self, optimizer: Any) -> int:
        """See Dialect."""
        try:
            return int(tensorflow_bytes.scalar(inner(optimizer).iterations))
        except (AttributeError, TypeError, ValueError):
            return 0

    def window(self, optimizer: Any) -> int:
        """See Dialect; the optimizers of Keras 2 apply what they are given."""
        return 1

    def waiting(self, optimizer: Any, variable: Any) -> Any:
        """See Dialect."""
        return None

    def decay(self, optimizer: Any, variable: Any) -> float | None:
        """See Dialect."""
        optimizer = inner(optimizer)
        decay = getattr(optimizer, "weight_decay", None)
        if not isinstance(decay, (int, float)):
            return None
        names = getattr(optimizer, "_exclude_from_weight_decay_names", ())
        excluded = variable._unique_id in getattr(optimizer, "_exclude_from_weight_decay", ())
        return 0.0 if excluded or any(re.search(name, variable.name) for name in names) else float(decay)

    def slots(self, optimizer: Any, variable: Any) -> Sequence[Any]:
        """See Dialect."""
        optimizer = inner(optimizer)
        if hasattr(optimizer, "_slots"):
            return list(optimizer._slots.get(variable._unique_id, {}).values())
        places = getattr(optimizer, "_index_dict", {})
        index = places.get(variable._unique_id)
        if index is None:
            return []
        kept = getattr(optimizer, "_model_variables_moving_average", None)
        lists = [
            value
            for name, value in vars(optimizer).items()
            if isinstance(value, list) and value is not kept and name != "_variables" and len(value) == len(places)
        ]
        return [each[index] for each in lists if hasattr(each[index], "read_value")]

    def averages(self, optimizer: Any) -> Sequence[tuple[Any, Any]]:
        """See Dialect; Keras 2 finds averages by variable, so that none can be misplaced."""
        return ()

    def overwrites(self, optimizer: Any) -> bool:
        """See Dialect."""
        return False


def inner(optimizer: Any) -> Any:
    """The optimizer that does the work inside a wrapper that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
