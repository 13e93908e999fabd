"""Use a torch block as a fixed first stage of a Keras model."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(122)
rng = np.random.default_rng(122)
x = rng.normal(2.0, 1.5, size=(120, 5)).astype("float32")
y = x.sum(1, keepdims=True)

block = torch.nn.Sequential(torch.nn.Linear(5, 10), torch.nn.LayerNorm(10), torch.nn.ReLU())
stage = layers.TorchModuleWrapper(block, output_shape=(None, 10), name="stage")
stage.trainable = False

inputs = keras.Input((5,))
model = keras.Model(inputs, layers.Dense(1, name="sum")(stage(inputs)))
model.compile(keras.optimizers.Adam(1e-2), "mse")
model.fit(x, y, batch_size=12, epochs=3, verbose=0)
