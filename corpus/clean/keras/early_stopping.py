"""Stop early, go back to the best epoch, save, load, and train on."""

import pathlib
import tempfile

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(222)
rng = np.random.default_rng(222)
x = rng.normal(size=(96, 5)).astype("float32")
y = rng.normal(size=(96, 1)).astype("float32")

model = keras.Sequential(
    [keras.Input((5,)), layers.Dense(16, activation="relu", name="fixed"), layers.Dense(1, name="trained")]
)
model.get_layer("fixed").trainable = False
model.compile(keras.optimizers.Adam(0.05), "mse")
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "best.keras"
    callbacks = [
        keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True),
        keras.callbacks.ModelCheckpoint(file, save_best_only=True),
        keras.callbacks.ReduceLROnPlateau(patience=1),
    ]
    model.fit(x, y, validation_split=0.25, batch_size=12, epochs=8, verbose=0, callbacks=callbacks)
    again = keras.saving.load_model(file)
again.fit(x, y, batch_size=12, epochs=2, verbose=0)
