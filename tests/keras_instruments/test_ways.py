"""Which layers of a graph stand before another with no way around it."""

from types import SimpleNamespace

import pytest

from frostline.frameworks.keras_common.models.layer_topology import before


class Graph:
    """Layers joined as Keras joins them: a call is a node of the layer called, and of those that it was called on."""

    def __init__(self, joins: str, outputs: str) -> None:
        self.layers: dict[str, SimpleNamespace] = {}
        for join in joins.split():
            for source, user in [join.split(">")]:
                node = SimpleNamespace(operation=self[user], parent_nodes=[SimpleNamespace(operation=self[source])])
                self[user]._inbound_nodes.append(node)
                self[source]._outbound_nodes.append(node)
        tensors = [SimpleNamespace(_keras_history=SimpleNamespace(operation=self[name])) for name in outputs]
        self.model = SimpleNamespace(outputs=tensors)

    def __getitem__(self, name: str) -> SimpleNamespace:
        return self.layers.setdefault(name, SimpleNamespace(name=name, _inbound_nodes=[], _outbound_nodes=[]))


@pytest.mark.parametrize(
    ("joins", "outputs", "ahead"),
    [
        pytest.param("a>b b>x x>z", "z", "ab", id="a row"),
        pytest.param("a>b a>c b>c c>x x>z", "z", "abc", id="a shortcut in front of it"),
        pytest.param("a>b b>x x>c b>c c>z", "z", "", id="a shortcut around it"),
        pytest.param("a>b b>x x>z a>y y>w", "zw", "b", id="another branch that leaves in front"),
        pytest.param("a>b b>x x>z", "zb", "", id="what stands in front is an output too"),
        pytest.param("a>x x>z b>z", "z", "a", id="a branch beside it"),
        pytest.param("a>x x>z z>x", "z", "a", id="a shared layer that is called twice"),
    ],
)
def test_what_has_no_way_around(joins: str, outputs: str, ahead: str) -> None:
    graph = Graph(joins, outputs)
    found = before((graph.model, graph["x"]), [graph.model])
    assert {name for name, layer in graph.layers.items() if id(layer) in found} - {"z"} == set(ahead)
