"""Keras 2 as a dialect: flags live on layers, a parent's flag gates its children, and compile() keeps a copy of all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import tf_keras

from frostline.core.ledger import Gradient
from frostline.frameworks.keras_common.keras_api import Mode, OptimizerApi
from frostline.frameworks.keras_common.tensors import tensorflow_bytes
from frostline.frameworks.tf_keras.compiled_flags import CompiledFlags
from frostline.frameworks.tf_keras.optimizer_api import Keras2Optimizers


class Keras2:
    """See Dialect."""

    package = "tf_keras"
    flag_by_road = True
    layer_type = tf_keras.layers.Layer
    called_in_making = "_instrument_layer_creation"
    model_type = tf_keras.Model
    optimizer_type = tf_keras.optimizers.Optimizer
    backend = "tensorflow"

    def __init__(self) -> None:
        self.optimizers: OptimizerApi = Keras2Optimizers()
        variable = sys.modules["tensorflow.python.ops.resource_variable_ops"].ResourceVariable
        self.assigning: Sequence[tuple[type, str]] = [
            (variable, method) for method in ("assign", "assign_add", "assign_sub")
        ]
        self.compiled_flags = CompiledFlags()

    def mode(self, model: Any) -> Mode:
        """See Dialect."""
        return "traced"

    def summarised(self, model: Any) -> Sequence[Any] | None:
        """See Dialect; Keras 2 counts no variables of optimizers."""
        return None

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
        """See Dialect."""
        return self.compiled_flags.of(layer)

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
