"""The optimizers of Keras 2, the legacy ones among them, which know their variables by a unique name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tf_keras

from frostline.frameworks.keras_common.tensors import tensorflow_bytes
from frostline.observe.protocols import Unreadable


class Keras2Optimizers:
    """See OptimizerApi."""

    def built_for(self, optimizer: Any, variables: Sequence[Any]) -> Sequence[Any]:
        """See OptimizerApi."""
        known = getattr(inner(optimizer), "_index_dict", None) or getattr(inner(optimizer), "_slots", {})
        return [variable for variable in variables if variable._unique_id in known]

    def inner(self, optimizer: Any) -> Any:
        """See OptimizerApi."""
        return inner(optimizer)

    def part(self, optimizer: Any, variable: Any) -> int:
        """See OptimizerApi; the optimizers of Keras 2 have no groups."""
        return 0

    def rate(self, optimizer: Any, part: int = 0) -> float | None:
        """See OptimizerApi."""
        optimizer = inner(optimizer)
        rate = optimizer._learning_rate if hasattr(optimizer, "_learning_rate") else optimizer.learning_rate
        try:
            if isinstance(rate, tf_keras.optimizers.schedules.LearningRateSchedule):
                return float(rate(self.iterations(optimizer)))
            return tensorflow_bytes.scalar(rate) if hasattr(rate, "dtype") else float(rate)
        except (Unreadable, AttributeError, TypeError, ValueError):
            return None

    def iterations(self, optimizer: Any) -> int:
        """See OptimizerApi."""
        try:
            return int(tensorflow_bytes.scalar(inner(optimizer).iterations))
        except (AttributeError, TypeError, ValueError):
            return 0

    def window(self, optimizer: Any) -> int:
        """See OptimizerApi; the optimizers of Keras 2 apply what they are given."""
        return 1

    def waiting(self, optimizer: Any, variable: Any) -> Any:
        """See OptimizerApi."""
        return None

    def decay(self, optimizer: Any, variable: Any) -> float | None:
        """See OptimizerApi."""
        optimizer = inner(optimizer)
        decay = getattr(optimizer, "weight_decay", None)
        if not isinstance(decay, (int, float)):
            return None
        names = getattr(optimizer, "_exclude_from_weight_decay_names", ())
        excluded = variable._unique_id in getattr(optimizer, "_exclude_from_weight_decay", ())
        return 0.0 if excluded or any(re.search(name, variable.name) for name in names) else float(decay)

    def slots(self, optimizer: Any, variable: Any) -> Sequence[Any]:
        """See OptimizerApi."""
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
        """See OptimizerApi; Keras 2 finds averages by variable, so that none can be misplaced."""
        return ()

    def overwrites(self, optimizer: Any) -> bool:
        """See OptimizerApi."""
        return False


def inner(optimizer: Any) -> Any:
    """The optimizer that does the work inside a wrapper that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)
