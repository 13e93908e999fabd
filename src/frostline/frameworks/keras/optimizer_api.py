"""The optimizers of Keras 3, which know their variables by index; and those of torch that train Keras variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import keras

from frostline.frameworks.keras.readers import Reader
from frostline.observe.protocols import Unreadable

# Lists of an optimizer with one variable for each of the model's that are no moments of its gradient.
_NO_MOMENTS = ("_trainable_variables", "_variables", "_model_variables_moving_average", "_accumulated_gradients")


class Keras3Optimizers:
    """See OptimizerApi.

    Args:
        reader: of the backend in use.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def built_for(self, optimizer: Any, variables: Sequence[Any]) -> Sequence[Any]:
        """See OptimizerApi."""
        known = inner(optimizer)._trainable_variables_indices
        return [variable for variable in variables if inner(optimizer)._var_key(variable) in known]

    def inner(self, optimizer: Any) -> Any:
        """See OptimizerApi."""
        return inner(optimizer)

    def part(self, optimizer: Any, variable: Any) -> int:
        """See OptimizerApi; only those of torch have groups."""
        groups = optimizer.param_groups if _is_torch(optimizer) else []
        value = getattr(variable, "_value", None)
        places = (place for place, group in enumerate(groups) if any(each is value for each in group["params"]))
        return next(places, 0)

    def rate(self, optimizer: Any, part: int = 0) -> float | None:
        """See OptimizerApi."""
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
        """See OptimizerApi."""
        if _is_torch(optimizer):
            return 0
        try:
            return int(self.reader.scalar(inner(optimizer)._iterations))
        except (Unreadable, TypeError, ValueError):
            return 0

    def window(self, optimizer: Any) -> int:
        """See OptimizerApi."""
        return int(getattr(inner(optimizer), "gradient_accumulation_steps", None) or 1)

    def waiting(self, optimizer: Any, variable: Any) -> Any:
        """See OptimizerApi."""
        optimizer = inner(optimizer)
        kept = getattr(optimizer, "_accumulated_gradients", None) or ()
        index = optimizer._trainable_variables_indices.get(optimizer._var_key(variable)) if kept else None
        return kept[index] if index is not None else None

    def decay(self, optimizer: Any, variable: Any) -> float | None:
        """See OptimizerApi; says without asking the optimizer, which would note the answer down."""
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
        """See OptimizerApi."""
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
        """See OptimizerApi."""
        if _is_torch(optimizer):
            return []
        optimizer = inner(optimizer)
        kept = getattr(optimizer, "_model_variables_moving_average", None) or ()
        pairs = zip(optimizer._trainable_variables, kept, strict=False)
        return [(variable, average) for variable, average in pairs if average is not None]

    def overwrites(self, optimizer: Any) -> bool:
        """See OptimizerApi."""
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
