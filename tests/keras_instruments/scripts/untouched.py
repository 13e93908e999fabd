"""Train in several ways and print everything that an observer could have disturbed."""

import hashlib
import random
import sys

import numpy as np

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras

layers = keras.layers
keras.utils.set_random_seed(11)


class Noted(keras.callbacks.Callback):
    """A callback of the user, to see that it is called as ever."""

    def on_train_batch_end(self, batch, logs=None):
        print("batch", batch, float(logs["loss"]).hex())


def digest(variables):
    return hashlib.sha256(b"".join(np.asarray(variable).tobytes() for variable in variables)).hexdigest()[:16]


def model_of(name):
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(6, activation="relu", name=f"{name}_base"),
            layers.BatchNormalization(name=f"{name}_norm"),
            layers.Dropout(0.3),
            layers.Dense(2, name=f"{name}_head"),
        ],
        name=name,
    )


def state(*models):
    for each in models:
        optimizer = each.optimizer.variables() if callable(each.optimizer.variables) else each.optimizer.variables
        print(each.name, digest(each.weights), digest(optimizer))


x = np.random.rand(96, 8).astype("float32")
y = np.random.rand(96, 2).astype("float32")

plain, averaged = model_of("plain"), model_of("averaged")
plain.layers[0].trainable = False
plain.compile(optimizer=keras.optimizers.Adam(1e-2, weight_decay=0.01), loss="mse")
plain.fit(x, y, batch_size=16, epochs=3, verbose=2, validation_data=(x, y), callbacks=[Noted()])
plain.summary()
state(plain)

averaged.compile(optimizer=keras.optimizers.Adam(1e-2, use_ema=True, ema_overwrite_frequency=3), loss="mse")
averaged.fit(x, y, batch_size=16, epochs=2, verbose=2)
averaged.set_weights([weight * 0.5 for weight in averaged.get_weights()])
for _ in range(5):
    print("alone", [float(value).hex() for value in np.ravel(averaged.train_on_batch(x[:16], y[:16]))])
print("evaluated", float(averaged.evaluate(x, y, verbose=0)).hex())
state(plain, averaged)
print("random", random.random(), np.random.rand())
if sys.argv[1] != "tf_keras":
    print("keras random", np.asarray(keras.random.uniform((2,), seed=None)).tolist())
