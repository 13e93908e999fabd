"""What wrappers add to the names of tensors, and which names of a file mean which tensors of a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

Shape = tuple[int, ...]

# What wrappers put in front of every name of the model they hold, and training scripts around a state dict.
PREFIXES = (
    "state_dict.",
    "model_state_dict.",
    "base_model.model.",
    "module.",
    "_orig_mod.",
    "_forward_module.",
    "model.",
)
# What they put between a module and its parameters.
_INNER = re.compile(
    r"(?<![^.])(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|base_layer|modules_to_save\.default)\."
)
_WRAPPERS = re.compile(r"(?<![^.])(_fsdp_wrapped_module|_checkpoint_wrapped_module)(\.|$)")
_ADAPTER = re.compile(r"(?<=\.)default(\.|$)")  # the usual name of an adapter, which its file leaves out
_OFFSETS_TRIED = 4
_FEW = 4  # tensors that end alike, looked at for each name


def bare(name: str) -> str:
    """The name without what known wrappers add.

    >>> bare("module._orig_mod.fc.weight"), bare("base_model.model.q.base_layer.weight")
    ('fc.weight', 'q.weight')
    """
    name = _INNER.sub("", name)
    while True:
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix) and len(name) > len(prefix)), None)
        if prefix is None:
            return name
        name = name[len(prefix) :]


def without_wrappers(path: str) -> str:
    """The path of a module as its user wrote the model, without the wrappers that training puts in between.

    >>> without_wrappers("_fsdp_wrapped_module.blocks.0._fsdp_wrapped_module"), without_wrappers("_fsdp_wrapped_module")
    ('blocks.0', '')
    """
    return _WRAPPERS.sub("", path).rstrip(".") if "_wrapped_module" in path else path


def plain(name: str) -> str:
    """The bare name without the name of an adapter.

    >>> plain("base_model.model.q.lora_A.default.weight")
    'q.lora_A.weight'
    """
    return _ADAPTER.sub("", bare(name)).rstrip(".")


def expected_by(written: Mapping[str, Shape], tensors: Mapping[str, Shape]) -> dict[str, str]:
    """Which tensor each name of a file means, judged by all names together: a file holds a part or the whole.

    Args:
        written: the shape of every tensor in the file.
        tensors: the shape of every tensor, by its name inside the model.

    >>> expected_by({"module.0.weight": (2, 2)}, {"encoder.0.weight": (2, 2), "head.bias": (2,)})
    {'module.0.weight': 'encoder.0.weight'}
    """
    known = {plain(name): name for name in tensors}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for before, after in _offsets({plain(name): name for name in written}, written, known, tensors):
        for name in written:
            short = plain(name)
            if name in found or not short.startswith(before):
                continue
            tensor = known.get(after + short[len(before) :])
            if tensor is not None and tensor not in taken and _may_be(written[name], tensors[tensor]):
                found[name] = tensor
                taken.add(tensor)
    return found


def _offsets(
    short: Mapping[str, str], written: Mapping[str, Shape], known: Mapping[str, str], tensors: Mapping[str, Shape]
) -> list[tuple[str, str]]:
    """What stands in front of the names of the file and of the model where they end alike, the most frequent first."""
    by_ending: dict[str, list[str]] = {}
    for name in known:
        for ending in _endings(name):
            by_ending.setdefault(ending, []).append(name)
    votes: Counter[tuple[str, str]] = Counter()
    for name, whole in short.items():
        ending = next((ending for ending in _endings(name) if ending in by_ending), "")
        for tensor in by_ending[ending][:_FEW] if ending else ():
            before, after = name.removesuffix(ending), tensor.removesuffix(ending)
            if not (before and after) and _may_be(written[whole], tensors[known[tensor]]):
                votes[before, after] += 1
    ranked = sorted(votes, key=lambda pair: (-votes[pair], len(pair[0]) + len(pair[1]), pair))
    return ranked[:_OFFSETS_TRIED]


def _endings(name: str) -> Iterator[str]:
    """The name, and what is left of it after each dot."""
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _may_be(one: Shape, other: Shape) -> bool:
    """Whether a tensor of a file may stand for a tensor of this shape: the same, or with other rows."""
    return one == other or (len(one) == len(other) > 0 and one[1:] == other[1:])
