# frostline run flags-lost-by-copy.py
import keras
import numpy as np

base = keras.Sequential([keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(1)])
for variable in base.layers[0].weights:
    variable.trainable = False  # layer.trainable = False would be part of the configuration
model = keras.models.clone_model(base)
model.set_weights(base.get_weights())
model.compile("adam", "mse")
model.fit(np.random.rand(64, 8), np.random.rand(64, 1), batch_size=8, epochs=2, verbose=0)
