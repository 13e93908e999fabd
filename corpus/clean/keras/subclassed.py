"""A residual network as a subclass, its blocks in a list, one of them kept."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(219)
rng = np.random.default_rng(219)
x = rng.normal(size=(120, 8)).astype("float32")
y = rng.integers(0, 3, 120)


class Block(layers.Layer):
    def __init__(self, width, **options):
        super().__init__(**options)
        self.norm = layers.LayerNormalization()
        self.dense = layers.Dense(width, activation="gelu")

    def call(self, inputs):
        return inputs + self.dense(self.norm(inputs))


class Net(keras.Model):
    def __init__(self):
        super().__init__(name="net")
        self.blocks = [Block(8, name=f"block_{index}") for index in range(3)]
        self.heads = {"class": layers.Dense(3, activation="softmax")}

    def call(self, inputs):
        for block in self.blocks:
            inputs = block(inputs)
        return self.heads["class"](inputs)


net = Net()
net.blocks[0].trainable = False
net.compile("adam", "sparse_categorical_crossentropy")
net.fit(x, y, batch_size=12, epochs=3, verbose=0)
net.summary()
