"""Runs a JAX script as ``__main__`` and prints digests of all that an observer could have disturbed.

Counted and compared are the arrays that the script's variables lead to, which of them were donated, how often each
function of the script was run by Python (a trace of a compiled function runs it), and every module that was given to
the compiler, word for word. Nothing of frostline is used here.
"""

import hashlib
import random
import runpy
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import jax
import numpy as np
from jax._src import compiler

RUN: Counter[CodeType] = Counter()
COMPILED: list[str] = []


def keep_what_is_compiled() -> None:
    """From now on hold the text of every module that is compiled."""
    compiling = compiler.compile_or_get_cached

    def compile_kept(backend: Any, module: Any, *args: Any, **kwargs: Any) -> Any:
        COMPILED.append(str(module))
        return compiling(backend, module, *args, **kwargs)

    compiler.compile_or_get_cached = compile_kept


def count_what_is_run(script: str) -> None:
    """From now on count the calls of the functions that stand in ``script``."""

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == script:
            RUN[frame.f_code] += 1

    sys.setprofile(profile)


def fingerprint(names: dict[str, Any]) -> dict[str, str]:
    """Digests by kind of what could be disturbed, each with the number of things in it.

    Args:
        names: the script's own variables.
    """
    arrays = list(_arrays([value for _, value in sorted(names.items())], set()))
    return {
        "arrays": _digest(map(_bits, arrays)),
        "donated": _digest(str(place) for place, array in enumerate(arrays) if _is_donated(array)),
        "run": _digest(sorted(f"{code.co_qualname}:{code.co_firstlineno}:{times}" for code, times in RUN.items())),
        "compiled": _digest(COMPILED),
        "numpy": _digest([str(np.random.get_state())]),
        "python": _digest([repr(random.getstate())]),
    }


def _arrays(values: Iterable[Any], seen: set[int]) -> Iterator[Any]:
    """The arrays in containers, in pytrees and in the attributes of the script's own objects."""
    for value in values:
        for end in jax.tree_util.tree_leaves(value):
            if isinstance(end, (jax.Array, np.ndarray)):
                yield end
            elif type(end).__module__ == "__main__" and id(end) not in seen and hasattr(end, "__dict__"):
                seen.add(id(end))
                yield from _arrays([each for _, each in sorted(vars(end).items())], seen)


def _is_donated(array: Any) -> bool:
    return isinstance(array, jax.Array) and array.is_deleted()


def _bits(array: Any) -> bytes:
    if _is_donated(array):
        return b"donated"
    if jax.numpy.issubdtype(array.dtype, jax.dtypes.prng_key):
        array = jax.random.key_data(array)
    value = np.asarray(array)
    return f"{value.dtype}{value.shape}".encode() + value.tobytes()


def _digest(values: Iterable[bytes | str]) -> str:
    count, digest = 0, hashlib.blake2b(digest_size=8)
    for value in values:
        count += 1
        digest.update(value if isinstance(value, bytes) else value.encode())
    return f"{count}:{digest.hexdigest()}"


def main(script: str) -> None:
    """Run ``script`` from known random states and print its fingerprint."""
    random.seed(1)
    np.random.seed(2)
    keep_what_is_compiled()
    sys.argv[:] = [script]
    sys.path[0] = str(Path(script).parent)
    count_what_is_run(script)
    names = runpy.run_path(script, run_name="__main__")
    sys.setprofile(None)
    print("fingerprint", *(f"{kind}={digest}" for kind, digest in fingerprint(names).items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
