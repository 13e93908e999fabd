"""A model as a tree of layers: where each variable hangs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from frostline.core.ledger import Kind, Role
from frostline.frameworks.alive import alive
from frostline.frameworks.keras_common.keras_api import Dialect
from frostline.observe.variable_names import unique

_CODEBOOK_WORDS = ("codebook", "quantis", "quantiz", "vq")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable hangs: its dotted path below the model, and the layers from the model down to its owner."""

    path: str
    variable: Any
    chain: tuple[Any, ...]
    kind: Kind

    @property
    def owner(self) -> Any:
        return self.chain[-1]

    @property
    def owner_path(self) -> str:
        return self.path.rpartition(".")[0]


def places(model: Any, dialect: Dialect) -> list[Place]:
    """Every weight of the model under every layer that holds it, layers once each, in the order of the summary."""
    found: list[Place] = []
    taken: set[str] = set()
    for path, chain in layers_below(model, dialect):
        trained, others = dialect.own(chain[-1])
        named = [(dialect.tensor_name(variable), variable, "parameter") for variable in trained]
        named += [(dialect.tensor_name(variable), variable, "buffer") for variable in others]
        named += [(name, tensor, "buffer") for name, tensor in dialect.extras(chain[-1])]
        for name, variable, kind in named:
            full = _taken(f"{path}.{name}" if path else name, taken)
            found.append(Place(full, variable, chain, kind))  # type: ignore[arg-type]
    return found


def layers_below(model: Any, dialect: Dialect) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The model and every layer in it as (dotted path, layers down to it); a shared layer under its first path."""
    seen: set[int] = set()

    def descend(layer: Any, path: str, chain: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
        if id(layer) in seen:
            return
        seen.add(id(layer))
        yield path, (*chain, layer)
        names: set[str] = set()
        for child in dialect.children(layer):
            name = _taken(child.name, names)
            yield from descend(child, f"{path}.{name}" if path else name, (*chain, layer))

    return descend(model, "", ())


def _taken(name: str, names: set[str]) -> str:
    """A name that is free in ``names``, and no longer is."""
    free = unique(name, names)
    names.add(free)
    return free


def alive_layers(dialect: Dialect) -> list[Any]:
    """Every layer in the process, except the functional model that each Sequential keeps for itself."""
    layers = alive(dialect.layer_type)
    inner = {id(getattr(layer, "_functional", None)) for layer in layers if isinstance(layer, dialect.model_type)}
    return [layer for layer in layers if id(layer) not in inner]


def outermost_with(variables: Iterable[Any], dialect: Dialect) -> list[Any]:
    """The outermost live layers that contain any of these variables."""
    wanted = {id(variable) for variable in variables}
    layers = alive_layers(dialect)
    parents: dict[int, list[Any]] = {}
    for layer in layers:
        for child in dialect.children(layer):
            parents.setdefault(id(child), []).append(layer)
    starts = [layer for layer in layers if wanted & {id(each) for group in dialect.own(layer) for each in group}]
    roots: dict[int, Any] = {}
    for start in starts:
        stack, seen = [start], set()
        while stack:
            layer = stack.pop()
            if id(layer) not in seen:
                seen.add(id(layer))
                above = parents.get(id(layer), [])
                stack.extend(above)
                if not above:
                    roots[id(layer)] = layer
    return list(roots.values())


def role_of(chain: tuple[Any, ...]) -> Role:
    """What kind of state a layer keeps besides its weights, judged by its type and by what is wrapped around it."""
    if any(type(layer).__name__ == "SpectralNormalization" for layer in chain):
        return "spectral"
    name = type(chain[-1]).__name__.lower()
    if "normalization" in name or hasattr(chain[-1], "moving_mean") or name == "torchmodulewrapper":
        return "normalisation"
    if name == "embedding":
        return "embedding"
    return "codebook" if any(word in name for word in _CODEBOOK_WORDS) else "other"
