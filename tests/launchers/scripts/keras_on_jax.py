"""Keras' DataParallel over two processes of jax; the fault: each writes into a frozen weight."""

import os
import sys

os.environ["KERAS_BACKEND"] = "jax"
import jax

jax.config.update("jax_cpu_collectives_implementation", "gloo")
jax.distributed.initialize(
    os.environ["COORDINATOR"], num_processes=int(os.environ["WORLD_SIZE"]), process_id=int(os.environ["RANK"])
)

import keras  # noqa: E402
import numpy as np  # noqa: E402

keras.utils.set_random_seed(0)
keras.distribution.set_distribution(keras.distribution.DataParallel(devices=jax.devices(), auto_shard_dataset=False))
model = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(16, "relu", name="body"), keras.layers.Dense(2)])
model.layers[0].trainable = False
model.compile("adam", "mse")


class Fault(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if "--fault" in sys.argv:
            kernel = self.model.layers[0].kernel
            kernel.assign(kernel.value * 0.99)


rows = np.random.default_rng(0).normal(size=(64, 8)).astype("f4")
model.fit(rows, rows[:, :2], batch_size=16, epochs=2, verbose=0, shuffle=False, callbacks=[Fault()])
