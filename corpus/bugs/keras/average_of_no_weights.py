"""Keep a slowly averaged copy of a network for evaluation."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(153)
rng = np.random.default_rng(153)
x = rng.normal(size=(96, 8)).astype("float32")
y = rng.normal(size=(96, 2)).astype("float32")


def network(name):
    return keras.Sequential([keras.Input((8,)), layers.Dense(12, activation="relu"), layers.Dense(2)], name=name)


student, teacher = network("student"), network("teacher")
teacher.set_weights(student.get_weights())
teacher.trainable = False


class Average(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        for slow, fast in zip(teacher.trainable_weights, student.trainable_weights, strict=False):
            slow.assign(0.9 * slow + 0.1 * fast)


student.compile(keras.optimizers.Adam(1e-2), "mse")
student.fit(x, y, batch_size=12, epochs=3, verbose=0, callbacks=[Average()])
