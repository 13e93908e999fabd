"""A regressor of sensor values in two stages: first its head alone, then all of it."""

import keras
import numpy as np

keras.utils.set_random_seed(0)
encoder = keras.Sequential(
    [keras.Input((10,)), keras.layers.Dense(20, activation="tanh", name="sense")], name="encoder"
)
encoder.trainable = False
model = keras.Sequential([keras.Input((10,)), encoder, keras.layers.Dense(1, name="value")], name="regressor")
rows = np.random.default_rng(0).normal(size=(96, 10)).astype("float32")
values = rows[:, :3].sum(1, keepdims=True)

FIRST, SECOND = 6, 4
model.compile(keras.optimizers.Adam(5e-3), "mse")
model.fit(rows, values, batch_size=24, epochs=FIRST, verbose=0)
encoder.trainable = True
model.compile(keras.optimizers.Adam(5e-4), "mse")
model.fit(rows, values, batch_size=24, initial_epoch=FIRST, epochs=SECOND, verbose=0)
print("loss", round(float(model.evaluate(rows, values, verbose=0)), 4))
