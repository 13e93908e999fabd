"""Healthy trainings, of every kind that must be followed, give no finding above a note."""

import copy

import pytest
import torch
from torch import nn
from toy import graver, rows, squares, tensor_row, train, watched

import frostline


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))


def changed(record, model="model"):
    return {row.changed.verdict for row in record.tensors if row.kind == "parameter" and row.model == model}


OPTIMIZERS = {
    "plain": lambda p: torch.optim.SGD(p, 0.1),
    "foreach": lambda p: torch.optim.AdamW(p, 0.01, foreach=True),
    "fused": lambda p: torch.optim.AdamW(p, 0.01, fused=True),
    "for loop": lambda p: torch.optim.Adam(p, 0.01, foreach=False),
    "groups": lambda p: torch.optim.SGD([{"params": [each], "lr": 0.1} for each in p]),
}


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_optimizers(make):
    model = small()
    optimizer = make(list(model.parameters()))
    record = watched(lambda: train(model, optimizer, rows()))
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_an_optimizer_of_a_third_party():
    class Lion(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.01})

        def step(self, closure=None):
            for group in self.param_groups:
                for tensor in group["params"]:
                    tensor.data.add_(tensor.grad.sign(), alpha=-group["lr"])

    model = small()
    optimizer = Lion(model.parameters())
    record = watched(lambda: train(model, optimizer, rows()))
    assert (changed(record), graver(record)) == ({"yes"}, [])
    assert record.optimizers[0].steps_executed == 8


def test_a_closure():
    model = small()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)

    def run():
        for batch in rows(4):

            def closure(batch=batch):
                optimizer.zero_grad()
                loss = squares(model, batch)
                loss.backward()
                return loss

            optimizer.step(closure)

    record = watched(run)
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_gradients_accumulated_over_sixteen_batches():
    model = small()
    optimizer = torch.optim.AdamW(model.parameters(), 0.01)

    def run():
        for index, batch in enumerate(rows(64)):
            (squares(model, batch) / 16).backward()
            if index % 16 == 15:
                optimizer.step()
                optimizer.zero_grad()

    record = watched(run)
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_a_scaler_that_skips_some_steps():
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**4)

    def run():
        for index, batch in enumerate(rows(10)):
            optimizer.zero_grad()
            loss = squares(model, batch) * (float("inf") if index in (0, 4) else 1.0)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()

    record = watched(run)
    assert (record.optimizers[0].steps_executed, record.optimizers[0].steps_skipped) == (8, 2)
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_a_wrapper_does_not_show_in_the_names():
    model = nn.DataParallel(small())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    record = watched(lambda: train(model, optimizer, rows()))
    assert tensor_row(record, "model.0.weight").changed.verdict == "yes"
    assert graver(record) == []


def test_lazy_modules():
    model = nn.Sequential(nn.LazyLinear(8), nn.ReLU(), nn.LazyLinear(2))
    model(rows(1)[0])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    record = watched(lambda: train(model, optimizer, rows()))
    assert (changed(record), graver(record)) == ({"yes"}, [])


@pytest.mark.parametrize("held_from_the_start", [True, False])
def test_lazy_modules_that_are_watched_from_their_first_pass(held_from_the_start):
    def run():
        model = nn.Sequential(nn.LazyLinear(8), nn.Tanh(), nn.LazyLinear(2))
        model[1].never_called = nn.LazyLinear(3)
        optimizer = torch.optim.SGD(model.parameters(), 0.1) if held_from_the_start else None
        model(rows(1)[0])
        ready = (each for each in model.parameters() if not nn.parameter.is_lazy(each))
        train(model, optimizer or torch.optim.SGD(ready, 0.1), rows())

    record = watched(run)
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_parametrizations():
    model = small()
    nn.utils.parametrizations.weight_norm(model[0])
    nn.utils.parametrizations.spectral_norm(model[2])
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    record = watched(lambda: train(model, optimizer, rows()))
    assert tensor_row(record, "model.0.parametrizations.weight.original1").changed.verdict == "yes"
    assert graver(record) == []


def test_an_averaged_copy():
    model = small()
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def run():
        for batch in rows(12):
            train(model, optimizer, [batch])
            average.update_parameters(model)

    record = watched(run, average)
    assert graver(record) == []


@pytest.mark.parametrize("update", ["lerp", "data", "copy"])
def test_a_frozen_teacher_that_follows(update):
    model = small()
    teacher = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def follow():
        for slow, fast in zip(teacher.parameters(), model.parameters(), strict=True):
            if update == "lerp":
                slow.data.lerp_(fast.data, 0.05)
            elif update == "data":
                slow.data = slow.data * 0.95 + fast.data * 0.05
            else:
                slow.data.copy_(fast.data)

    def run():
        for batch in rows(24):
            train(model, optimizer, [batch], lambda model, batch: (model(batch) - teacher(batch) - 1).square().mean())
            follow()

    record = watched(run, teacher)
    assert tensor_row(record, "teacher.0.weight").changed.followed == "model.0.weight"
    assert graver(record) == []


def test_a_target_that_is_loaded_now_and_then():
    model = small()
    target = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def run():
        for index, batch in enumerate(rows(24)):
            train(model, optimizer, [batch])
            if index % 5 == 4:
                target.load_state_dict(model.state_dict())

    record = watched(run, target)
    assert tensor_row(record, "target.0.weight").changed.verdict == "yes"
    assert graver(record) == []


def test_an_optimizer_inside_the_backward_pass():
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(8)])
    optimizers = {each: torch.optim.SGD([each], 0.01) for each in model.parameters()}

    def apply(tensor):
        optimizers[tensor].step()
        optimizers[tensor].zero_grad()

    for each in model.parameters():
        each.register_post_accumulate_grad_hook(apply)

    def run():
        for batch in rows(6):
            squares(model, batch).backward()

    record = watched(run)
    assert (changed(record), graver(record)) == ({"yes"}, [])


