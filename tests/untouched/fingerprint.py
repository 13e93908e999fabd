"""Runs a training script as ``__main__`` and prints digests of all that an observer could have disturbed.

Every module and optimizer that the script makes is kept until the end, so that the models of a function that has
returned count as well. Nothing of frostline is used here: what it reads must not be judged by its own reading.
"""

import hashlib
import itertools
import random
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

MODULES: dict[int, nn.Module] = {}
OPTIMIZERS: dict[int, torch.optim.Optimizer] = {}
MAKERS = ("__init__", "__setstate__")  # a copied or unpickled module is made by the second


def keep_what_is_made() -> None:
    """From now on hold every new module, and every optimizer that makes a step."""
    for name in MAKERS:
        setattr(nn.Module, name, _keeping(getattr(nn.Module, name)))
    kept = OPTIMIZERS  # where a whole step is compiled, the compiler looks up names of this module in the script
    register_optimizer_step_post_hook(lambda optimizer, *_: kept.setdefault(id(optimizer), optimizer))


def _keeping(maker: Callable[..., None]) -> Callable[..., None]:
    def make(module: nn.Module, *args: Any, **kwargs: Any) -> None:
        MODULES.setdefault(id(module), module)
        maker(module, *args, **kwargs)

    return make


def fingerprint(names: dict[str, Any]) -> dict[str, str]:
    """Digests by kind of state, each with the number of things in it.

    Args:
        names: the script's own variables.
    """
    return {
        "weights": _digest(_of_modules(lambda module: module._parameters)),
        "buffers": _digest(_of_modules(lambda module: module._buffers)),
        "gradients": _digest(_gradients()),
        "optimizers": _digest(optimizer.state_dict() for optimizer in OPTIMIZERS.values()),
        "held": _digest(tensor for each in OPTIMIZERS.values() for tensor in _held(each)),
        "variables": _digest(value for _, value in sorted(names.items()) if isinstance(value, VALUES)),
        "torch": _digest([torch.get_rng_state()]),
        "numpy": _digest([np.random.get_state()]),
        "python": _digest([random.getstate()]),
    }


def _of_modules(tensors: Callable[[nn.Module], dict[str, Any]]) -> Iterator[Any]:
    return itertools.chain.from_iterable(tensors(module).items() for module in MODULES.values() if vars(module))


def _gradients() -> Iterator[Any]:
    for _, parameter in _of_modules(lambda module: module._parameters):
        yield None if parameter is None else (parameter.requires_grad, parameter.grad)


def _held(optimizer: torch.optim.Optimizer) -> Iterator[torch.Tensor]:
    return itertools.chain.from_iterable(group["params"] for group in optimizer.param_groups)


VALUES = (torch.Tensor, np.ndarray, torch.Generator, np.random.Generator, random.Random, float, list, dict)
NUMBERS = (int, float, complex, str, bytes, type(None))


def _digest(values: Any) -> str:
    """How many values there are, and what they hold."""
    count, digest = 0, hashlib.blake2b(digest_size=8)
    for value in values:
        count += 1
        for part in _bytes_of(value):
            digest.update(part)
    return f"{count}:{digest.hexdigest()}"


def _bytes_of(value: Any) -> Iterator[Any]:
    """All bytes of a value, whatever it is nested in; objects that hold no numbers are known by their type."""
    match value:
        case torch.Tensor():
            yield f"{value.dtype}{tuple(value.shape)}".encode() if not nn.parameter.is_lazy(value) else b"lazy"
            yield from _bytes_of_tensor(value)
        case np.ndarray() if value.dtype != object:
            yield value.tobytes()
        case dict():
            for key, each in value.items():
                yield from _bytes_of(key)
                yield from _bytes_of(each)
        case list() | tuple():
            yield b"%d" % len(value)
            for each in value:
                yield from _bytes_of(each)
        case torch.Generator():
            yield from _bytes_of(value.get_state())
        case np.random.Generator():
            yield from _bytes_of(value.bit_generator.state)
        case random.Random():
            yield from _bytes_of(value.getstate())
        case _:
            yield (repr(value) if isinstance(value, NUMBERS) else type(value).__name__).encode()


def _bytes_of_tensor(tensor: torch.Tensor) -> Iterator[Any]:
    if nn.parameter.is_lazy(tensor) or tensor.is_meta:
        return
    if tensor.layout == torch.sparse_coo:
        yield from _bytes_of_tensor(tensor.detach()._indices())
        yield from _bytes_of_tensor(tensor.detach()._values())
        return
    plain = tensor.detach().resolve_conj().resolve_neg().flatten().contiguous()
    yield plain.view(torch.uint8).numpy()


def main(script: str) -> dict[str, Any]:
    """Run ``script`` from known random states, print its fingerprint, and return its variables."""
    random.seed(1)
    np.random.seed(2)
    torch.manual_seed(3)
    keep_what_is_made()
    sys.argv[:] = [script]
    sys.path[0] = str(Path(script).parent)
    names: dict[str, Any] = {}
    try:
        names = runpy.run_path(script, run_name="__main__")
    except (SystemExit, KeyboardInterrupt) as ending:
        print("ended by", repr(ending))
    print("fingerprint", *(f"{kind}={digest}" for kind, digest in fingerprint(names).items()))
    return names


if __name__ == "__main__":
    kept = main(sys.argv[1])  # as a script's variables are, until the interpreter ends
