"""Distil a trained classifier into a smaller one."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(151)
rng = np.random.default_rng(151)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)


def classifier(width, name):
    return keras.Sequential([keras.Input((8,)), layers.Dense(width, activation="relu"), layers.Dense(3)], name=name)


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def call(self, inputs):
        return self.student(inputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        soft = ops.softmax(self.teacher(x, training=False) / 3, axis=1)
        apart = keras.losses.kl_divergence(soft, ops.softmax(y_pred / 3, axis=1))
        hard = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
        return ops.mean(0.1 * hard + 0.9 * 9 * apart)


teacher, student = classifier(24, "teacher"), classifier(8, "student")
teacher.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
teacher.fit(x, y, batch_size=12, epochs=2, verbose=0)

distiller = Distiller(student, teacher)
distiller.compile("adam")
distiller.fit(x, y, batch_size=12, epochs=2, verbose=0)
