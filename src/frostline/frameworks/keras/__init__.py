"""Watching Keras 3: `attach` wraps what trains, applies, writes and prints, and returns what unwraps it again."""

from __future__ import annotations

from collections.abc import Callable

import keras

from frostline.core.journal import Journal
from frostline.frameworks.keras.instruments.jax_jit_steps import watch_jitted
from frostline.frameworks.keras.instruments.torch_optimizer_steps import watch_torch_optimizers
from frostline.frameworks.keras.keras_api import Keras3
from frostline.frameworks.keras.readers import READERS, JaxReader
from frostline.frameworks.keras.wrappers import Wrappers
from frostline.frameworks.keras_common.instruments.tf_function_steps import watch_functions
from frostline.frameworks.keras_common.probe import KerasProbe
from frostline.settings import Settings


def attach(
    settings: Settings,
    journal: Journal,
    on_check: Callable[[], None],
    fault: Callable[[str, BaseException], None],
) -> KerasProbe:
    """Observe every model and optimizer of Keras 3 in this process from now on, on the backend in use.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    backend = keras.backend.backend()
    reader = READERS[backend]()
    probe = KerasProbe("keras", Keras3(reader), settings, journal, on_check, fault)
    wrappers = Wrappers(probe, backend, reader)
    probe.wrap(keras.Model, "make_train_function", wrappers.make_train_function)
    probe.wrap(keras.Model, "summary", wrappers.summary)
    probe.wrap_saving(keras)
    probe.wrap(keras.Model, "load_weights", wrappers.load_weights)
    probe.wrap(keras.layers.Layer, "set_weights", wrappers.set_weights)
    probe.wrap(keras.optimizers.Optimizer, "apply", wrappers.apply)
    probe.wrap(keras.optimizers.LossScaleOptimizer, "apply", wrappers.apply)
    probe.wrap(keras.optimizers.Optimizer, "finalize_variable_values", wrappers.finalize)
    if isinstance(reader, JaxReader):
        probe.wrap(keras.Model, "_get_jax_state", wrappers.get_jax_state)
        probe.wrap(keras.optimizers.Optimizer, "stateless_apply", wrappers.stateless_apply)
        probe.wrap(keras.optimizers.LossScaleOptimizer, "stateless_apply", wrappers.stateless_apply)
        watch_jitted(probe)
    if backend == "tensorflow":
        watch_functions(probe)
        probe.reaches.watch(probe, keras)
        probe.asked.watch()
    if backend == "torch":
        watch_torch_optimizers(probe)
    return probe
