"""Finding torch models without being told: the roots that hold a module or a parameter, and what they contain."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import nn

from frostline.core.ledger import Kind, Role
from frostline.core.names.name_matching import without_wrappers
from frostline.frameworks.alive import alive
from frostline.frameworks.torch.tensors.shards import Member, Shard, is_flat, members_of, shard_of
from frostline.frameworks.torch.tensors.tensors import PLAIN_TYPES
from frostline.observe.variable_names import variable_names

# Wrappers that a user does not think of as the model, and the attribute that holds it.
WRAPPERS = {
    "DataParallel": "module",
    "DeepSpeedEngine": "module",
    "DistributedDataParallel": "module",
    "OptimizedModule": "_orig_mod",
}
_CODEBOOK_WORDS = ("codebook", "vectorquant", "quantizeema", "vq")

Tree: TypeAlias = list[tuple[str, nn.Module]]


def unwrap(module: Any) -> Any:
    """The model behind wrappers such as DataParallel and a compiled module."""
    while isinstance(module, nn.Module) and type(module).__name__ in WRAPPERS:
        inner = getattr(module, WRAPPERS[type(module).__name__], None)
        if not isinstance(inner, nn.Module):
            break
        module = inner
    return module


def foreign(module: Any) -> bool:
    """Whether another probe or the compiler owns the module: a Keras layer, a traced graph."""
    kind = type(module)
    return any(
        base.__module__.startswith(("keras.", "tf_keras.")) for base in kind.__mro__
    ) or kind.__module__.startswith(("torch._dynamo", "torch._functorch", "torch._inductor", "torch.fx"))


def swapped(module: nn.Module) -> bool:
    """Whether the module runs with other tensors in place of its parameters for the time of one call."""
    return any(not isinstance(parameter, nn.Parameter) for parameter in module.parameters())


def modules_alive() -> list[nn.Module]:
    """Every module object in the process."""
    return alive(nn.Module)


def roots_of(starts: Iterable[nn.Module]) -> list[nn.Module]:
    """The outermost user modules that contain the given ones, wrappers seen through, in a stable order."""
    starts = list(starts)
    parents: dict[int, list[nn.Module]] = {}
    for module in modules_alive() if any(map(_may_be_inside, starts)) else ():
        if foreign(module):
            continue
        for child in module.__dict__.get("_modules", {}).values():
            if child is not None:
                parents.setdefault(id(child), []).append(module)
    roots: dict[int, nn.Module] = {}
    for start in starts:
        stack, seen = [start], set()
        while stack:
            module = stack.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            above = parents.get(id(module), [])
            stack.extend(above)
            if not above:
                root = unwrap(module)
                roots[id(root)] = root
    return [root for root in roots.values() if not foreign(root) and has_tensors(root)]


def _may_be_inside(module: nn.Module) -> bool:
    """Whether another module may hold this one: a search for what refers to it takes half the time of one for all.

    A module keeps its children in a dictionary in which there is nothing else.
    """
    return any(
        isinstance(holder, dict)
        and all(isinstance(name, str) for name in holder)
        and all(value is None or isinstance(value, nn.Module) for value in holder.values())
        for holder in gc.get_referrers(module)
    )


def has_tensors(module: nn.Module) -> bool:
    """Whether the module or anything in it holds a parameter or buffer."""
    return has_parameters(module) or any(True for _ in module.buffers())


def has_parameters(module: nn.Module) -> bool:
    """Whether the module or anything in it holds a parameter; a class may return a list of them, and no iterator."""
    own = any(parameter is not None for parameter in module._parameters.values())
    return own or any(True for _ in module.parameters())


def modules_holding(tensors: Iterable[torch.Tensor]) -> list[nn.Module]:
    """The modules that directly hold any of these tensors as a parameter."""
    wanted = {id(tensor) for tensor in tensors}
    return [
        module
        for module in modules_alive()
        if any(id(parameter) in wanted for parameter in module.__dict__.get("_parameters", {}).values())
    ]


def tree_of(root: nn.Module) -> Tree:
    """Every module below ``root``, each before those inside of it, under every name of one that has several.

    It is what ``named_modules(remove_duplicate=False)`` yields, in a third of its time; a module that stands inside of
    itself is entered once.

    >>> [path for path, _ in tree_of(nn.Sequential(nn.Linear(1, 1), nn.Sequential(nn.ReLU())))]
    ['', '0', '1', '1.0']
    """
    found: Tree = []
    _enter("", root, found, set())
    return found


def _enter(path: str, module: nn.Module, found: Tree, around: set[int]) -> None:
    found.append((path, module))
    children = module._modules
    if not children:
        return
    around.add(id(module))
    prefix = f"{path}." if path else ""
    for name, child in children.items():
        if child is not None and id(child) not in around:
            _enter(prefix + name, child, found, around)
    around.discard(id(module))


def names_of(roots: list[nn.Module]) -> dict[int, str]:
    """For each root, by id, the variable that holds it in the script; no entry where none does."""
    return variable_names({id(root) for root in roots}, unwrap, skip=("torch",))


class Registered(NamedTuple):
    """A tensor that a module holds under ``name``; ``shard`` says which part of it is held in this process."""

    name: str
    tensor: torch.Tensor
    module: nn.Module
    path: str
    kind: Kind
    shard: Shard | None


def tensors_of(root: nn.Module, tree: Tree | None = None) -> Iterator[Registered]:
    """Every registered tensor, every name of a shared one; names are those of the user's modules, without wrappers.

    A buffer that asks for gradients can be trained, and is told as a parameter. A flat parameter that sharded training
    made of many stands for those many.

    Args:
        root: the outermost module.
        tree: the modules below it, where the caller has them already.
    """
    flats: dict[int, list[Member]] = {}
    shards: dict[int, Shard] = {}
    for flat, members in members_of(root):
        flats[id(flat)] = members
        shards.update((id(member.own), member.shard) for member in members if member.own is not None)
    tree = tree_of(root) if tree is None else tree
    paths = {id(module): without_wrappers(path) for path, module in reversed(tree)} if flats else {}
    for wrapped, module in tree:
        path = without_wrappers(wrapped)
        prefix = f"{path}." if path else ""
        for name, tensor, kind in _own(module):
            if id(tensor) in flats:
                yield from _inside(tensor, flats[id(tensor)], paths)
                continue
            # A plain tensor is whole, unless DeepSpeed has put its part beside it.
            whole = type(tensor) in PLAIN_TYPES and not hasattr(tensor, "ds_tensor")
            shard = shards.get(id(tensor)) or (None if whole else shard_of(tensor))
            yield Registered(prefix + name, tensor, module, path, kind, shard)


def _own(module: nn.Module) -> Iterator[tuple[str, torch.Tensor, Kind]]:
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield name, parameter, "parameter"
    for name, buffer in module._buffers.items():
        if isinstance(buffer, torch.Tensor):
            yield name, buffer, "parameter" if _is_weight(buffer) else "buffer"


def _inside(flat: torch.Tensor, members: Iterable[Member], paths: Mapping[int, str]) -> Iterator[Registered]:
    for member in members:
        path = paths.get(id(member.module), "")
        name = f"{path}.{member.name}" if path else member.name
        yield Registered(name, flat, member.module, path, "parameter", member.shard)


def hidden_tensors(root: nn.Module) -> Iterator[tuple[str, torch.Tensor, nn.Module, str]]:
    """Modules and trainable tensors in plain lists, tuples, dicts and attributes: registration does not see them."""
    modules: dict[int, tuple[str, nn.Module]] = {}  # by the first name of each
    for path, module in tree_of(root):
        modules.setdefault(id(module), (path, module))
    for path, module in modules.values():
        for attribute, value in list(module.__dict__.items()):
            kind = type(value)
            if kind in _SCALARS or attribute in _REGISTRIES or (kind in _MAPPINGS and not value):
                continue
            for name, item in _members(attribute, value):
                where = f"{path}.{name}" if path else name
                if isinstance(item, nn.Module) and id(item) not in modules and not foreign(item):
                    for inner, parameter in item.named_parameters():
                        yield f"{where}.{inner}", parameter, item, where
                elif isinstance(item, torch.Tensor) and not is_flat(item) and _is_weight(item):
                    yield where, item, module, path


def _is_weight(tensor: torch.Tensor) -> bool:
    try:
        return tensor.requires_grad and tensor.is_leaf
    except RuntimeError:  # a view whose base was written to cannot tell any more
        return False


_REGISTRIES = ("_parameters", "_buffers", "_modules")
_SCALARS = {bool, int, float, str, type(None), set}
_MAPPINGS = {dict, OrderedDict}


def _members(name: str, value: Any, depth: int = 2) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (list, tuple)) and depth:
        for index, item in enumerate(value):
            yield from _members(f"{name}.{index}", item, depth - 1)
    elif isinstance(value, dict) and depth:
        for key, item in value.items():
            yield from _members(f"{name}.{key}", item, depth - 1)
    elif issubclass(type(value), (nn.Module, torch.Tensor)):
        yield name, value


def role_of(module: nn.Module) -> Role:
    """What kind of state a module keeps besides its weights, judged by its type."""
    name = type(module).__name__.lower()
    if isinstance(module, nn.modules.batchnorm._NormBase) or "running_mean" in module._buffers:
        return "normalisation"
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return "embedding"
    if "spectralnorm" in name or "weight_u" in module._buffers or "weight_u" in module._parameters:
        return "spectral"
    if "observer" in name or "fakequant" in name:
        return "observer"
    if any(word in name for word in _CODEBOOK_WORDS):
        return "codebook"
    return "other"
