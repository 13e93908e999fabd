"""A small causal transformer whose output layer reuses the token embedding."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(236)
rng = np.random.default_rng(236)
tokens = rng.integers(0, 24, (72, 9))


class Decoder(keras.Model):
    def __init__(self):
        super().__init__(name="decoder")
        self.tokens = layers.Embedding(24, 16, name="tokens")
        self.positions = layers.Embedding(8, 16, name="positions")
        self.attention = layers.MultiHeadAttention(2, 8, name="attention")
        self.norm = layers.LayerNormalization(name="norm")
        self.mlp = keras.Sequential([layers.Dense(32, activation="gelu"), layers.Dense(16)], name="mlp")

    def call(self, inputs):
        hidden = self.tokens(inputs) + self.positions(ops.arange(8))
        hidden = hidden + self.attention(hidden, hidden, use_causal_mask=True)
        hidden = self.norm(hidden + self.mlp(hidden))
        return ops.matmul(hidden, ops.transpose(self.tokens.embeddings))


model = Decoder()
model.compile(keras.optimizers.AdamW(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.fit(tokens[:, :-1], tokens[:, 1:], batch_size=12, epochs=3, verbose=0)
