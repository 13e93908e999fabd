"""Warm the head up for two epochs, then train the encoder as well."""

import numpy as np
import tf_keras as keras
from tf_keras import layers

keras.utils.set_random_seed(103)
rng = np.random.default_rng(103)
x = rng.normal(size=(160, 10)).astype("float32")
y = rng.integers(0, 3, 160)


class WarmUp(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            self.model.get_layer("encoder").trainable = True


encoder = keras.Sequential([layers.Dense(16, activation="tanh", input_shape=(10,), name="encoder_1")], name="encoder")
encoder.trainable = False
model = keras.Sequential([encoder, layers.Dense(3, activation="softmax", name="head")])
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, batch_size=16, epochs=5, verbose=0, callbacks=[WarmUp()])
print("trainable now:", len(model.trainable_weights), "tensors")
