"""What is read from a jaxpr: which value has whose bits, what comes from what, and what must be zero."""

import pytest

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

from frostline.frameworks.jax.traces import graph  # noqa: E402
from frostline.frameworks.jax.traces.graph import Graph  # noqa: E402
from frostline.frameworks.jax.traces.zeros import Zeros  # noqa: E402

ONE = jnp.float32(1)
THREE = jnp.arange(3.0)


def graph_of(function, *args):
    return Graph(jax.jit(function).trace(*args).jaxpr)


def same(graph, output=0):
    """Which input the output has the bits of, or None."""
    root = graph.root(graph.outputs[output])
    return graph.inputs.index(root) if root in graph.inputs else None


def sources(graph, output=0):
    """The inputs that the output is computed from."""
    ancestors = graph.ancestors([graph.outputs[output]])
    return [index for index, node in enumerate(graph.inputs) if node in ancestors]


def test_bits_are_followed_through_calls_and_reshapes():
    inner = jax.jit(lambda a, b: (b, a.reshape(-1)))
    graph = graph_of(lambda a, b: inner(a, b), THREE, ONE)
    assert (same(graph, 0), same(graph, 1)) == (1, 0)


def test_two_calls_of_one_function_are_told_apart():
    inner = jax.jit(lambda a: (a, a * 0))
    graph = graph_of(lambda a, b: (inner(a), inner(b)), ONE, ONE + 1)
    assert (same(graph, 0), same(graph, 2)) == (0, 1)


def test_a_carry_that_stays_keeps_its_bits_and_one_that_moves_does_not():
    def loop(kept, moved, xs):
        def body(carry, x):
            kept, moved = carry
            return (kept, moved + x), moved

        return jax.lax.scan(body, (kept, moved), xs)

    graph = graph_of(loop, ONE, ONE, THREE)
    assert (same(graph, 0), same(graph, 1)) == (0, None)
    assert sources(graph, 1) == [1, 2]
    assert graph.origin(graph.root(graph.nodes and graph.outputs[0])) == graph.inputs[0]


def test_a_while_loop_is_a_loop_too():
    graph = graph_of(lambda a, b: jax.lax.fori_loop(0, 3, lambda i, c: (c[0], c[1] * 2 + c[0]), (a, b)), ONE, ONE)
    assert (same(graph, 0), same(graph, 1)) == (0, None)
    assert sources(graph, 1) == [0, 1]


def test_branches_keep_the_bits_only_where_all_agree():
    def branches(flag, a, b):
        return jax.lax.cond(flag, lambda: (a, a), lambda: (a, b))

    graph = graph_of(branches, True, ONE, ONE)
    assert (same(graph, 0), same(graph, 1)) == (1, None)
    assert sources(graph, 1) == [0, 1, 2]


@pytest.mark.parametrize(
    ("function", "zero"),
    [
        (lambda a: a * 0, True),
        (lambda a: jnp.zeros(3) @ a, True),
        (lambda a: jnp.where(a > 1, 0.0, 0.0) + 0 * a, True),
        (lambda a: jax.grad(lambda a: jax.lax.stop_gradient(a).sum())(a), True),
        (lambda a: a - a, False),  # not zero where it is not finite
        (lambda a: a * 0 + 1, False),
        (lambda a: jax.grad(lambda a: (a * a).sum())(a), False),
        (lambda a: jnp.where(a > 1, 0.0, a), False),
    ],
)
def test_zeros_are_proven(function, zero):
    graph = graph_of(function, THREE)
    assert Zeros(graph).has(graph.outputs[0]) is zero


def test_dependence_is_that_of_the_ancestors():
    graph = graph_of(
        lambda a, b, c: (a + b, c * jnp.sin(b), jax.lax.fori_loop(0, 2, lambda i, v: v * a, c)), *[ONE] * 3
    )
    masks = graph.dependence(graph.inputs)
    for index, output in enumerate(graph.outputs):
        assert [bit for bit in range(3) if masks[output] >> bit & 1] == sources(graph, index)


def test_of_a_function_that_is_too_large_nothing_is_read(monkeypatch):
    monkeypatch.setattr(graph, "LARGEST", 2)
    graph_of(lambda a: a + 1, ONE)
    with pytest.raises(graph.Unclear, match="more than 2 equations"):
        graph_of(lambda a: jnp.sin(jnp.sin(jnp.sin(a))), ONE)
