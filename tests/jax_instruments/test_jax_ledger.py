"""The ledger of each style of JAX: names as the script has them, what is declared, who updates it, what changed."""

from pathlib import Path

import pytest
from jax_running import NEEDS, observed, observed_code

pytestmark = NEEDS
TRAINED = {"body.kernel", "body.bias", "head.kernel"}


@pytest.mark.parametrize(
    ("style", "root", "optimizer"),
    [
        ("jit", "params", "update"),
        ("donated", "params", "update"),
        ("scan", "params", "train"),
        ("ahead", "params", "update"),
        ("eager", "params", "adam"),
        ("by_hand", "params", "updates by hand"),
    ],
)
def test_plain_trees(style: str, root: str, optimizer: str, tmp_path: Path) -> None:
    seen = observed("styles.py", tmp_path, style)
    assert seen.columns == {f"{root}.{name}": (True, [optimizer], "yes") for name in TRAINED}
    steps = {"scan": 1, "by_hand": 11}.get(style, 12)  # the last update by hand is in no gradient's arguments
    assert seen.optimizer(optimizer).steps_executed == steps
    assert seen.rules == {}


def test_a_train_state_of_linen(tmp_path: Path) -> None:
    columns = observed("styles.py", tmp_path, "linen").columns
    norm = "BatchNorm_0"
    weights = ("Dense_0.kernel", "Dense_0.bias", f"{norm}.scale", f"{norm}.bias", "Dense_1.kernel", "Dense_1.bias")
    statistics = {f"state.batch_stats.{norm}.{name}": (None, [], "yes") for name in ("mean", "var")}
    assert columns == {f"state.params.{name}": (True, ["train_step"], "yes") for name in weights} | statistics


@pytest.mark.parametrize(("style", "optimizer"), [("nnx_jit", "nnx_step"), ("nnx_eager", "optimizer")])
def test_modules_of_nnx(style: str, optimizer: str, tmp_path: Path) -> None:
    columns = observed("styles.py", tmp_path, style).columns
    weights = ("body.kernel", "body.bias", "norm.scale", "norm.bias", "head.kernel", "head.bias")
    statistics = {f"model.norm.{name}": (None, [], "yes") for name in ("mean", "var")}
    assert columns == {f"model.{name}": (True, [optimizer], "yes") for name in weights} | statistics


def test_modules_of_equinox(tmp_path: Path) -> None:
    columns = observed("styles.py", tmp_path, "equinox").columns
    names = [f"model.layers.{index}.{name}" for index in (0, 1) for name in ("weight", "bias")]
    assert columns == {name: (True, ["step"], "yes") for name in names}


START = """
import equinox as eqx, jax, jax.numpy as jnp, optax
from flax import nnx
x = jax.random.normal(jax.random.key(0), (8, 16, 4))
params = {"body": jnp.full((4, 4), 0.5), "head": jnp.full((4, 1), 0.5)}
def loss(params, x): return jnp.square(jnp.tanh(x @ params["body"]) @ params["head"] - 1).mean()
def train(optimizer, params=params):
    state = optimizer.init(params)
    @jax.jit
    def step(params, state, x):
        gradients = jax.grad(loss)(params, x)
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state
    for each in x:
        params, state = step(params, state, each)
"""
FREEZING = {
    "labels": "optax.multi_transform({'a': optax.adam(0.1), 'b': optax.set_to_zero()}, {'body': 'b', 'head': 'a'})",
    "masked": "optax.chain(optax.adam(0.1), optax.masked(optax.set_to_zero(), {'body': True, 'head': False}))",
    "accumulated": "optax.MultiSteps(optax.multi_transform({'a': optax.adam(0.1), 'b': optax.set_to_zero()},"
    " {'body': 'b', 'head': 'a'}), 2)",
}


@pytest.mark.parametrize("way", FREEZING)
def test_what_optax_freezes_is_declared_frozen(way: str, tmp_path: Path) -> None:
    seen = observed_code(f"{START}\ntrain({FREEZING[way]})", tmp_path)
    assert seen.columns == {"params.body": (False, ["step"], "no"), "params.head": (True, ["step"], "yes")}
    assert seen.rules == {}


