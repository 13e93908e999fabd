"""The article's experiment in flax: freeze one model inside another, train the whole, and see which weights moved.

python article_flax.py [--first] [--epochs N]
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

parser = argparse.ArgumentParser(description="Freeze a model inside a model, then look at the weights.")
parser.add_argument("--first", action="store_true", help="freeze A, the first part, in place of B")
parser.add_argument("--epochs", type=int, default=20)
options = parser.parse_args()


class Part(nnx.Module):
    """Two layers; the last of them gives ten probabilities."""

    def __init__(self, inputs, hidden, rngs):
        self.hidden = nnx.Linear(inputs, hidden, rngs=rngs)
        self.out = nnx.Linear(hidden, 10, rngs=rngs)

    def __call__(self, x):
        return nnx.softmax(self.out(nnx.relu(self.hidden(x))))


class Whole(nnx.Module):
    """B after A."""

    def __init__(self, rngs):
        self.A = Part(784, 32, rngs)
        self.B = Part(10, 100, rngs)

    def __call__(self, x):
        return self.B(self.A(x))


C = Whole(nnx.Rngs(2017))
trained = nnx.All(nnx.Param, nnx.PathContains("B" if options.first else "A"))  # flax has no flag: the rest is frozen
optimizer = nnx.Optimizer(C, optax.adam(1e-3), wrt=trained)
print("Total params:", f"{sum(leaf.size for leaf in jax.tree.leaves(nnx.state(C, nnx.Param))):,}")


@nnx.jit
def train_step(C, optimizer, images, labels):
    """One step of Adam on the cross-entropy."""

    def loss(C):
        return -(labels * jnp.log(C(images))).sum(-1).mean()

    optimizer.update(C, nnx.grad(loss, argnums=nnx.DiffState(0, trained))(C))


random = np.random.default_rng(2017)
images = random.random((256, 784), "float32")
labels = np.eye(10, dtype="float32")[random.integers(0, 10, 256)]

before_a = np.array(C.A.hidden.kernel[...])
before_b = np.array(C.B.hidden.kernel[...])

for _ in range(options.epochs):
    for start in range(0, 256, 32):
        train_step(C, optimizer, images[start : start + 32], labels[start : start + 32])

print("Is the first kernel of A the same as before?", np.all(before_a == C.A.hidden.kernel[...]))
print("Is the first kernel of B the same as before?", np.all(before_b == C.B.hidden.kernel[...]))
