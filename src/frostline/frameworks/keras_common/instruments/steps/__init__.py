"""Steps, and what they show of gradients."""

from frostline.frameworks.keras_common.instruments.steps.forward_assignments import ForwardAssignments
from frostline.frameworks.keras_common.instruments.steps.idle_optimizers import IdleOptimizers
from frostline.frameworks.keras_common.instruments.steps.inferred_gradients import InferredGradients
from frostline.frameworks.keras_common.instruments.steps.loss_dependencies import LossDependencies
from frostline.frameworks.keras_common.instruments.steps.step_counters import StepCounters
from frostline.frameworks.keras_common.instruments.steps.training_calls import TrainingCalls

# Steps that were none are taken back first; then it is said which tensors a loss depends on, then of each optimizer.
INSTRUMENTS = (ForwardAssignments, StepCounters, LossDependencies, InferredGradients, TrainingCalls, IdleOptimizers)