def test_a_filter_of_equinox_declares(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
model = eqx.nn.MLP(4, 1, 8, 1, key=jax.random.key(1))
chosen = jax.tree.map(lambda _: False, model)
chosen = eqx.tree_at(lambda tree: tree.layers[1].weight, chosen, True)
trained, fixed = eqx.partition(model, chosen)
optimizer = optax.adam(0.1)
state = optimizer.init(trained)
@eqx.filter_jit
def step(trained, fixed, state, x):
    loss = lambda trained: jnp.square(jax.vmap(eqx.combine(trained, fixed))(x) - 1).mean()
    updates, state = optimizer.update(eqx.filter_grad(loss)(trained), state, trained)
    return eqx.apply_updates(trained, updates), state
for each in x:
    trained, state = step(trained, fixed, state, each)
""",
        tmp_path,
    )
    fixed = ("layers.0.weight", "layers.0.bias", "layers.1.bias")
    expected = {f"fixed.{name}": (False, [], "no") for name in fixed}
    assert seen.columns == expected | {"trained.layers.1.weight": (True, ["step"], "yes")}
    assert seen.rules == {}


def test_wrt_of_nnx_declares(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
model = nnx.LoRALinear(4, 4, lora_rank=2, use_bias=False, rngs=nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.adam(0.1), wrt=nnx.LoRAParam)
@nnx.jit
def step(model, optimizer, x):
    loss = lambda model: jnp.square(model(x) - 1).mean()
    optimizer.update(model, nnx.grad(loss, argnums=nnx.DiffState(0, nnx.LoRAParam))(model))
for each in x:
    step(model, optimizer, each)
""",
        tmp_path,
    )
    adapter = {f"model.lora.lora_{name}": (True, ["step"], "yes") for name in "ab"}
    assert seen.columns == adapter | {"model.kernel": (False, [], "no")}
    assert seen.rules == {}


def test_targets_and_averages_are_told_apart(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
target, ema = (jax.tree.map(jnp.array, params) for _ in range(2))
optimizer = optax.adam(0.1)
state = optimizer.init(params)
@jax.jit
def step(params, target, ema, state, x):
    drift = lambda params: jnp.square(params["body"] - target["body"]).mean()
    gradients = jax.grad(lambda params: loss(params, x) + 0.1 * drift(params))(params)
    updates, state = optimizer.update(gradients, state, params)
    params = optax.apply_updates(params, updates)
    return params, optax.incremental_update(params, ema, 0.1), state
for index, each in enumerate(x):
    params, ema, state = step(params, target, ema, state, each)
    if index % 4 == 3:
        target = params
""",
        tmp_path,
    )
    verdicts = {name: verdict for name, (_, _, verdict) in seen.columns.items()}
    assert verdicts == {f"{root}.{name}": "yes" for root in ("params", "target", "ema") for name in ("body", "head")}
    assert all(seen.row(f"{root}.body").declared.trainable is None for root in ("target", "ema"))
    assert seen.rules == {}


def test_a_copy_that_is_only_carried_along_is_told_from_one_that_the_loss_reads(tmp_path: Path) -> None:
    """By what the trace shows, whatever they are called."""
    seen = observed_code(
        f"""{START}
kept, anchor = (jax.tree.map(jnp.array, params) for _ in range(2))
optimizer = optax.adam(0.1)
state = optimizer.init(params)
@jax.jit
def step(params, kept, anchor, state, x):
    drift = lambda params: jnp.square(params["body"] - anchor["body"]).mean() + anchor["head"].mean()
    gradients = jax.grad(lambda params: loss(params, x) + drift(params) * params["head"].mean())(params)
    updates, state = optimizer.update(gradients, state, params)
    return optax.apply_updates(params, updates), kept, anchor, state
for each in x:
    params, kept, anchor, state = step(params, kept, anchor, state, each)
""",
        tmp_path,
    )
    assert {name: verdict for name, (_, _, verdict) in seen.columns.items() if verdict == "no"} == {
        f"{root}.{name}": "no" for root in ("kept", "anchor") for name in ("body", "head")
    }
    found = [(finding.rule, sorted(finding.tensors)) for finding in seen.record.findings]
    assert found == [("copy-never-follows", ["kept.body", "kept.head"])]


def test_bare_arrays_of_an_nnx_module_are_parameters_where_updates_are_applied(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
class Scale(nnx.Module):
    def __init__(self):
        self.w, self.count = jnp.full((4, 1), 0.5), jnp.zeros(())
    def __call__(self, x):
        self.count += 1
        return x @ self.w
is_weight = lambda path, value: path[-1] == "w"
model = Scale()
optimizer = nnx.Optimizer(model, optax.adam(0.1), wrt=is_weight)
@nnx.jit
def step(model, optimizer, x):
    loss = lambda model: jnp.square(model(x) - 1).mean()
    optimizer.update(model, nnx.grad(loss, argnums=nnx.DiffState(0, is_weight))(model))
for each in x:
    step(model, optimizer, each)
""",
        tmp_path,
    )
    assert seen.columns == {"model.w": (True, ["step"], "yes"), "model.count": (None, [], "yes")}
    assert [seen.row(f"model.{name}").kind for name in ("w", "count")] == ["parameter", "buffer"]


