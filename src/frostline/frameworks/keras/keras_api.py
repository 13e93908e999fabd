"""Keras 3 as a dialect: flags live on variables, and an optimizer knows its variables by index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras

from frostline.core.ledger import Gradient
from frostline.frameworks.keras.readers import READERS, Reader
from frostline.frameworks.keras_common.keras_api import Mode
from frostline.observe.protocols import Unreadable

# Lists of an optimizer with one variable for each of the model's that are no moments of its gradient.
_NO_MOMENTS = ("_trainable_variables", "_variables", "_model_variables_moving_average", "_accumulated_gradients")


class Keras3:
    """See Dialect; on the backend in use."""

    package = "keras"
    flag_by_road = False
    layer_type = keras.layers.Layer
    model_type = keras.Model
    optimizer_type = keras.optimizers.Optimizer
    assigning: Sequence[tuple[type, str]] = ((keras.Variable, "assign"),)

    def __init__(self) -> None:
        self.backend = keras.backend.backend()
        self.reader: Reader = READERS[self.backend]()

    def mode(self, model: Any) -> Mode:
        """See Dialect."""
        return "traced" if self.backend == "tensorflow" and not model.run_eagerly else "eager"

    def summarised(self, model: Any) -> Sequence[Any] | None:
        """See Dialect."""
        counted = model.compiled and model.optimizer and model.optimizer.built
        return list(model.optimizer.variables) if counted else None

    def children(self, layer: Any) -> Sequence[Any]:
        """See Dialect."""
        return tuple(vars(layer).get("_layers") or ())

    def own(self, layer: Any) -> tuple[Sequence[Any], Sequence[Any]]:
        """See Dialect."""
        attributes = vars(layer)
        return tuple(attributes.get("_trainable_variables") or ()), tuple(
            attributes.get("_non_trainable_variables") or ()
        )

    def extras(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Dialect: the buffers of a torch module inside a layer."""
        module = getattr(layer, "module", None) if type(layer).__name__ == "TorchModuleWrapper" else None
        return list(module.named_buffers()) if module is not None else ()

    def strays(self, layer: Any) -> Iterable[tuple[str, Any]]:
        """See Dialect."""
        return self.reader.strays(layer)

    def says(self, layer: Any) -> bool:
        """See Dialect."""
        return bool(getattr(layer, "trainable", True))

    def flag(self, variable: Any, chain: Sequence[Callable[[], Any]]) -> bool:
        """See Dialect."""
        return bool(variable.trainable if hasattr(variable, "trainable") else variable.requires_grad)

    flag_in_step = flag

    def tensor_name(self, variable: Any) -> str:
        """See Dialect."""
        return str(getattr(variable, "name", "variable"))

    def dtype(self, variable: Any) -> str:
        """See Dialect."""
        dtype = getattr(variable, "_dtype", None) or variable.dtype
        return str(getattr(dtype, "name", dtype)).removeprefix("torch.")

    def read(self, variable: Any) -> Any:
        """See Dialect."""
        return self.reader.read(variable)

    def gradient(self, variable: Any) -> tuple[Gradient, bytes | None]:
        """See Dialect."""
        return self.reader.gradient(variable)

    def state_of_gradient(self, gradient: Any) -> Gradient:
        """See Dialect."""
        return self.reader.state_of_gradient(gradient)

    def built_for(self, optimizer: Any, variables: Sequence[Any]) -> Sequence[Any]:
        """See Dialect."""
        known = inner(optimizer)._trainable_variables_indices
        return [variable for variable in variables if inner(optimizer)._var_key(variable) in known]

    def inner(self, optimizer: Any) -> Any:
        """See Dialect."""
        return inner(optimizer)

    def part(self, optimizer: Any, variable: Any) -> int:
        """See Dialect; only those of torch have groups."""
        groups = optimizer.param_groups if _is_torch(optimizer) else []
        value = getattr(variable, "_value", None)
        places = (place for place, group in enumerate(groups) if any(each is value for each in group["params"]))
        return next(places, 0)

    def rate(self, optimizer: Any, part: int = 0) -> float | None:
        """See Dialect."""
        if _is_torch(optimizer):
            return float(optimizer.param_groups[part]["lr"])
        rate = inner(optimizer)._learning_rate
        try:
            if isinstance(rate, keras.Variable):
                return self.reader.scalar(rate)
            if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
                return float(rate(self.iterations(optimizer)))
        except (Unreadable, TypeError, ValueError):
            return None
        return float(rate) if isinstance(rate, (int, float)) else None

    def iterations(self, optimizer: Any) -> int:
        """See Dialect."""
        if _is_torch(optimizer):
            return 0
        try:
            return int(self.reader.scalar(inner(optimizer)._iterations))
        except (Unreadable, TypeError, ValueError):
            return 0

    def window(self, optimizer: Any) -> int:
        """See Dialect."""
        return int(getattr(inner(optimizer), "gradient_accumulation_steps", None) or 1)

    def waiting(self, optimizer: Any, variable: Any) -> Any:
        """See Dialect."""
        optimizer = inner(optimizer)
        kept = getattr(optimizer, "_accumulated_gradients", None) or ()
        index = optimizer._trainable_variables_indices.get(optimizer._var_key(variable)) if kept else None
        return kept[index] if index is not None else None

    def decay(self, optimizer: Any, variable: Any) -> float | None:
        """See Dialect; says without asking the optimizer, which would note the answer down."""
        if _is_torch(optimizer):
            decay = optimizer.param_groups[self.part(optimizer, variable)].get("weight_decay")
            return None if decay is None else float(decay)
        optimizer = inner(optimizer)
        decay = optimizer.weight_decay
        if not isinstance(decay, (int, float)):
            return None
        pattern = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
        excluded = getattr(optimizer, "_exclude_from_weight_decay", ())
        if optimizer._var_key(variable) in excluded or (pattern and re.search(pattern, variable.name)):
            return 0.0
        return float(decay)

    def slots(self, optimizer: Any, variable: Any) -> Sequence[Any]:
        """See Dialect."""
        if _is_torch(optimizer):
            state = optimizer.state.get(variable._value, {})
            return [each for each in state.values() if getattr(each, "shape", None) == variable._value.shape]
        optimizer = inner(optimizer)
        index = optimizer._trainable_variables_indices.get(optimizer._var_key(variable))
        if index is None:
            return []
        count = len(optimizer._trainable_variables)
        lists = [
            value
            for name, value in vars(optimizer).items()
            if isinstance(value, list) and name not in _NO_MOMENTS and len(value) == count
        ]
        return [each[index] for each in lists if isinstance(each[index], keras.Variable)]

    def averages(self, optimizer: Any) -> Sequence[tuple[Any, Any]]:
        """See Dialect."""
        if _is_torch(optimizer):
            return []
        optimizer = inner(optimizer)
        kept = getattr(optimizer, "_model_variables_moving_average", None) or ()
        pairs = zip(optimizer._trainable_variables, kept, strict=False)
        return [(variable, average) for variable, average in pairs if average is not None]

    def overwrites(self, optimizer: Any) -> bool:
        """See Dialect."""
        return not _is_torch(optimizer) and bool(inner(optimizer).use_ema and inner(optimizer).ema_overwrite_frequency)


def inner(optimizer: Any) -> Any:
    """The optimizer that does the work inside a wrapper that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def worker(optimizer: Any, variable: Any) -> Any:
    """The optimizer that steps the variable, where several go by one name; those of the others are none of its."""
    values = getattr(optimizer, "_var_to_optimizer_idx", {})
    number = values.get(optimizer._var_key(variable)) if values else None
    return optimizer if number is None else optimizer.optimizers[number]


def _is_torch(optimizer: Any) -> bool:
    return hasattr(optimizer, "param_groups")
