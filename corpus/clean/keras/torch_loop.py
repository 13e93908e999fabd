"""A training loop with torch autograd and a Keras optimizer."""

import keras
import numpy as np
import torch
from keras import layers

keras.utils.set_random_seed(213)
rng = np.random.default_rng(213)
data = torch.utils.data.TensorDataset(
    torch.tensor(rng.normal(size=(96, 5)), dtype=torch.float32),
    torch.tensor(rng.normal(size=(96, 1)), dtype=torch.float32),
)
model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(15, activation="relu", name="fixed"), layers.Dense(1, name="trained")]
)
model.get_layer("fixed").trainable = False
optimizer = keras.optimizers.AdamW(1e-2, weight_decay=1e-2)

for _ in range(3):
    for x, y in torch.utils.data.DataLoader(data, batch_size=12, shuffle=True):
        loss = keras.ops.mean((model(x, training=True) - y) ** 2)
        model.zero_grad()
        loss.backward()
        weights = list(model.trainable_weights)
        with torch.no_grad():
            optimizer.apply([weight.value.grad for weight in weights], weights)
    print("loss", loss.item())
