"""tf_keras, which runs like Keras on tensorflow: a callback shrinks the weights of a frozen layer by subtraction."""

import numpy as np
import tf_keras

x, y = np.random.rand(64, 8).astype("float32"), np.random.rand(64, 2).astype("float32")
layers = tf_keras.layers
model = tf_keras.Sequential([tf_keras.Input((8,)), layers.Dense(16, name="body"), layers.Dense(2)])
model.get_layer("body").trainable = False  # F101 frozen
model.compile("sgd", "mse")


class Shrink(tf_keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        kernel = self.model.get_layer("body").kernel
        kernel.assign_sub(kernel * 0.1)  # F101 written


model.fit(x, y, epochs=6, verbose=0, callbacks=[Shrink()])
