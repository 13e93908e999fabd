"""Keras 3 as a dialect: flags live on variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import keras

from frostline.core.ledger import Gradient
from frostline.frameworks.keras.optimizer_api import Keras3Optimizers
from frostline.frameworks.keras.readers import READERS, Reader
from frostline.frameworks.keras_common.keras_api import Mode, OptimizerApi


class Keras3:
    """See Dialect; on the backend in use."""

    package = "keras"
    flag_by_road = False
    layer_type = keras.layers.Layer
    called_in_making = "_initialize_tracker"
    model_type = keras.Model
    optimizer_type = keras.optimizers.Optimizer
    assigning: Sequence[tuple[type, str]] = ((keras.Variable, "assign"),)

    def __init__(self) -> None:
        self.backend = keras.backend.backend()
        self.reader: Reader = READERS[self.backend]()
        self.optimizers: OptimizerApi = Keras3Optimizers(self.reader)

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
