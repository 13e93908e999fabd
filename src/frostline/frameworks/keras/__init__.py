"""Watching Keras 3: what hooks it on its backend (``INSTRUMENTS``), and ``attach``, which puts the hooks in place."""

from __future__ import annotations

import functools

import keras

from frostline.frameworks.keras.instruments import jax_loops
from frostline.frameworks.keras.instruments.loss_scaling import LossScaling
from frostline.frameworks.keras.instruments.optimizer_steps import OptimizerSteps
from frostline.frameworks.keras.instruments.torch_optimizer_steps import TorchOptimizerSteps
from frostline.frameworks.keras.instruments.variable_reads import VariableReads
from frostline.frameworks.keras.keras_api import Keras3
from frostline.frameworks.keras_common import framework
from frostline.frameworks.keras_common.instruments import COMMON, tensorflow_loops
from frostline.frameworks.keras_common.instruments.steps.train_steps import TrainSteps

ON_BACKEND = {
    "jax": jax_loops.INSTRUMENTS,
    "tensorflow": (TrainSteps, *tensorflow_loops.INSTRUMENTS),
    "torch": (TrainSteps, TorchOptimizerSteps),
}
INSTRUMENTS = (
    *COMMON,
    OptimizerSteps,
    LossScaling,
    VariableReads,
    *ON_BACKEND[keras.backend.backend()],
)

attach = functools.partial(framework.attach, Keras3, INSTRUMENTS)
