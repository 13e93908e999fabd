"""Distil a trained teacher into a smaller student."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(228)
rng = np.random.default_rng(228)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)

teacher = keras.Sequential([keras.Input((8,)), layers.Dense(32, activation="relu"), layers.Dense(3)], name="teacher")
teacher.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
teacher.fit(x, y, batch_size=12, epochs=2, verbose=0)
teacher.trainable = False


class Student(keras.Model):
    def __init__(self, teacher):
        super().__init__(name="student")
        self.teacher = teacher
        self.net = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3)], name="net")

    def call(self, inputs):
        return self.net(inputs)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return keras.ops.mean((y_pred - self.teacher(x, training=False)) ** 2)


student = Student(teacher)
student.compile(keras.optimizers.Adam(1e-2))
student.fit(x, y, batch_size=12, epochs=3, verbose=0)
