"""Zeros that were written into weights between phases of training, and that further steps fill."""

import numpy as np
import pytest
import torch
from tests.observe.memory import Tensor, Training, buffer
from torch import nn
from torch.nn.utils import prune

import frostline
from frostline.core.facts import ZerosFilled
from frostline.core.record import Finding
from frostline.observe.checks.written_zeros import PHASES, WrittenZeros, _outside_whole_lines, _zeros
from frostline.observe.protocols import Unreadable


def test_both_zeros_count_and_whole_lines_do_not() -> None:
    weight = np.array([[0.0, -0.0, 0.0], [1.0, -0.0, 0.0], [2.0, 3.0, 0.0]], "f4")
    zero = _zeros(weight.tobytes(), 4)
    assert zero is not None
    assert zero.tolist() == [True, True, True, False, True, True, False, False, True]
    assert _outside_whole_lines(zero.reshape(3, 3)) == 1


def found(zero: str, phases: int = 2, kept: int = 0) -> list[Finding]:
    """What is found of zeros where a model is trained for some phases, and ``zero`` is done after the first.

    A mask is put on after each step until the phase ``kept``.
    """
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(12, 16), nn.Tanh(), nn.Linear(16, 2))
    mask = torch.rand(16, 12) > 0.5
    with frostline.watch(model) as watch:
        for phase in range(phases):
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            for _ in range(4):
                optimizer.zero_grad()
                model(torch.randn(8, 12)).square().mean().backward()
                optimizer.step()
                if 0 < phase <= kept:
                    model[0].weight.data *= mask
            if phase == 0:
                write(zero, model[0], mask)
    return [each for each in watch.report.record.findings if each.code == "F114"]


def write(zero: str, layer: nn.Linear, mask: torch.Tensor) -> None:
    with torch.no_grad():
        if zero == "library":
            prune.random_unstructured(layer, "weight", 0.5)
            prune.remove(layer, "weight")
        elif zero == "mask":
            layer.weight.mul_(mask)
        elif zero == "all":
            layer.weight.zero_()
        elif zero == "rows":
            layer.weight[:8] = 0


@pytest.mark.parametrize("zero", ["library", "mask"])
def test_zeros_that_steps_fill_are_found(zero: str) -> None:
    (finding,) = found(zero)
    assert (finding.severity, finding.tensors, finding.evidence["left"]) == ("warning", ["model.0.weight"], 0)
    assert finding.evidence["since_step"] == 4


@pytest.mark.parametrize(
    ("zero", "phases", "kept"),
    [
        ("mask", 2, 1),
        ("library", 1, 0),
        ("mask", 1, 0),
        ("all", 2, 0),
        ("rows", 2, 0),
        ("", 2, 0),
    ],
)
def test_zeros_that_stay_and_lines_that_begin_anew_are_healthy(zero: str, phases: int, kept: int) -> None:
    assert found(zero, phases, kept) == []


def test_zeros_that_were_kept_through_a_phase_and_released_are_a_note() -> None:
    (finding,) = found("mask", phases=3, kept=1)
    assert (finding.severity, finding.evidence["held"]) == ("note", 4)
    assert finding.evidence["excuse"] == "held before: they stayed zero through 4 steps first"


# Which weights are looked at, and when, on tensors in memory


def matrix(shape: tuple[int, ...] = (10, 10), **more: str | bool) -> Tensor:
    return Tensor("m.w", np.ones(shape), **more)  # type: ignore[arg-type]


def trained(*tensors: Tensor) -> tuple[Training, WrittenZeros]:
    """A training that moved the tensors, and is at the beginning of its second phase."""
    training = Training(*tensors)
    training.optimizer(*tensors, lr=0.25)
    zeros = WrittenZeros(training.observer.tracked)
    zeros.phase_begins()
    training.step()
    return training, zeros