def test_a_second_optimizer_may_train_what_the_first_one_froze(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
def loop(optimizer, params):
    state = optimizer.init(params)
    for each in x:
        updates, state = optimizer.update(jax.grad(loss)(params, each), state, params)
        params = optax.apply_updates(params, updates)
    return params
freeze = lambda mask: optax.chain(optax.adam(0.1), optax.masked(optax.set_to_zero(), mask))
params = loop(freeze({{"body": True, "head": False}}), params)
params = loop(freeze({{"body": False, "head": True}}), params)
""",
        tmp_path,
    )
    assert {name: verdict for name, (_, _, verdict) in seen.columns.items()} == {
        "params.body": "yes",
        "params.head": "yes",
    }
    assert [seen.optimizer(name).steps_executed for name in ("adam", "adam#2")] == [8, 8]
    assert set(seen.rules.values()) <= {"note"}


def test_of_an_actor_and_a_critic_each_is_trained_and_no_state_of_an_optimizer_is_a_weight(tmp_path: Path) -> None:
    """The critic's step is handed the actor's whole state, whose step comes later, and the other way round."""
    seen = observed_code(
        f"""{START}
from flax.training.train_state import TrainState
make = lambda kernel: TrainState.create(apply_fn=None, params={{"kernel": kernel}}, tx=optax.adam(0.1))
actor, critic = make(jnp.full((4, 2), 0.5)), make(jnp.full((2, 1), 0.5))
score = lambda critic, actor, x: jnp.square(jnp.tanh(x @ actor["kernel"]) @ critic["kernel"] - 1).mean()
@jax.jit
def update_critic(actor, critic, x):
    return critic.apply_gradients(grads=jax.grad(score)(critic.params, actor.params, x))
@jax.jit
def update_actor(actor, critic, x):
    return actor.apply_gradients(grads=jax.grad(score, 1)(critic.params, actor.params, x))
for each in x:
    critic = update_critic(actor, critic, each)
    actor = update_actor(actor, critic, each)
""",
        tmp_path,
    )
    assert seen.columns == {
        "actor.params.kernel": (True, ["update_actor"], "yes"),
        "critic.params.kernel": (True, ["update_critic"], "yes"),
    }
    assert [row.declared.flip_count for row in seen.record.tensors] == [0, 0]
    assert seen.rules == {}


def test_weights_that_one_call_makes_and_trains_are_unknown_with_the_reason(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
@jax.jit
def whole(key):
    params = {{"body": jax.random.normal(key, (4, 4)), "head": jnp.ones((4, 1))}}
    optimizer = optax.adam(0.1)
    state = optimizer.init(params)
    for each in x:
        updates, state = optimizer.update(jax.grad(loss)(params, each), state, params)
        params = optax.apply_updates(params, updates)
    return params
for key in jax.random.split(jax.random.key(0), 3):
    whole(key)
""",
        tmp_path,
    )
    assert seen.columns == {f"whole.{name}": (True, ["whole"], "unknown") for name in ("body", "head")}
    assert {row.changed.reason for row in seen.record.tensors} == {
        "it is made and trained within one call of a compiled function, outside which it has no value"
    }
    assert seen.optimizer("whole").steps_executed == 3
    assert seen.rules == {}


def test_that_a_gradient_may_have_been_zero_is_said_where_the_step_hides_it(tmp_path: Path) -> None:
    seen = observed_code(
        f"""{START}
def loss(params, x):
    dead = jax.nn.relu(-(x * x) @ params["body"]["w"])
    return jnp.square(dead @ params["head"]["w"] - params["head"]["w"].sum()).mean()
train(optax.sgd(0.1), {{name: {{"w": value}} for name, value in params.items()}})
""",
        tmp_path,
    )
    assert [seen.row(f"params.{name}.w").changed.verdict for name in ("body", "head")] == ["no", "yes"]
    (finding,) = seen.record.findings
    assert (finding.rule, finding.severity) == ("trainable-but-unchanged", "warning")
    assert finding.evidence["excuse"] == "hidden: no gradient of it was seen, and it may have been zero"
    assert finding.hint == "a compiled step hides its gradients: return them from it to see whether they are zero"
