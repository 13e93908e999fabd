"""Learn a value function with a slowly following target network."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(227)
rng = np.random.default_rng(227)


def value_network(name):
    return keras.Sequential([keras.Input((4,)), layers.Dense(16, activation="relu"), layers.Dense(2)], name=name)


online, target = value_network("online"), value_network("target")
target.set_weights(online.get_weights())
online.compile(keras.optimizers.Adam(1e-2), "huber")

for _ in range(24):
    state = rng.normal(size=(16, 4)).astype("float32")
    reward = state.sum(1)
    goal = online.predict_on_batch(state)
    goal[:, 0] = reward + 0.9 * target.predict_on_batch(state).max(1)
    online.train_on_batch(state, goal)
    mixed = zip(online.get_weights(), target.get_weights(), strict=True)
    target.set_weights([0.05 * new + 0.95 * old for new, old in mixed])
