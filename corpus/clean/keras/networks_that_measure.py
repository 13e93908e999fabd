"""An autoencoder judged by a feature distance, as its loss and as its metric: both bring a network of their own."""

import keras
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(233)
rng = np.random.default_rng(233)
x = rng.normal(size=(120, 8)).astype("float32")


def features(name):
    return keras.Sequential([keras.Input((8,)), layers.Dense(16, activation="tanh"), layers.Dense(8)], name=name)


class FeatureLoss(keras.losses.Loss):
    def __init__(self):
        super().__init__()
        self.network = features("features_of_loss")

    def call(self, y_true, y_pred):
        return ops.mean((self.network(y_true) - self.network(y_pred)) ** 2, axis=-1)


class FeatureDistance(keras.metrics.Metric):
    def __init__(self):
        super().__init__(name="distance")
        self.mean = keras.metrics.Mean()
        self.network = features("features_of_metric")

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.mean.update_state(ops.mean((self.network(y_true) - self.network(y_pred)) ** 2))

    def result(self):
        return self.mean.result()

    def reset_state(self):
        self.mean.reset_state()


class Autoencoder(keras.Model):
    def __init__(self):
        super().__init__(name="autoencoder")
        self.encoder = layers.Dense(4, activation="tanh", name="encoder")
        self.decoder = layers.Dense(8, name="decoder")
        self.distance = FeatureDistance()
        self.feature_loss = FeatureLoss()

    def call(self, inputs):
        return self.decoder(self.encoder(inputs))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return self.feature_loss(y, y_pred) + ops.mean((y - y_pred) ** 2)

    @property
    def metrics(self):
        return [self.distance]

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        self.distance.update_state(y, y_pred)
        return {"distance": self.distance.result()}


model = Autoencoder()
model.compile("adam")
model.fit(x, x, batch_size=12, epochs=3, verbose=0)
