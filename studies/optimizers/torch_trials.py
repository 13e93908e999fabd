"""One optimizer of PyTorch in one situation: a tensor is frozen, and training goes on with the head beside it."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from studies.cells import Cell, first_line
from studies.measuring import Bytes, Trial, measure

BACKEND = "torch.optim"
STEPS = 8
DECAY = 0.1
ELSEWHERE = {
    "schedulefree": ("AdamWScheduleFree", "RAdamScheduleFree", "SGDScheduleFree"),
    "transformers.optimization": ("Adafactor",),
    "lion_pytorch": ("Lion",),
    "prodigyopt": ("Prodigy",),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "SGD": {"lr": 0.01, "momentum": 0.9},
    "transformers.optimization.Adafactor": {"lr": 0.01, "relative_step": False, "scale_parameter": False},
    "prodigyopt.Prodigy": {"lr": 1.0},
    "torch.optim.Muon": {"lr": 0.01},
}
SWITCHES: dict[str, dict[str, Any]] = {
    "": {},
    "weight_decay": {"weight_decay": DECAY},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
    "amsgrad": {"amsgrad": True},
}


@dataclass
class Loop:
    """A model of two matrices, the optimizer that holds both, and its steps."""

    model: nn.Sequential
    optimizer: Any
    inputs: torch.Tensor

    def backward(self) -> torch.Tensor:
        """A backward pass, where anything still asks for one."""
        loss = (self.model(self.inputs) - 1).square().mean()
        if loss.requires_grad:
            loss.backward()
        return loss

    def steps(self, clear: Callable[[], None], count: int = STEPS) -> None:
        """Whole steps: clear gradients in this way, pass backward, step."""
        for _ in range(count):
            clear()
            if isinstance(self.optimizer, torch.optim.LBFGS):
                self.optimizer.step(self._closure(clear))
            else:
                self.backward()
                self.optimizer.step()

    def _closure(self, clear: Callable[[], None]) -> Callable[[], torch.Tensor]:
        def closure() -> torch.Tensor:
            clear()
            return self.backward()

        return closure

    def clear_head(self) -> None:
        """Clear the gradients of the head alone: those of the subject are left behind."""
        for parameter in self.model.head.parameters():
            parameter.grad = None

    def freeze(self) -> None:
        """The flag of the subject."""
        self.model.subject.requires_grad_(False)


def subjects() -> dict[str, dict[str, Any]]:
    """Every optimizer with each switch that it takes: the name of the row, and what it is made of."""
    found: dict[str, dict[str, Any]] = {}
    for name, kind in _classes().items():
        taken = inspect.signature(kind.__init__).parameters
        for switch, options in SWITCHES.items():
            if all(key in taken for key in options):
                found[f"{name} {switch}".strip()] = {"kind": kind, "options": {**_options(name, kind), **options}}
    return found


def _options(name: str, kind: type[Any]) -> dict[str, Any]:
    known = OPTIONS.get(name, OPTIONS.get(name.rpartition(".")[2] if name.startswith("torch.") else "", {"lr": 0.01}))
    no_decay = {"weight_decay": 0.0} if "weight_decay" in inspect.signature(kind.__init__).parameters else {}
    return {**no_decay, **known}


def _classes() -> dict[str, type[Any]]:
    found = {}
    for name in sorted(dir(torch.optim)):
        value = getattr(torch.optim, name)
        if isinstance(value, type) and issubclass(value, torch.optim.Optimizer) and value is not torch.optim.Optimizer:
            found[f"torch.optim.{name}"] = value
    for module, names in ELSEWHERE.items():
        try:
            imported = importlib.import_module(module)
        except ImportError:
            continue
        found |= {f"{module}.{name}": getattr(imported, name) for name in names}
    return found


def run(question: dict[str, str]) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``, or with ``names`` all that there are."""
    if question.get("names"):
        absent = [module for module in ELSEWHERE if importlib.util.find_spec(module.partition(".")[0]) is None]
        return {"names": list(subjects()), "situations": list(SITUATIONS), "absent": absent}
    torch.manual_seed(0)
    cell = Cell(question["subject"], question["situation"], BACKEND)
    try:
        loop = _loop(cell.subject)
        stages = partial(SITUATIONS[cell.situation], loop)
        measure(cell, Trial(stages, partial(_read, loop.model), _held, (loop.model, loop.optimizer)))
    except Exception as error:
        cell.refused = first_line(error)
    return cell.as_data()


def _loop(name: str) -> Loop:
    made = subjects()[name]
    sparse = made["kind"] is torch.optim.SparseAdam
    subject = nn.Embedding(5, 4, sparse=True) if sparse else nn.Linear(4, 4, bias=False)
    inputs = torch.randint(0, 5, (6,)) if sparse else torch.rand(6, 4)
    model = nn.Sequential()
    model.add_module("subject", subject)
    model.add_module("head", nn.Linear(4, 1, bias=False))
    if sparse:
        model.head.requires_grad_(False)  # its gradient is dense, which this optimizer does not take
    trained = subject.parameters() if sparse else model.parameters()
    optimizer = made["kind"](trained, **made["options"])
    if hasattr(optimizer, "train"):
        optimizer.train()
    return Loop(model, optimizer, inputs)


def _read(model: nn.Module) -> Bytes:
    return {name: (tuple(each.shape), each.detach().numpy().tobytes()) for name, each in model.named_parameters()}


def _held(name: str) -> bool:
    return "subject" in name.split(".")


def _first(loop: Loop) -> Iterator[None]:
    loop.freeze()
    yield
    loop.steps(loop.optimizer.zero_grad)


def _zero_first(loop: Loop) -> Iterator[None]:
    loop.freeze()
    for parameter in loop.model.subject.parameters():
        parameter.grad = torch.zeros_like(parameter)
    yield
    loop.steps(loop.clear_head)


def _left_behind(loop: Loop) -> Iterator[None]:
    loop.backward()
    loop.freeze()
    yield
    loop.steps(loop.clear_head)


def _momentum_none(loop: Loop) -> Iterator[None]:
    loop.steps(loop.optimizer.zero_grad)
    loop.freeze()
    loop.optimizer.zero_grad()
    yield
    loop.steps(loop.optimizer.zero_grad)


def _momentum_zero(loop: Loop) -> Iterator[None]:
    loop.steps(loop.optimizer.zero_grad)
    loop.freeze()
    loop.optimizer.zero_grad(set_to_none=False)
    yield
    loop.steps(partial(loop.optimizer.zero_grad, set_to_none=False))


SITUATIONS: dict[str, Callable[[Loop], Iterator[None]]] = {
    "frozen first": _first,
    "frozen first, zero gradient": _zero_first,
    "gradient left behind": _left_behind,
    "frozen after steps": _momentum_none,
    "frozen after steps, zero gradient": _momentum_zero,
}
