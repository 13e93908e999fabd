"""A network is copied before it is tuned on new rows, and written to a file afterwards."""

import tempfile
from pathlib import Path

import keras
import numpy as np

keras.utils.set_random_seed(0)
values = np.random.default_rng(0)
rows = values.normal(size=(96, 12)).astype("float32")
targets = (rows[:, :1] * rows[:, 1:2]).astype("float32")
network = keras.Sequential(
    [keras.Input((12,)), keras.layers.Dense(24, activation="tanh", name="hidden"), keras.layers.Dense(1, name="answer")]
)
tuned = keras.models.clone_model(network)
tuned.set_weights(network.get_weights())
tuned.compile(keras.optimizers.Adam(5e-3), "mse")
history = tuned.fit(rows, targets, batch_size=16, epochs=5, verbose=0)
print(f"loss {history.history['loss'][-1]:.4f}")
with tempfile.TemporaryDirectory() as folder:
    network.save_weights(Path(folder) / "network.weights.h5")
