"""Train a Keras model in a torch loop; the trunk is kept from the tenth step on."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(126)
rng = np.random.default_rng(126)
x = torch.tensor(rng.normal(size=(80, 6)), dtype=torch.float32)
y = torch.tensor(rng.normal(size=(80, 1)), dtype=torch.float32)

model = keras.Sequential(
    [keras.Input((6,)), layers.Dense(12, activation="tanh", name="trunk"), layers.Dense(1, name="top")]
)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.05)

for step in range(24):
    if step == 10:
        model.get_layer("trunk").trainable = False
    optimizer.zero_grad(set_to_none=False)
    loss = ((model(x, training=True) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
print("loss", loss.item())
