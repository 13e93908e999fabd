"""Trains a generator and a critic in turn."""

import jax
import jax.numpy as jnp
import optax

features = jax.random.normal(jax.random.key(7), (24, 32, 6))
targets = jnp.sin(features).sum(-1, keepdims=True)


def init(key):
    first, second = jax.random.split(key)
    return {
        "encoder": {"kernel": jax.random.normal(first, (6, 16)) / 3, "bias": jnp.full(16, 0.1)},
        "head": {"kernel": jax.random.normal(second, (16, 1)) / 4, "bias": jnp.full(1, 0.1)},
    }


def predict(params, x):
    hidden = jnp.tanh(x @ params["encoder"]["kernel"] + params["encoder"]["bias"])
    return hidden @ params["head"]["kernel"] + params["head"]["bias"]


def loss(params, x, y):
    return jnp.square(predict(params, x) - y).mean()


optimizer = optax.adam(1e-3)


def critic_loss(critic, generator, x):
    fake = jnp.concatenate([predict(generator, x)] * 6, -1)
    return predict(critic, x).mean() - predict(critic, fake).mean()


@jax.jit
def critic_step(critic, generator, state, x):
    gradients = jax.grad(critic_loss)(critic, generator, x)
    updates, state = optimizer.update(gradients, state, critic)
    return optax.apply_updates(critic, updates), state


@jax.jit
def generator_step(generator, critic, state, x):
    gradients = jax.grad(lambda generator: -critic_loss(critic, generator, x))(generator)
    updates, state = optimizer.update(gradients, state, generator)
    return optax.apply_updates(generator, updates), state


generator, critic = init(jax.random.key(0)), init(jax.random.key(1))
generator_state, critic_state = optimizer.init(generator), optimizer.init(critic)
for x in features:
    critic, critic_state = critic_step(critic, generator, critic_state, x)
    generator, generator_state = generator_step(generator, critic, generator_state, x)
print(float(critic_loss(critic, generator, features[0])))
