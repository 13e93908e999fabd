"""The article's experiment: freeze one model inside another, train the whole, and see which weights moved.

python article.py [--backend jax|torch|tensorflow] [--first] [--epochs N]
"""

import argparse
import copy
import os

parser = argparse.ArgumentParser(description="Freeze a model inside a model, then look at the weights.")
parser.add_argument("--backend", choices=("jax", "torch", "tensorflow"), default=os.environ.get("KERAS_BACKEND", "jax"))
parser.add_argument("--first", action="store_true", help="freeze A, the first part, in place of B")
parser.add_argument("--epochs", type=int, default=20)
options = parser.parse_args()

os.environ["KERAS_BACKEND"] = options.backend  # read once, when keras is imported

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

keras.utils.set_random_seed(2017)

A = keras.Sequential(
    [
        keras.Input((784,)),
        layers.Dense(32, activation="relu", name="a_hidden"),
        layers.Dense(10, activation="softmax", name="a_out"),
    ],
    name="A",
)
B = keras.Sequential(
    [
        keras.Input((10,)),
        layers.Dense(100, activation="relu", name="b_hidden"),
        layers.Dense(10, activation="softmax", name="b_out"),
    ],
    name="B",
)

frozen = A if options.first else B
frozen.trainable = False
frozen.compile(optimizer="adam", loss="categorical_crossentropy")  # once upon a time a flag did nothing until compile

C = keras.Sequential([keras.Input((784,)), A, B], name="C")
C.compile(optimizer="adam", loss="categorical_crossentropy")
C.summary()

images = np.random.rand(256, 784).astype("float32")
labels = keras.utils.to_categorical(np.random.randint(0, 10, 256), 10)

before_a = copy.deepcopy(A.layers[0].get_weights()[0])
before_b = copy.deepcopy(B.layers[0].get_weights()[0])

C.fit(images, labels, batch_size=32, epochs=options.epochs, verbose=0)

after_a = A.layers[0].get_weights()[0]
after_b = B.layers[0].get_weights()[0]

print("Is the first kernel of A the same as before?", np.all(before_a == after_a))
print("Is the first kernel of B the same as before?", np.all(before_b == after_b))