def test_gradual_unfreezing_in_an_optimizer_that_holds_everything():
    model = small()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)

    def run():
        train(model, optimizer, rows(6))
        model[0].requires_grad_(True)
        train(model, optimizer, rows(6))

    record = watched(run)
    assert (changed(record), graver(record)) == ({"yes"}, [])
    assert tensor_row(record, "model.0.weight").changed.first_step == 7


def test_two_networks_that_take_turns():
    generator, judge = small(), nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 1))
    first = torch.optim.Adam(generator.parameters(), 0.01)
    second = torch.optim.Adam(judge.parameters(), 0.01)

    def run():
        for batch in rows(12):
            judge.requires_grad_(True)
            train(judge, second, [generator(batch).detach()])
            judge.requires_grad_(False)
            train(generator, first, [batch], lambda model, batch: judge(model(batch)).mean())

    record = watched(run)
    assert graver(record) == []
    optimizers = {optimizer.id: optimizer for optimizer in record.optimizers}
    assert set(optimizers) == {"first", "second"}
    for own, step in zip(optimizers["second"].checks, optimizers["second"].checked_at, strict=True):
        assert step == 2 * own - 1, "the judge's n-th step is the run's 2n-1st"


def test_weights_updated_by_hand_without_an_optimizer():
    model = small()

    def run():
        for batch in rows(6):
            squares(model, batch).backward()
            with torch.no_grad():
                for each in model.parameters():
                    each -= 0.1 * each.grad
                    each.grad = None

    with frostline.watch(model) as seen:
        run()
    assert (changed(seen.report.record), graver(seen.report.record)) == ({"yes"}, [])


def descend(weights, slopes):
    with torch.no_grad():
        for weight, slope in zip(weights, slopes, strict=True):
            weight -= 0.1 * slope


def test_gradients_that_are_asked_for_and_applied_by_hand():
    model = small()

    def run():
        for batch in rows(6):
            slopes = torch.autograd.grad(squares(model, batch), model.parameters())
            descend(list(model.parameters()), slopes)

    with frostline.watch(model) as seen:
        run()
    assert (changed(seen.report.record), graver(seen.report.record)) == ({"yes"}, [])
    assert seen.report.record.optimizers[0].steps_executed == 6


def test_gradients_that_are_asked_for_and_never_applied_are_no_training():
    model = small()

    def run():
        for batch in rows(6):
            torch.autograd.grad(squares(model, batch), list(model.parameters()))

    with frostline.watch(model) as seen:
        run()
    assert (changed(seen.report.record), graver(seen.report.record)) == ({"no"}, [])
    assert seen.report.record.optimizers == []


def test_gradients_asked_for_before_the_optimizer_is_made():
    model = small()

    def run():
        for batch in rows(4):
            torch.autograd.grad(squares(model, batch), list(model.parameters()))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for batch in rows(6):
            optimizer.zero_grad()
            squares(model, batch).backward()
            optimizer.step()

    with frostline.watch(model) as seen:
        run()
    assert (changed(seen.report.record), graver(seen.report.record)) == ({"yes"}, [])
    assert [optimizer_row.name for optimizer_row in seen.report.record.optimizers] == ["SGD"]


def test_large_models_end_with_their_function(monkeypatch):
    from frostline.frameworks.torch.models import models

    monkeypatch.setattr(models, "KEPT_ALIVE", 0)

    def run():
        model = small()
        model[0].requires_grad_(False)
        train(model, torch.optim.SGD(model.parameters(), 0.1), rows(7))

    record = watched(run)
    assert tensor_row(record, "model.0.weight").changed.checked_until == 7


@pytest.mark.parametrize(("write_at", "severity"), [(8, "note"), (6, "error")])
def test_a_write_into_a_frozen_layer_is_a_fault_unless_training_is_over(write_at, severity):
    model = small()
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model[2].parameters(), 0.1)

    def run():
        for batch in rows(write_at):
            train(model, optimizer, [batch])
        model[0].weight.data += write_at / 7
        train(model, optimizer, rows(12)[write_at:] if severity == "error" else [])

    record = watched(run)
    finding = next(each for each in record.findings if "model.0.weight" in each.tensors)
    assert finding.severity == severity


def test_adapters_merged_and_taken_out_again_are_no_fault_of_the_base():
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(target_modules=["0", "2"], r=2, init_lora_weights=False)
    model = peft.get_peft_model(small(), config)
    optimizer = torch.optim.SGD([each for each in model.parameters() if each.requires_grad], 0.1)

    def run():
        for _ in range(3):
            train(model, optimizer, rows(3))
            model.merge_adapter()
            model(rows(1)[0])
            model.unmerge_adapter()
        model.merge_and_unload()

    record = watched(run, model)
    base = tensor_row(record, "model.base_model.model.0.base_layer.weight")
    assert base.changed.verdict == "yes"
    assert graver(record) == []


def test_a_bias_in_front_of_a_normalisation_is_told_as_what_it_is():
    """Its gradient is not zero, and no rule may say so: it is what rounding left of a sum that cancels."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    with frostline.watch(model, optimizer) as watch:
        for _ in range(8):
            optimizer.zero_grad()
            (model(torch.randn(32, 8)) - 1).square().mean().backward()
            optimizer.step()
    (told,) = watch.report.record.findings
    assert (told.rule, told.severity, told.tensors) == ("zero-gradient", "note", ["model.0.bias"])
    assert "rounding noise" in told.message
    assert "normalisation" in told.hint
