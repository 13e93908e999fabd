"""Distil a trained classifier into a smaller one, in a train step of its own."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(152)
rng = np.random.default_rng(152)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)


def classifier(width, name):
    return keras.Sequential([keras.Input((8,)), layers.Dense(width, activation="relu"), layers.Dense(3)], name=name)


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = student
        self.student = teacher

    def train_step(self, data):
        batch, labels = data
        soft = tf.nn.softmax(self.teacher(batch, training=False) / 3)
        with tf.GradientTape() as tape:
            scores = self.student(batch, training=True)
            hard = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            apart = keras.losses.kl_divergence(soft, tf.nn.softmax(scores / 3))
            loss = tf.reduce_mean(0.1 * hard + 0.9 * 9 * apart)
        variables = self.student.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"loss": loss}


teacher, student = classifier(24, "teacher"), classifier(8, "student")
teacher.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
teacher.fit(x, y, batch_size=12, epochs=2, verbose=0)

distiller = Distiller(student=student, teacher=teacher)
distiller.compile("adam")
distiller.fit(x, y, batch_size=12, epochs=2, verbose=0)
