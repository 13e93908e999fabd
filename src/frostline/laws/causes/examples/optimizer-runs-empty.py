# frostline run optimizer-runs-empty.py
import keras
import numpy as np
from keras import layers

score = layers.Dense(1, name="score")
critic = keras.Sequential([keras.Input((4,)), score], name="critic")
critic.compile("adam", "mse")
# meant for the model around it, and obeyed by both
critic.trainable = False
generator = layers.Dense(4, name="generate")
both = keras.Sequential([keras.Input((2,)), generator, critic], name="both")
both.compile("adam", "mse")
for _ in range(8):
    noise = np.random.rand(16, 2).astype("float32")
    real = np.random.rand(16, 4).astype("float32")
    critic.train_on_batch(real, np.ones((16, 1)))
    both.train_on_batch(noise, np.ones((16, 1)))
