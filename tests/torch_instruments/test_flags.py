"""When a flag counts as changed during the run, and when it was only being set."""

import pytest
import torch
from torch import nn
from toy import finding, rows, tensor_row, train, watched


def model_of_two_layers():
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def test_flags_set_after_a_first_pass_and_before_training_are_the_declaration():
    def script():
        model = model_of_two_layers()
        model(torch.randn(1, 4))  # to see whether the shapes fit
        model[0].requires_grad_(False)
        train(model, torch.optim.SGD(model[2].parameters(), 0.1), rows())

    record = watched(script)
    declared = tensor_row(record, "model.0.weight").declared
    assert (declared.first, declared.flips) == (False, [])
    assert "flag-flipped-during-run" not in {each.rule for each in record.findings}


def test_a_layer_opened_before_training_but_after_its_optimizer_was_made_is_still_told_so():
    def script():
        model = model_of_two_layers()
        model[0].requires_grad_(False)
        optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], 0.1)
        model(torch.randn(1, 4))
        model[0].requires_grad_(True)
        train(model, optimizer, rows())

    assert finding(watched(script), "unfrozen-after-compile").severity == "error"


@pytest.mark.parametrize("batches", [1, 2])
def test_a_flag_set_between_backward_and_the_first_step_is_a_change(batches):
    def script():
        model = model_of_two_layers()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        for _ in range(batches):
            model(torch.randn(8, 4)).sum().backward()
        model[0].requires_grad_(False)
        optimizer.step()
        train(model, torch.optim.SGD(model[2].parameters(), 0.1), rows())

    record = watched(script)
    assert finding(record, "frozen-with-stale-gradient").severity == "error"
    assert len(tensor_row(record, "model.0.weight").declared.flips) == 1
