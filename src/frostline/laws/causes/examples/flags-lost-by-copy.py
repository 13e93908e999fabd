# frostline run flags-lost-by-copy.py
import keras
import numpy as np

dense = keras.layers.Dense
base = keras.Sequential([keras.Input((8,)), dense(16), dense(1)])
for variable in base.layers[0].weights:
    variable.trainable = False  # the configuration knows layers only
model = keras.models.clone_model(base)
model.set_weights(base.get_weights())
model.compile("adam", "mse")
rows, values = np.random.rand(64, 8), np.random.rand(64, 1)
model.fit(rows, values, batch_size=8, epochs=2, verbose=0)
