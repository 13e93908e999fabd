"""Watch from Python, after the model was compiled and trained: what its step was traced with must be found out."""

import sys
import weakref

import numpy as np

if sys.argv[1] == "tf_keras":
    import tf_keras as keras
else:
    import keras

import frostline

keras.utils.set_random_seed(2)
x = np.random.rand(32, 4).astype("float32")
y = np.random.rand(32, 1).astype("float32")
layers = keras.layers
model = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="base"), layers.Dense(1, name="head")])
model.layers[0].trainable = False
model.compile("adam", "mse")
model.fit(x, y, verbose=0)

with frostline.watch(model, model.optimizer, frozen=["**.base.*"]) as seen:
    model.fit(x, y, epochs=4, verbose=0)
record = seen.report.record
print(record.run.faults, record.verdict.errors, record.verdict.warnings)
for optimizer in record.optimizers:
    print(optimizer.id, optimizer.steps_executed, optimizer.holds)
for row in record.tensors:
    print(row.name, row.expected, row.declared.trainable, row.changed.verdict)

model.fit(x, y, verbose=0)
print("wrapped still:", hasattr(keras.Model.make_train_function, "__wrapped__"))
callbacks = [reference.__callback__ for reference in weakref.getweakrefs(model)]
print("told when freed:", any("frostline" in each.__module__ for each in callbacks if each is not None))
