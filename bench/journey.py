"""One tensor from the hook to the report: which files of frostline handle it in eight steps, and how often that changes.

A function handles the tensor where one of its arguments is the tensor, the entry, state or row that stands for it, a
part of that row, or a fact about it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from bench.turns import Line

import frostline
from frostline.core.facts import Fact
from frostline.core.ledger import Changed, Declared, Holding, Movement, Owner, TensorRow
from frostline.frameworks.torch.tensors.tensors import NamedTensor
from frostline.observe.tensor_state import TensorState

PACKAGES = ("torch",)
STEPS = 8
MOST_FILES, MOST_CHANGES = 12, 60
HOME = str(Path(frostline.__file__).parent)
STANDS_FOR_IT = (NamedTensor, TensorState, TensorRow, Declared, Holding, Changed, Movement, Owner)


def measure() -> Iterator[Line]:
    """The two counts beside their goals."""
    files = handled()
    changes = sum(one != other for one, other in zip(files, files[1:], strict=False))
    visited = len(set(files))
    yield Line(
        "files that handle one tensor", str(visited), f"{STEPS} steps", "", f"≤ {MOST_FILES}", visited <= MOST_FILES
    )
    yield Line("changes of file", str(changes), f"{STEPS} steps", "", f"≤ {MOST_CHANGES}", changes <= MOST_CHANGES)


def handled() -> list[str]:
    """The file of every call that handles the tensor, from the first step to the printed report, in their order."""
    model = torch.nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tensor = model.weight
    files: list[str] = []

    def seen(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(HOME) and not code.co_name.startswith("<"):
            if any(
                _is_it(frame.f_locals.get(name), tensor)
                for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            ):
                files.append(f"{code.co_filename.removeprefix(HOME)[1:]}")

    with frostline.watch(model, optimizer) as watch:
        sys.setprofile(seen)
        try:
            for _ in range(STEPS):
                optimizer.zero_grad()
                model(torch.ones(2, 4)).square().mean().backward()
                optimizer.step()
        finally:
            sys.setprofile(None)
        sys.setprofile(seen)
    str(watch.report)
    sys.setprofile(None)
    return files


def _is_it(value: object, tensor: torch.Tensor) -> bool:
    return (
        value is tensor
        or isinstance(value, STANDS_FOR_IT)
        or (isinstance(value, Fact) and (hasattr(value, "tensor") or hasattr(value, "tensors")))
    )


if __name__ == "__main__":
    from collections import Counter

    f = handled()
    print(Counter(f))
    print(sum(a != b for a, b in zip(f, f[1:])), len(set(f)))
    print(Counter((a.split("/")[-1], b.split("/")[-1]) for a, b in zip(f, f[1:]) if a != b).most_common(40))
