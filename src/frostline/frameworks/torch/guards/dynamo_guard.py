"""The functions of ours that stand in code the compiler may trace: plain, and nothing is left of them in a graph.

TorchDynamo traces what it meets and knows the answer of ``is_compiling()``: then the rest of such a function is dead
code to it. Everything else of this package it is told to leave to the interpreter; between two graphs it would
otherwise compile our frames as if they were the user's.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

_PACKAGE = Path(__file__).parents[3]


def hook(act: Callable[..., None]) -> Callable[..., None]:
    """A hook that does ``act`` when the optimizer really runs, and nothing while it is traced."""

    def called(*args: Any) -> None:
        if not torch.compiler.is_compiling():
            act(*args)

    return called


def observed(function: Callable[..., Any], call: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, run by ``call(function, args, kwargs)`` when it really runs; while traced it is itself."""

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        if torch.compiler.is_compiling():
            return function(*args, **kwargs)
        return call(function, args, kwargs)

    return called


def keep_out_of(trace_rules: Any) -> None:
    """Tell the compiler, once it is loaded, not to compile frames of this package other than those in this file."""
    skipped = getattr(trace_rules, "FORCE_SKIP_FILES", None)
    if isinstance(skipped, set):
        for folder, _, names in os.walk(_PACKAGE):
            skipped.update(os.path.join(folder, name) for name in names if name.endswith(".py"))
        skipped.discard(__file__)