def told(training: Training, zeros: WrittenZeros) -> list[ZerosFilled]:
    zeros.close()
    return [fact for fact in training.observer.journal.facts() if isinstance(fact, ZerosFilled)]


def scatter(tensor: Tensor, count: int) -> None:
    """Set so many values to zero, no whole row or column of them."""
    tensor.values.flat[[(11 * number) % tensor.values.size for number in range(count)]] = 0


@pytest.mark.parametrize(("count", "noted"), [(10, [10]), (9, [])])
def test_few_zeros_come_by_themselves(count: int, noted: list[int]) -> None:
    weight = matrix()
    training, zeros = trained(weight)
    scatter(weight, count)
    zeros.phase_begins()
    training.step()
    assert [(fact.zeros, fact.left, fact.step, fact.act) for fact in told(training, zeros)] == [
        (each, 0, 1, "written") for each in noted
    ]


def test_what_had_zeros_before_is_no_news() -> None:
    weight = matrix()
    scatter(weight, 12)
    training, zeros = trained(weight)
    scatter(weight, 12)
    zeros.phase_begins()
    training.step()
    assert told(training, zeros) == []


@pytest.mark.parametrize("left", [4, 5])
def test_most_of_the_zeros_are_to_be_gone(left: int) -> None:
    weight = matrix()
    training, zeros = trained(weight)
    scatter(weight, 10)
    zeros.phase_begins()
    training.step()
    scatter(weight, left)
    assert [fact.left for fact in told(training, zeros)] == [left] * (left < 5)


def state_called_trainable() -> Tensor:
    tensor = matrix()
    tensor.kind = "buffer"
    return tensor


@pytest.mark.parametrize(
    "tensor",
    [
        state_called_trainable(),
        matrix((100,)),
        matrix((0, 10)),
        matrix(trainable=False),
        matrix(dtype="complex128"),
        buffer("m.w", np.ones((10, 10))),
    ],
)
def test_only_trainable_matrices_of_plain_numbers_are_looked_at(tensor: Tensor) -> None:
    training, zeros = trained(tensor)
    if tensor.values.size:
        scatter(tensor, 20)
    zeros.phase_begins()
    tensor.values += 1
    tensor.row.changed.verdict = "yes"
    assert told(training, zeros) == []


def test_what_did_not_move_or_cannot_be_read_was_not_filled() -> None:
    moved, still, lost = (Tensor(f"m.{name}", np.ones((10, 10))) for name in ("moved", "still", "lost"))
    training, zeros = trained(moved, still, lost)
    for each in (moved, still, lost):
        zeros.pruned(each.key, 20, 1, 0)
    zeros.pruned("m.gone", 20, 1, 0)
    still.row.changed.verdict = "no"
    lost.unreadable = Unreadable("freed")
    assert [(fact.tensors, fact.act) for fact in told(training, zeros)] == [(("m.moved",), "pruned")]


@pytest.mark.parametrize(("filled", "held"), [(False, 2), (True, 0)])
def test_zeros_were_held_where_all_of_them_were_there_at_the_next_phase(filled: bool, held: int) -> None:
    weight = matrix()
    training, zeros = trained(weight)
    scatter(weight, 20)
    zeros.phase_begins()
    for _ in range(2):
        training.step(gradient=0.0)
    weight.values[0, 0] = filled
    zeros.phase_begins()
    training.step()
    assert [fact.held for fact in told(training, zeros)] == [held]


def test_of_many_phases_the_first_are_looked_at() -> None:
    weight, late = matrix(), Tensor("m.late", np.ones((10, 10)))
    training, zeros = trained(weight, late)
    for _ in range(2, PHASES):
        zeros.phase_begins()
    scatter(weight, 20)
    zeros.phase_begins()  # the last one
    training.step(gradient=0.0)
    scatter(late, 20)
    zeros.phase_begins()
    training.step()
    assert [(fact.tensors, fact.held) for fact in told(training, zeros)] == [(("m.w",), 0)]
