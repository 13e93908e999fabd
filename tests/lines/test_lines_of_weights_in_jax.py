"""Where weights of linen, nnx and equinox were made: the line of the layer, or of ``init``, and of each once."""

from pathlib import Path

import pytest
from corpus.running import in_jax

from frostline.core.events import LineSeen
from frostline.judging import load

SCRIPT = """
import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from flax import linen, nnx

x = jax.random.normal(jax.random.key(0), (16, 4))


class Net(nnx.Module):
    def __init__(self, rngs):
        self.body = nnx.Linear(4, 8, rngs=rngs)  # net.body
        self.head = nnx.Linear(8, 1, rngs=rngs)  # net.head

    def __call__(self, x):
        return self.head(self.body(x))


class Pair(eqx.Module):
    inner: eqx.nn.MLP
    scale: jax.Array

    def __init__(self, key):
        self.inner = eqx.nn.MLP(4, 1, 8, 1, key=key)  # pair.inner
        self.scale = jnp.ones(3)

    def __call__(self, x):
        return self.inner(x) * self.scale.sum()


dense = linen.Dense(1)
params = dense.init(jax.random.key(1), x)["params"]  # params
compiled = jax.jit(linen.Dense(1).init)(jax.random.key(2), x)["params"]
net = Net(nnx.Rngs(0))
pair = Pair(jax.random.key(3))  # pair.scale
optimizer = nnx.Optimizer(net, optax.sgd(0.1), wrt=nnx.Param)


@jax.jit
def train(params, compiled):
    loss = lambda *both: sum(jnp.square(dense.apply({"params": each}, x)).mean() for each in both)
    gradients = jax.grad(loss, (0, 1))(params, compiled)
    return optax.apply_updates((params, compiled), jax.tree.map(lambda each: -0.1 * each, gradients))


@nnx.jit
def train_net(net, optimizer):
    optimizer.update(net, nnx.grad(lambda net: jnp.square(net(x)).mean())(net))


@eqx.filter_jit
def train_pair(pair):
    gradients = eqx.filter_grad(lambda pair: jnp.square(jax.vmap(pair)(x)).mean())(pair)
    return eqx.apply_updates(pair, jax.tree.map(lambda each: -0.1 * each, gradients))


for _ in range(3):
    params, compiled = train(params, compiled)
    train_net(net, optimizer)
    pair = train_pair(pair)
"""


@pytest.mark.needs("jax", "flax", "optax", "equinox")
def test_each_weight_has_the_line_that_made_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT, "utf-8")
    done = in_jax(["-m", "frostline", "run", "--quiet", "--data", "run.json", "train.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    record = load(tmp_path / "run.json")
    assert record.run.faults == []
    names = {row.id: row.name for row in record.tensors}
    lines = [line for line in record.events_of(LineSeen) if line.act == "made" and line.origin is not None]
    told = [(names[tensor], line.origin.line) for line in lines for tensor in line.tensors if line.origin]
    marks = {text.partition("  # ")[2]: number for number, text in enumerate(SCRIPT.splitlines(), 1) if "  # " in text}
    made = {
        name: next((marks[mark] for mark in marks if name.startswith(f"{mark}.") or name == mark), None)
        for name in names.values()
    }
    assert {name for name, line in made.items() if line is None} == {"compiled.bias", "compiled.kernel"}
    assert sorted(told) == sorted((name, line) for name, line in made.items() if line is not None)
    assert len(told) == 11
