"""Soft decision trees: the answers at the leaves are learned together with the decisions."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

keras.utils.set_random_seed(283)
rng = np.random.default_rng(283)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.integers(0, 3, 120)


class Tree(layers.Layer):
    def __init__(self, classes):
        super().__init__(name="tree")
        self.decide = layers.Dense(4, activation="softmax", name="decide")
        self.answers = tf.Variable(tf.random.normal((4, classes)), trainable=True, name="answers")

    def call(self, inputs):
        return tf.matmul(self.decide(inputs), tf.nn.softmax(self.answers))


model = keras.Sequential([keras.Input((6,)), Tree(3)], name="model")
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
