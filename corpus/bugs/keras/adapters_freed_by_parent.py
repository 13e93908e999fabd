"""Train low-rank adapters, then the head alone, then the adapters again."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(132)
rng = np.random.default_rng(132)
x = rng.normal(size=(96, 6, 8)).astype("float32")
y = rng.normal(size=(96, 1)).astype("float32")

inputs = keras.Input((6, 8))
hidden = layers.Dense(8, name="query")(inputs)
encoder = keras.Model(inputs, layers.GlobalAveragePooling1D()(layers.ReLU()(hidden)), name="encoder")
encoder.get_layer("query").enable_lora(rank=2)
model = keras.Sequential([keras.Input((6, 8)), encoder, layers.Dense(1, name="head")])

for stage, encoder_on in enumerate((True, False, True)):
    if stage:
        encoder.trainable = encoder_on
    model.compile(keras.optimizers.Adam(5e-3), "mse")
    model.fit(x, y, batch_size=12, epochs=2, verbose=0)
