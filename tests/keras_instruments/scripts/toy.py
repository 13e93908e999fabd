"""The toy model of every layered framework: a frozen block, a normalisation, a head, and a layer nobody trains."""

import sys

import numpy as np

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras

layers = keras.layers
keras.utils.set_random_seed(3)

frozen = keras.Sequential(
    [layers.Dense(6, activation="relu", name="hidden"), layers.BatchNormalization(name="norm")], name="frozen"
)
inputs = keras.Input((8,))
middle = layers.BatchNormalization(name="live_norm")(frozen(inputs))
middle = layers.Dropout(0.25, seed=5)(middle)
kept = layers.Dense(6, name="kept")
kept.trainable = False
outputs = layers.Dense(2, name="head")(kept(middle))
model = keras.Model(inputs, outputs, name="net")
frozen.trainable = False
model.compile(optimizer=keras.optimizers.Adam(1e-2), loss="mse", metrics=["mae"])
model.summary()

x = np.random.rand(96, 8).astype("float32")
y = np.random.rand(96, 2).astype("float32")
model.fit(x, y, batch_size=16, epochs=3, validation_split=0.25, verbose=2)
model.train_on_batch(x[:16], y[:16])
