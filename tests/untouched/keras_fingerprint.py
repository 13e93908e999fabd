"""Runs a Keras script as ``__main__`` and prints digests of all that an observer could have disturbed.

Every variable that the script makes is kept until the end: weights, statistics, optimizers' slots, metrics and the
states of random generators are all variables. Nothing of frostline is used here.
"""

import hashlib
import importlib
import random
import runpy
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

MADE: dict[int, Any] = {}
VALUES = (np.ndarray, np.random.Generator, float, list, dict)


def keep_what_is_made(generation: str) -> None:
    """From now on hold every new variable of Keras 3, or every new layer and optimizer of tf_keras."""
    keras = importlib.import_module(generation)
    makers = (keras.Variable,) if generation == "keras" else (keras.layers.Layer, keras.optimizers.Optimizer)
    for maker in makers:
        maker.__init__ = _keeping(maker.__init__)


def _keeping(maker: Callable[..., None]) -> Callable[..., None]:
    def make(made: Any, *args: Any, **kwargs: Any) -> None:
        MADE.setdefault(id(made), made)
        maker(made, *args, **kwargs)

    make.__wrapped__ = maker  # Keras reads signatures
    return make


def fingerprint(names: dict[str, Any]) -> dict[str, str]:
    """Digests by kind of state, each with the number of things in it; ``names`` are the script's own variables."""
    trained, others = [], []
    for variable in _variables():
        (trained if variable.trainable else others).append(variable)
    return {
        "weights": _digest(map(_value, trained)),
        "others": _digest(map(_value, others)),
        "variables": _digest(_plain(value) for _, value in sorted(names.items()) if isinstance(value, VALUES)),
        "numpy": _digest([_plain(np.random.get_state())]),
        "python": _digest([repr(random.getstate())]),
    }


def _variables() -> Iterable[Any]:
    for made in MADE.values():
        if hasattr(made, "assign"):
            yield made
        else:
            found = getattr(made, "_variables", None) or made.weights
            yield from found() if callable(found) else found


def _value(variable: Any) -> bytes:
    """The variable's bytes; what a compiled step was given and took over has none any more."""
    try:
        value = np.asarray(variable.numpy())
    except (RuntimeError, AttributeError, ValueError) as error:
        return type(error).__name__.encode()
    return f"{value.dtype}{value.shape}".encode() + value.tobytes()


def _plain(value: Any) -> str:
    """The numbers in a value, whatever it is nested in; objects that hold none are known by their type."""
    match value:
        case np.ndarray() if value.dtype != object:
            return f"{value.dtype}{value.shape}{value.tobytes().hex()}"
        case dict():
            return "".join(f"{_plain(key)}:{_plain(each)}," for key, each in value.items())
        case list() | tuple():
            return "".join(f"{_plain(each)}," for each in value)
        case np.random.Generator():
            return _plain(value.bit_generator.state)
    return repr(value) if isinstance(value, (int, float, str)) else type(value).__name__


def _digest(values: Iterable[bytes | str]) -> str:
    count, digest = 0, hashlib.blake2b(digest_size=8)
    for value in values:
        count += 1
        digest.update(value if isinstance(value, bytes) else value.encode())
    return f"{count}:{digest.hexdigest()}"


def main(generation: str, script: str) -> None:
    """Run ``script`` from known random states and print its fingerprint."""
    random.seed(1)
    np.random.seed(2)
    keep_what_is_made(generation)
    sys.argv[:] = [script]
    sys.path[0] = str(Path(script).parent)
    names = runpy.run_path(script, run_name="__main__")
    print("fingerprint", *(f"{kind}={digest}" for kind, digest in fingerprint(names).items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
