"""One tensor from the hook to the report: the files of frostline that handle it in eight steps, and changes of file.

A function handles the tensor where one of its arguments is the tensor, what stands for it (its entry, state or row, or
a part of that row) or a fact about it. Reading an attribute is no visit, also where a property makes it. What looks
at the tensor for a purpose of its own, with all that it calls, is no stop on the way: instruments beside the hook that
announces steps and samples of what has moved already, each of which can be read alone, and the laws, which judge the
row when it is complete.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import CO_GENERATOR
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
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
HOME = f"{Path(frostline.__file__).parent}/"
STANDS_FOR_IT = (NamedTensor, TensorState, TensorRow, Declared, Holding, Changed, Movement, Owner)
SAMPLES = ("observe/checks/going_on.py", "observe/checks/replicas.py")
ASIDE = ("frameworks/torch/instruments/", *SAMPLES, "laws/", "core/agreement.py", "core/averages.py")
PROPERTIES = {
    value.fget.__code__
    for kind in STANDS_FOR_IT
    for value in vars(kind).values()
    if isinstance(value, property) and value.fget
}


def measure() -> Iterator[Line]:
    """The two counts beside their goals."""
    files = handled()
    visited, changes = len(set(files)), changes_of(files)
    yield Line(
        "files that handle one tensor", str(visited), f"{STEPS} steps", "", f"≤ {MOST_FILES}", visited <= MOST_FILES
    )
    yield Line("changes of file", str(changes), f"{STEPS} steps", "", f"≤ {MOST_CHANGES}", changes <= MOST_CHANGES)


def changes_of(files: list[str]) -> int:
    """How often the next call is in another file."""
    return sum(one != other for one, other in pairwise(files))


def handled() -> list[str]:
    """The file of every call that handles the tensor, from the first step to the printed report, in their order."""
    model = torch.nn.Linear(4, 1, bias=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tensor = model.weight
    files: list[str] = []

    def seen(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        begins = event == "call" and code not in PROPERTIES and not (code.co_flags & CO_GENERATOR and frame.f_lasti > 0)
        if begins and code.co_filename.startswith(HOME) and _handles(frame, code, tensor) and not _is_aside(frame):
            files.append(code.co_filename.removeprefix(HOME))

    with frostline.watch(model, optimizer) as watch:
        sys.setprofile(seen)
        for _ in range(STEPS):
            optimizer.zero_grad()
            model(torch.ones(2, 4)).square().mean().backward()
            optimizer.step()
    str(watch.report)
    sys.setprofile(None)
    return files


def _handles(frame: FrameType, code: CodeType, tensor: torch.Tensor) -> bool:
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return any(_is_it(frame.f_locals.get(name), tensor) for name in names)


def _is_aside(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.removeprefix(HOME).startswith(ASIDE):
            return True
        frame = frame.f_back
    return False


def _is_it(value: object, tensor: torch.Tensor) -> bool:
    if isinstance(value, Fact):
        return hasattr(value, "tensor") or hasattr(value, "tensors")
    return value is tensor or isinstance(value, STANDS_FOR_IT)
