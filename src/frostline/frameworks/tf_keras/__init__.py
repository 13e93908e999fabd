"""Watching Keras 2 (tf_keras): `attach` wraps what trains, applies, writes and prints, and returns what unwraps it."""

from __future__ import annotations

import sys
from collections.abc import Callable

import tf_keras
from tf_keras.src.engine.training_utils import RespectCompiledTrainableState

from frostline.core.journal import Journal
from frostline.frameworks.keras_common.instruments.tf_function_steps import watch_functions
from frostline.frameworks.keras_common.probe import KerasProbe
from frostline.frameworks.tf_keras.keras_api import Keras2
from frostline.frameworks.tf_keras.wrappers import Wrappers
from frostline.settings import Settings


def attach(
    settings: Settings,
    journal: Journal,
    on_check: Callable[[], None],
    fault: Callable[[str, BaseException], None],
) -> KerasProbe:
    """Observe every model and optimizer of Keras 2 in this process from now on.

    Args:
        settings: of the run.
        journal: takes the facts.
        on_check: called after each check.
        fault: takes errors inside frostline.
    """
    dialect = Keras2()
    probe = KerasProbe("tf_keras", dialect, settings, journal, on_check, fault)
    variable_type = sys.modules["tensorflow.python.ops.resource_variable_ops"].BaseResourceVariable
    wrappers = Wrappers(probe, dialect, variable_type)
    probe.wrap(tf_keras.Model, "compile", wrappers.compile)
    probe.wrap(tf_keras.Model, "make_train_function", wrappers.make_train_function)
    probe.wrap(tf_keras.Model, "summary", wrappers.summary)
    probe.wrap_saving(tf_keras)
    probe.wrap(tf_keras.Model, "load_weights", wrappers.load_weights)
    probe.wrap(tf_keras.layers.Layer, "set_weights", wrappers.set_weights)
    probe.wrap(tf_keras.optimizers.Optimizer, "apply_gradients", wrappers.apply_gradients)
    probe.wrap(tf_keras.optimizers.Optimizer, "finalize_variable_values", wrappers.finalize)
    probe.wrap(tf_keras.optimizers.legacy.Optimizer, "apply_gradients", wrappers.apply_gradients)
    probe.wrap(RespectCompiledTrainableState, "__enter__", wrappers.enter_compiled_state)
    probe.wrap(RespectCompiledTrainableState, "__exit__", wrappers.leave_compiled_state)
    watch_functions(probe)
    probe.reaches.watch(probe, tf_keras)
    probe.asked.watch()
    return probe
