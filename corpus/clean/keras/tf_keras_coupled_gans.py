"""Two critics with a common trunk and two generators, by the recipe of Keras 2; the weights of critics are clipped."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(251)
rng = np.random.default_rng(251)
one = rng.normal(size=(96, 6)).astype("float32")
other = (one[:, ::-1] + 0.1).astype("float32")


def critics():
    trunk = keras.Sequential([layers.Dense(8, activation="tanh", input_shape=(6,))], name="trunk")
    sides = [keras.Input((6,)) for _ in range(2)]
    return [keras.Model(side, layers.Dense(1)(trunk(side))) for side in sides]


def generator(name):
    return keras.Sequential([layers.Dense(8, activation="tanh", input_shape=(3,)), layers.Dense(6)], name=name)


def difference(truth, verdict):
    return keras.backend.mean(truth * verdict)


left, right = critics()
for critic in (left, right):
    critic.compile(keras.optimizers.legacy.RMSprop(0.01), difference)
makers = [generator("left_maker"), generator("right_maker")]
for critic in (left, right):
    critic.trainable = False
noise = keras.Input((3,))
combined = keras.Model(noise, [left(makers[0](noise)), right(makers[1](noise))])
combined.compile(keras.optimizers.legacy.RMSprop(0.01), [difference, difference])

real, fake = -np.ones((12, 1)), np.ones((12, 1))
for _ in range(24):
    picked = rng.integers(0, 96, 12)
    draws = rng.normal(size=(12, 3)).astype("float32")
    for critic, maker, data in ((left, makers[0], one), (right, makers[1], other)):
        critic.train_on_batch(data[picked], real)
        critic.train_on_batch(maker.predict(draws, verbose=0), fake)
    for critic in (left, right):
        for layer in critic.layers:
            layer.set_weights([np.clip(weight, -0.3, 0.3) for weight in layer.get_weights()])
    combined.train_on_batch(draws, [real, real])
