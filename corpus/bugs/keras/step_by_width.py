"""Networks of two widths are trained twice each in a loop of its own, compiled once for each width."""

import functools

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)


def start(width):
    network = keras.Sequential([keras.Input((6,)), keras.layers.Dense(width, "tanh"), keras.layers.Dense(2)])
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(network.trainable_variables)
    return network, optimizer


networks = {}


@functools.cache
def stepper(width):
    network, optimizer = networks[width]

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((network(x, training=True) - y) ** 2)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, network.trainable_variables), network.trainable_variables, strict=True)
        )
        return loss

    return step


x = np.random.randn(64, 6).astype("float32")
y = x[:, :2] * 2
for repeat in range(2):
    for width in (8, 12):
        networks[width] = start(width)
        for _ in range(8):
            loss = stepper(width)(tf.constant(x), tf.constant(y))
        print(f"repeat {repeat} width {width} loss {float(loss):.4f}")
