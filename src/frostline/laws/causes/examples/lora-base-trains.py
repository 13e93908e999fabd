# frostline run lora-base-trains.py
import jax
import optax
from flax import nnx

model = nnx.LoRALinear(4, 4, lora_rank=2, rngs=nnx.Rngs(0))
# a LoRAParam is a Param: this takes the base as well
optimizer = nnx.Optimizer(model, optax.adam(0.01), wrt=nnx.Param)


@nnx.jit
def step(model, optimizer, x):
    def loss(model):
        return ((model(x) - 1) ** 2).mean()

    optimizer.update(model, nnx.grad(loss)(model))


for i in range(4):
    step(model, optimizer, jax.random.normal(jax.random.key(i), (16, 4)))
