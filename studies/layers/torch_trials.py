"""One module of torch.nn in one situation: put into a small model, frozen, trained for a few steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrizations

from studies.cells import Cell, first_line
from studies.layers.torch_recipes import made, modules, recipe
from studies.measuring import Bytes, Trial, measure

BACKEND = "torch.nn"
CENSUS = "census"
STEPS = 3


class Model(nn.Module):
    """The subject, possibly in a container, and a head of one unit that is made to fit."""

    def __init__(self, subject: nn.Module, inputs: tuple[Any, ...], call: dict[str, Any]) -> None:
        super().__init__()
        self.subject = subject
        self.call = call
        self.head = nn.Identity()
        with torch.no_grad():
            width = self._flat(inputs).shape[-1]
        self.head = nn.Linear(width, 1)

    def forward(self, *inputs: Any) -> torch.Tensor:
        """One number for each sample."""
        return self.head(self._flat(inputs))

    def _flat(self, inputs: tuple[Any, ...]) -> torch.Tensor:
        result = self.subject(*inputs, **self.call)
        while not isinstance(result, torch.Tensor):
            result = result[0]
        return result.reshape(result.shape[0] if result.dim() else 1, -1).float()


class Body(nn.Module):
    """A container that hands on what it is given; of a list of modules or parameters it uses the first."""

    def __init__(self, subject: nn.Module) -> None:
        super().__init__()
        self.inner = subject

    def forward(self, *inputs: Any, **call: Any) -> Any:
        """What the subject makes of the inputs."""
        inner = self.inner
        first = next(iter(inner.values() if hasattr(inner, "values") else inner)) if _is_list(inner) else None
        if isinstance(first, nn.Parameter):
            return inputs[0] * first.sum()
        return (inner if first is None else first)(*inputs, **call)


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleDict | nn.ModuleList | nn.ParameterDict | nn.ParameterList)


def run(question: dict[str, str]) -> dict[str, Any]:
    """The cell of ``{"subject", "situation"}``, its census, or with ``names`` all that there are."""
    if question.get("names"):
        return {"names": sorted(modules())}
    torch.manual_seed(0)
    cell = Cell(question["subject"], question["situation"], BACKEND)
    try:
        if cell.situation == CENSUS:
            _census(cell)
        else:
            SITUATIONS[cell.situation](cell)
    except Exception as error:
        cell.refused = first_line(error)
    return cell.as_data()


def _census(cell: Cell) -> None:
    """Make the module, call it once unless it has nothing to call, and count what it owns."""
    module, wanted = made(cell.subject), recipe(cell.subject)
    try:
        module.eval()(*wanted.inputs(), **wanted.call())
    finally:
        owned = [*module.parameters(), *module.buffers()]
        cell.size = sum(0 if nn.parameter.is_lazy(each) else each.numel() for each in owned)
        cell.facts = {"weight": isinstance(getattr(module, "weight", None), nn.Parameter)}


def _trained(
    cell: Cell,
    held: Callable[[str], bool],
    *,
    around: Callable[[nn.Module], nn.Module] | None = None,
    frozen: str = "before",
    training: bool = True,
) -> None:
    """Freeze ``before`` the first step, ``between`` two rounds of steps, or ``never``; train; measure."""
    wanted = recipe(cell.subject)
    inputs = wanted.inputs()
    subject = made(cell.subject)
    subject = Body(subject) if _is_list(subject) else subject
    with torch.no_grad():
        subject.eval()(*inputs, **wanted.call())  # lazy modules take their shape
    subject = around(subject) if around else subject
    model = Model(subject.eval(), inputs, wanted.call()).train()
    if not training:
        model.subject.eval()
    if frozen == "before":
        model.subject.requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)

    def steps() -> None:
        for _ in range(STEPS):
            optimizer.zero_grad()
            (model(*inputs) - 1).square().mean().backward()
            optimizer.step()

    def stages() -> Iterator[None]:
        if frozen == "between":
            steps()
            optimizer.zero_grad()
            model.subject.requires_grad_(False)
        yield
        steps()

    measure(cell, Trial(stages, lambda: _read(model), held, (model, optimizer)))


def _read(model: nn.Module) -> Bytes:
    named = [*model.named_parameters(), *model.named_buffers()]
    return {name: (tuple(each.shape), each.detach().contiguous().numpy().tobytes()) for name, each in named}


def _everything(name: str) -> bool:
    return "head" not in name.split(".")


def _nothing(_name: str) -> bool:
    return False


SITUATIONS: dict[str, Callable[[Cell], None]] = {
    "nothing frozen": lambda cell: _trained(cell, _nothing, frozen="never"),
    "train mode": lambda cell: _trained(cell, _everything),
    "eval mode": lambda cell: _trained(cell, _everything, training=False),
    "in a container": lambda cell: _trained(cell, _everything, around=Body),
    "after steps": lambda cell: _trained(cell, _everything, frozen="between"),
    "spectral_norm": lambda cell: _trained(cell, _everything, around=parametrizations.spectral_norm),
    "spectral_norm, eval": lambda cell: _trained(
        cell, _everything, around=parametrizations.spectral_norm, training=False
    ),
    "weight_norm": lambda cell: _trained(cell, _everything, around=parametrizations.weight_norm),
}
