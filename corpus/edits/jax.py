"""Edits of JAX scripts."""

from __future__ import annotations

import ast

from corpus.cases import Case
from corpus.edits.shared import Edit, after_imports, classes_renamed, guarded, in_function, renamed, set_options

OPTIMIZERS = ("adam", "adamw", "sgd")
GRADIENTS = ("grad", "value_and_grad")
KEYS = ("key", "PRNGKey", "Rngs")


def optimizer(tree: ast.Module, _case: Case) -> ast.Module:
    """The same optimizer with Nesterov's momentum, which has other state and another update."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="optax"), attr=kind)) if kind in OPTIMIZERS:
                if "nesterov" not in {keyword.arg for keyword in node.keywords}:
                    set_options(node, nesterov=True)
    return tree


def chained(tree: ast.Module, _case: Case) -> ast.Module:
    """A transformation goes before each optimizer, and clips nothing."""

    class Chain(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.expr:
            self.generic_visit(call)
            match call.func:
                case ast.Attribute(value=ast.Name(id="optax"), attr=kind) if kind in OPTIMIZERS:
                    chain = ast.parse("optax.chain(optax.clip(1e6))", mode="eval").body
                    assert isinstance(chain, ast.Call)
                    chain.args.append(call)
                    return chain
            return call

    Chain().visit(tree)
    return tree


def remade(tree: ast.Module, _case: Case) -> ast.Module:
    """The forward pass is computed again in the backward pass."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="jax"), attr=kind), args=[function, *_]):
                if kind in GRADIENTS:
                    checkpoint = ast.parse("jax.checkpoint(0)", mode="eval").body
                    assert isinstance(checkpoint, ast.Call)
                    checkpoint.args = [function]
                    node.args[0] = checkpoint
    return tree


def activation(tree: ast.Module, _case: Case) -> ast.Module:
    """Other activations."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="jnp"), attr="tanh"):
                node.attr = "sin"
            case ast.Attribute(value=ast.Name(id="jax" | "nnx" | "nn"), attr="relu"):
                node.attr = "gelu"
    return tree


def float64(tree: ast.Module, _case: Case) -> ast.Module:
    """Double precision throughout."""
    if "float16" not in ast.unparse(tree):  # also bfloat16
        tree.body.insert(after_imports(tree), ast.parse("jax.config.update('jax_enable_x64', True)").body[0])
    return tree


def seeded(tree: ast.Module, _case: Case) -> ast.Module:
    """Other random numbers: whatever begins with a number gets another one."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value=int()) as seed]) if name in KEYS:
                seed.value = int(str(seed.value)) + 1
    return tree


EDITS: dict[str, Edit] = {
    "optimizer": optimizer,
    "chained": chained,
    "remade": remade,
    "activation": activation,
    "float64": float64,
    "renamed": renamed,
    "classes_renamed": classes_renamed,
    "in_function": in_function,
    "guarded": guarded,
    "seeded": seeded,
}

# Under these a script prints what it printed before, to the last digit.
EXACT = ("renamed", "classes_renamed", "in_function", "guarded")
