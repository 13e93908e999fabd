"""Steps on jax, which are handed the weights and hand back new ones."""

from frostline.frameworks.keras.instruments.jax_loops.jax_train_steps import JaxTrainSteps
from frostline.frameworks.keras.instruments.jax_loops.jit_calls import JitCalls
from frostline.frameworks.keras.instruments.jax_loops.model_uses import ModelUses
from frostline.frameworks.keras.instruments.jax_loops.stateless_steps import StatelessSteps

INSTRUMENTS = (JaxTrainSteps, StatelessSteps, JitCalls, ModelUses)
