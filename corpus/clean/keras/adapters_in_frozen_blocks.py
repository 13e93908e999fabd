"""Adapts a trained stack of blocks: every layer in it is frozen, then two kernels of each block get an adapter."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(281)
rng = np.random.default_rng(281)
x = rng.normal(size=(120, 6, 8)).astype("float32")
y = rng.integers(0, 3, 120)


class Block(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.norm = layers.LayerNormalization()
        self.query = layers.EinsumDense("btd,dh->bth", (None, 8), name="query")
        self.value = layers.EinsumDense("btd,dh->bth", (None, 8), name="value")
        self.attention = layers.Attention(use_scale=False)

    def call(self, inputs):
        normed = self.norm(inputs)
        return inputs + self.attention([self.query(normed), self.value(normed)])


stack = keras.Sequential([keras.Input((6, 8)), Block(name="block_0"), Block(name="block_1")], name="stack")
head = keras.Sequential([layers.GlobalAveragePooling1D(), layers.Dense(3, activation="softmax")], name="head")
model = keras.Sequential([stack, head], name="model")
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=1, verbose=0)

for layer in stack._flatten_layers(include_self=False):
    layer.trainable = False
for block in stack.layers:
    for layer in (block.query, block.value):
        layer.trainable = True
        layer.enable_lora(2)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=12, epochs=2, verbose=0)
