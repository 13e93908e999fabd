"""Loads of weights into Keras models, each watched by itself: prints the law's findings for each as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

import frostline

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras
layers = keras.layers
x = np.random.default_rng(0).random((32, 8)).astype("float32")


def network(width: int = 16, out: int = 1, frozen: bool = False):
    body = layers.Dense(width, name="body", trainable=not frozen)
    return keras.Sequential([keras.Input((8,)), body, layers.Dense(out, name="head" if out == 1 else "other")])


def drawn_again(model):
    body = model.layers[0]
    body.set_weights([np.random.default_rng(1).random(each.shape).astype("float32") for each in body.get_weights()])


def halved(model):
    model.layers[0].set_weights([each * 0.5 for each in model.layers[0].get_weights()])


def seen(model, load, then=None):
    with frostline.watch() as watched:
        model = load(model) or model
        if then is not None:
            then(model)
        model.compile("sgd", "mse")
        model.fit(x, x[:, : model.output_shape[-1]], batch_size=8, epochs=2, verbose=0)
    record = watched.report.record
    assert record.run.faults == [], record.run.faults
    return [(each.severity, len(each.tensors), each.message) for each in record.findings if each.code == "L8"]


with tempfile.TemporaryDirectory() as folder:
    weights, whole = str(Path(folder) / "old.weights.h5"), str(Path(folder) / "old.keras")
    old = network()
    old.layers[0].set_weights([np.random.default_rng(2).random(each.shape) for each in old.layers[0].get_weights()])
    old.save_weights(weights)
    old.save(whole)
    skipping = {"by_name": True} if sys.argv[1] == "tf_keras" else {}
    said = {
        "whole": seen(network(), lambda model: model.load_weights(weights)),
        "model": seen(None, lambda _: keras.models.load_model(whole)),
        "in part": seen(network(out=3), lambda model: model.load_weights(weights, skip_mismatch=True, **skipping)),
        "nothing": seen(network(12), lambda model: model.load_weights(weights, skip_mismatch=True, **skipping)),
        "drawn again": seen(network(), lambda model: model.load_weights(weights), drawn_again),
        "frozen and drawn again": seen(network(frozen=True), lambda model: model.load_weights(weights), drawn_again),
        "halved": seen(network(frozen=True), lambda model: model.load_weights(weights), halved),
        "loaded twice": seen(
            network(), lambda model: [model.load_weights(weights), drawn_again(model), model.load_weights(weights)][0]
        ),
    }
print(json.dumps(said))
