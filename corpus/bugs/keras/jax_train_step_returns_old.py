"""A step of our own, written out: beside the loss it logs how long the step was."""

import jax
import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(431)
rng = np.random.default_rng(431)
x = rng.normal(size=(120, 6)).astype("float32")
y = (x @ rng.normal(size=(6, 1))).astype("float32")


class Logged(keras.Model):
    def loss_of(self, trained, others, inputs, target):
        prediction, others = self.stateless_call(trained, others, inputs, training=True)
        return self.compute_loss(inputs, target, prediction), others

    def train_step(self, state, data):
        trained, others, memory, metrics = state
        find = jax.value_and_grad(self.loss_of, has_aux=True)
        (loss, others), gradients = find(trained, others, *data)
        updated, memory = self.optimizer.stateless_apply(memory, gradients, trained)
        length = ops.sqrt(sum(ops.sum(ops.square(new - old)) for new, old in zip(updated, trained, strict=True)))
        return {"loss": loss, "length": length}, (trained, others, memory, metrics)


inputs = keras.Input((6,))
hidden = layers.BatchNormalization(name="norm")(layers.Dense(8, activation="tanh", name="hidden")(inputs))
model = Logged(inputs, layers.Dense(1, name="head")(hidden), name="model")
model.compile("adam", "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
