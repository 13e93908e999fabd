"""What only loops of the script's own on tensorflow have: compiled functions, and gradients asked of tapes."""

from frostline.frameworks.keras_common.instruments.tensorflow_loops.tf_function_steps import TfFunctionSteps
from frostline.frameworks.keras_common.instruments.tensorflow_loops.unapplied_gradients import UnappliedGradients

INSTRUMENTS = (TfFunctionSteps, UnappliedGradients)
