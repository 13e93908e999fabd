"""Train two copies of one network on halves of the data, then average them."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(238)
rng = np.random.default_rng(238)
x = rng.normal(size=(120, 6)).astype("float32")
y = rng.normal(size=(120, 1)).astype("float32")

server = keras.Sequential([keras.Input((6,)), layers.Dense(12, activation="relu"), layers.Dense(1)], name="server")
workers = [keras.models.clone_model(server) for _ in range(2)]
for worker in workers:
    worker.compile("sgd", "mse")

for _ in range(3):
    for index, worker in enumerate(workers):
        worker.set_weights(server.get_weights())
        worker.fit(x[index::2], y[index::2], batch_size=12, epochs=1, verbose=0)
    pairs = zip(*(worker.get_weights() for worker in workers), strict=True)
    server.set_weights([(one + other) / 2 for one, other in pairs])
server.compile(loss="mse")
print("loss", server.evaluate(x, y, verbose=0))
