"""A training loop of one's own: 20 steps, compiled by the script where the backend has that."""

import sys

import numpy as np

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras

keras.utils.set_random_seed(1)
x = np.random.rand(64, 8).astype("float32")
y = np.random.rand(64, 1).astype("float32")
layers = keras.layers
model = keras.Sequential([keras.Input((8,)), layers.Dense(6, name="base"), layers.Dense(1, name="head")])
model.layers[0].trainable = False
optimizer = keras.optimizers.Adam(1e-2)


def with_tensorflow():
    import tensorflow as tf

    @tf.function
    def train_step(inputs, targets):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(inputs, training=True) - targets) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(20):
        train_step(x, y)


def with_jax():
    import jax

    def loss_of(trainable, others, inputs, targets):
        outputs, others = model.stateless_call(trainable, others, inputs, training=True)
        return ((outputs - targets) ** 2).mean()

    @jax.jit
    def train_step(trainable, others, slots, inputs, targets):
        gradients = jax.grad(loss_of)(trainable, others, inputs, targets)
        return optimizer.stateless_apply(slots, gradients, trainable)

    optimizer.build(model.trainable_variables)
    trainable = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    slots = [variable.value for variable in optimizer.variables]
    for _ in range(20):
        trainable, slots = train_step(trainable, others, slots, x, y)
    for variable, value in zip(model.trainable_variables + optimizer.variables, trainable + slots, strict=True):
        variable.assign(value)


def with_torch():
    import torch

    for _ in range(20):
        loss = ((model(x, training=True) - torch.tensor(y)) ** 2).mean()
        model.zero_grad()
        loss.backward()
        weights = list(model.trainable_weights)
        with torch.no_grad():
            optimizer.apply([weight.value.grad for weight in weights], weights)


{"jax": with_jax, "torch": with_torch, "tensorflow": with_tensorflow, "tf_keras": with_tensorflow}[sys.argv[1]]()
