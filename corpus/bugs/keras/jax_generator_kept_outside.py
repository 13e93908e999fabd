"""An adversarial pair trained by one jax function, and pictures of what the generator makes."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(148)
rng = np.random.default_rng(148)
generator = keras.Sequential(
    [keras.Input((4,)), layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dense(6)], name="generator"
)
critic = keras.Sequential([keras.Input((6,)), layers.Dense(16), layers.LeakyReLU(), layers.Dense(1)], name="critic")
generator_optimizer, critic_optimizer = keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)
generator_optimizer.build(generator.trainable_variables)
critic_optimizer.build(critic.trainable_variables)


def hinge(scores, sign):
    return jnp.maximum(1.0 - sign * scores, 0.0).mean()


def critic_loss(weights, fixed, made_by, statistics, real, noise):
    fake, statistics = generator.stateless_call(made_by, statistics, noise, training=True)
    real_scores, fixed = critic.stateless_call(weights, fixed, real, training=True)
    fake_scores, fixed = critic.stateless_call(weights, fixed, fake, training=True)
    return hinge(real_scores, 1.0) + hinge(fake_scores, -1.0), statistics


def generator_loss(weights, statistics, judged_by, fixed, noise):
    fake, statistics = generator.stateless_call(weights, statistics, noise, training=True)
    scores, _ = critic.stateless_call(judged_by, fixed, fake, training=True)
    return -scores.mean(), statistics


@jax.jit
def train_step(state, real, noise):
    c, c_fixed, c_slots, g, g_fixed, g_slots = state
    (_, g_fixed), slopes = jax.value_and_grad(critic_loss, has_aux=True)(c, c_fixed, g, g_fixed, real, noise)
    c, c_slots = critic_optimizer.stateless_apply(c_slots, slopes, c)
    (loss, g_fixed), slopes = jax.value_and_grad(generator_loss, has_aux=True)(g, g_fixed, c, c_fixed, noise)
    g, g_slots = generator_optimizer.stateless_apply(g_slots, slopes, g)
    return loss, (c, c_fixed, c_slots, g, g_fixed, g_slots)


groups = (
    critic.trainable_variables,
    critic.non_trainable_variables,
    critic_optimizer.variables,
    generator.trainable_variables,
    generator.non_trainable_variables,
    generator_optimizer.variables,
)
state = tuple([variable.value for variable in group] for group in groups)
for _ in range(24):
    real, noise = rng.normal(size=(12, 6)).astype("float32"), rng.normal(size=(12, 4)).astype("float32")
    loss, state = train_step(state, real, noise)
for group, arrays in zip(groups[:3], state[:3], strict=True):
    for variable, array in zip(group, arrays, strict=True):
        variable.assign(array)
print("loss", float(loss), "made", generator(noise).shape)
