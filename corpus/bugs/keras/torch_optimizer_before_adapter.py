"""An adapter trained with an optimizer of torch, in a loop of our own."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(478)
rng = np.random.default_rng(478)
x = rng.normal(size=(120, 8)).astype("float32")
y = torch.tensor(rng.integers(0, 3, 120))

inputs = keras.Input((8,))
features = layers.Dense(16, activation="tanh", name="body")(inputs)
model = keras.Model(inputs, layers.Dense(3, name="head")(features), name="model")

optimizer = torch.optim.AdamW([variable.value for variable in model.trainable_variables], lr=1e-2)
model.get_layer("body").enable_lora(2)

loss_of = torch.nn.CrossEntropyLoss()
for _ in range(3):
    for start in range(0, 120, 12):
        model.zero_grad()
        loss_of(model(x[start : start + 12], training=True), y[start : start + 12]).backward()
        optimizer.step()
