"""Watching Keras 2 (tf_keras): what hooks it (``INSTRUMENTS``), and ``attach``, which puts the hooks in place."""

from __future__ import annotations

import functools

from frostline.frameworks.keras_common import framework
from frostline.frameworks.keras_common.instruments import COMMON, tensorflow_loops
from frostline.frameworks.keras_common.instruments.steps.train_steps import TrainSteps
from frostline.frameworks.tf_keras.instruments.flag_compilation import FlagCompilation
from frostline.frameworks.tf_keras.instruments.optimizer_steps import OptimizerSteps
from frostline.frameworks.tf_keras.keras_api import Keras2

INSTRUMENTS = (
    *COMMON,
    FlagCompilation,
    OptimizerSteps,
    TrainSteps,
    *tensorflow_loops.INSTRUMENTS,
)

attach = functools.partial(framework.attach, Keras2, INSTRUMENTS)
