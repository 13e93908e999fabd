"""A loop of the script's own in a method that jax compiles and that takes over the memory of the state it is given."""

import functools

import jax
import keras
import numpy as np

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.Input((16,)), keras.layers.Dense(32, "relu", name="base"), keras.layers.Dense(4, name="head")]
)
model.layers[0].trainable = False
optimizer = keras.optimizers.Adam(0.01)
optimizer.build(model.trainable_variables)


class Trainer:
    @functools.partial(jax.jit, static_argnums=0, donate_argnums=1)
    def step(self, state, rows, wanted):
        trained, others, slots = state

        def loss(trained):
            answers, after = model.stateless_call(trained, others, rows)
            return ((answers - wanted) ** 2).mean(), after

        (value, after), gradients = jax.value_and_grad(loss, has_aux=True)(trained)
        trained, slots = optimizer.stateless_apply(slots, gradients, trained)
        return (trained, after, slots), value


groups = model.trainable_variables, model.non_trainable_variables, optimizer.variables
state = tuple([variable.value for variable in group] for group in groups)
trainer, values = Trainer(), np.random.default_rng(0)
for _ in range(20):
    state, value = trainer.step(state, values.normal(size=(8, 16)).astype("float32"), np.ones((8, 4), "float32"))
    print(float(value))
for group, arrays in zip(groups, state, strict=True):
    for variable, array in zip(group, arrays, strict=True):
        variable.assign(array)
print(*(float(keras.ops.sum(weight)) for weight in model.weights), Trainer.step.__name__)
