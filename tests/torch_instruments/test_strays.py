"""Parameters that get gradients and that no model and no optimizer knows: found in graphs, or by a search."""

from collections.abc import Callable

import pytest
import torch

import frostline
from frostline.core.record import Record
from frostline.frameworks.torch.instruments.backwards import unowned_parameters
from frostline.frameworks.torch.models.modules import roots_of
from frostline.frameworks.torch.tensors import graph

Loss = Callable[[torch.nn.Module, torch.nn.Parameter], torch.Tensor]


def by_backward(model: torch.nn.Module, loss: torch.Tensor, stray: torch.nn.Parameter) -> None:
    loss.backward()


def by_grad(model: torch.nn.Module, loss: torch.Tensor, stray: torch.nn.Parameter) -> None:
    """Gradients that no backward pass makes: nothing tells of them beforehand."""
    wanted = [*model.parameters(), stray]
    for parameter, gradient in zip(wanted, torch.autograd.grad(loss, wanted), strict=True):
        parameter.grad = gradient


def observed(differentiate: Callable[..., None]) -> Record:
    torch.manual_seed(0)
    model, stray, left_alone = (
        torch.nn.Linear(4, 4),
        torch.nn.Parameter(torch.ones(4)),
        torch.nn.Parameter(torch.ones(4)),
    )
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for _ in range(4):
            optimizer.zero_grad()
            loss = (model(torch.ones(2, 4)) * stray).square().mean()
            differentiate(model, loss, stray)
            optimizer.step()
    assert left_alone.grad is None
    assert seen.report.record.run.faults == []
    return seen.report.record


@pytest.mark.parametrize("differentiate", [by_backward, by_grad])
def test_a_parameter_that_nobody_holds(differentiate: Callable[..., None]) -> None:
    record = observed(differentiate)
    assert [row.name for row in record.tensors if not row.registered] == ["stray"]


def test_a_graph_tells_it_without_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unowned_parameters, "alive", lambda kind: [])
    assert any(row.name == "stray" for row in observed(by_backward).tensors)


def test_a_graph_too_large_to_walk_is_replaced_by_a_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "NODES_WALKED", 2)
    assert any(row.name == "stray" for row in observed(by_backward).tensors)


class Inserted(torch.nn.Module):
    """Takes its child in without being told: as unpickling, copying and some containers do."""

    def __init__(self, child: torch.nn.Module) -> None:
        super().__init__()
        self._modules["child"] = child


def test_the_outermost_module_is_found_from_an_inner_one() -> None:
    inner = torch.nn.Linear(2, 2)
    middle = Inserted(inner)
    outer = torch.nn.ModuleList([torch.nn.Linear(2, 2), middle])
    assert roots_of([inner]) == roots_of([middle]) == roots_of([outer]) == [outer]


def test_a_module_in_dictionaries_of_the_script_is_a_root() -> None:
    generator, critic = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    nets = {"generator": generator, "critic": critic}
    assert roots_of(nets.values()) == [generator, critic]


class Block(torch.nn.Module):
    """Keeps what was made of a parameter, or a list of parameters, where no parameter list sees it."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        if kind == "converted":
            self.gain = torch.nn.Parameter(torch.ones(4, dtype=torch.float64)).float()
        elif kind == "listed":
            self.gains = [torch.nn.Parameter(torch.ones(4))]
        else:
            self.gain = torch.nn.Parameter(torch.ones(4, dtype=torch.float64).float())

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = self.linear(rows) * (self.gains[0] if hasattr(self, "gains") else self.gain)
        return made


@pytest.mark.parametrize(
    ("kind", "name"), [("converted", "model.1.gain"), ("listed", "model.1.gains.0"), ("registered", None)]
)
def test_a_parameter_deep_in_a_model_is_named_by_what_holds_it(kind: str, name: str | None) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), Block(kind))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with frostline.watch(model, optimizer) as seen:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.ones(2, 4)).square().mean().backward()
            optimizer.step()
    assert [row.name for row in seen.report.record.tensors if not row.registered] == [name] * (name is not None)
    assert {each.rule for each in seen.report.record.findings} == ({"unregistered-tensor"} if name else set())
