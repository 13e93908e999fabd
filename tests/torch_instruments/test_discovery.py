"""Models, plain tensors and calls are found without being told, and what is temporary is not taken for them."""

import threading
import time

import torch
from torch import nn
from toy import finding, graver, rows, squares, tensor_row, train, watched

import frostline


class RunsWhileMade(nn.Module):
    """Calls itself in its constructor, as networks do that must know the width of their features."""

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.head = nn.Linear(self(torch.zeros(1, 4)).shape[1], 2)

    def forward(self, x):
        features = torch.relu(self.body(x))
        return self.head(features) if hasattr(self, "head") else features


def test_a_model_that_runs_in_its_own_constructor_is_named_by_its_variable():
    def run():
        network = RunsWhileMade()
        train(network, torch.optim.SGD(network.parameters(), 0.1), rows())

    record = watched(run)
    assert {row.model for row in record.tensors} == {"network"}
    assert tensor_row(record, "network.head.weight").changed.verdict == "yes"
    assert graver(record) == []


def test_layers_put_together_to_ask_for_a_size_are_named_as_in_the_model_that_holds_them():
    def run():
        body = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
        front = nn.Sequential(*list(body.children())[:2])
        with torch.no_grad():
            width = nn.Sequential(*body.children())(torch.zeros(1, 4)).shape[1]
            assert front(torch.zeros(1, 4)).shape[1] == width
        network = nn.Sequential(body, nn.Linear(width, 2))
        train(network, torch.optim.SGD(network.parameters(), 0.1), rows())

    record = watched(run)
    assert {row.model for row in record.tensors} == {"network"}
    assert tensor_row(record, "network.0.0.weight").changed.verdict == "yes"
    assert tensor_row(record, "network.0.2.bias").changed.verdict == "yes"


def test_layers_that_are_trained_as_one_model_first_keep_its_name():
    def run():
        stem = nn.Linear(4, 8)
        coder = nn.Sequential(stem, nn.Linear(8, 2))
        train(coder, torch.optim.SGD(coder.parameters(), 0.1), rows())
        classifier = nn.Sequential(nn.Sequential(*coder.children()), nn.Linear(2, 2))
        train(classifier, torch.optim.SGD(classifier.parameters(), 0.1), rows())

    record = watched(run)
    assert {row.model for row in record.tensors} == {"coder", "classifier"}
    assert tensor_row(record, "coder.0.weight").changed.verdict == "yes"


def test_plain_tensors_updated_by_hand_without_an_optimizer():
    def run():
        table = torch.randn(6, 3, requires_grad=True)
        weight = torch.randn(3, 2, requires_grad=True)
        for _ in range(8):
            noise = torch.zeros(6, 3, requires_grad=True)
            loss = ((table + noise) @ weight).square().mean()
            loss.backward()
            for tensor in (table, weight):
                tensor.data -= 0.1 * tensor.grad
                tensor.grad = None

    record = watched(run)
    assert {row.name: row.changed.verdict for row in record.tensors} == {"table": "yes", "weight": "yes"}
    assert record.optimizers[0].steps_executed == 8
    assert graver(record) == []


class DropsAnOutput(nn.Module):
    """An auxiliary layer whose output nobody keeps: its memory goes to what is computed next."""

    def __init__(self):
        super().__init__()
        self.body, self.spare, self.head = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 1)
        self.mask = nn.Identity()

    def forward(self, x):
        features = self.body(x)
        self.spare(features)
        masks = [self.mask(torch.ones(len(x), 64)) for _ in range(16)]
        return self.head(features * masks[-1])


def test_memory_that_is_used_again_is_no_cut():
    model = DropsAnOutput()
    record = watched(lambda: train(model, torch.optim.SGD(model.parameters(), 0.1), rows(width=64)))
    found = finding(record, "no-gradient")
    assert found.tensors == ["model.spare.weight", "model.spare.bias"]
    assert found.message.endswith("the module around it dropped what it returned)")


class ReadsTheSameTwice(nn.Module):
    """Two layers over the same input, of which the first one's output is not used."""

    def __init__(self):
        super().__init__()
        self.spare, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        self.spare(x)
        return self.head(x)


def test_two_layers_over_one_input_are_no_cut():
    model = ReadsTheSameTwice()
    record = watched(lambda: train(model, torch.optim.SGD(model.parameters(), 0.1), rows()))
    assert finding(record, "no-gradient").message.endswith("the module around it dropped what it returned)")


def test_stand_ins_with_computed_weights_are_no_layers_remade_in_every_pass():
    model = nn.Linear(4, 2)

    def adapted(model, batch):
        layer = nn.Linear(4, 2)
        layer._parameters.update({name: weight * 0.9 for name, weight in model.named_parameters()})
        return squares(nn.Sequential(layer, nn.Tanh()), batch)

    record = watched(lambda: train(model, torch.optim.SGD(model.parameters(), 0.1), rows(), adapted))
    assert graver(record) == []


def test_a_step_with_a_closure_makes_its_own_backward_passes():
    model = nn.Linear(4, 1)
    first, second = torch.optim.Adam(model.parameters(), 0.01), torch.optim.LBFGS(model.parameters(), max_iter=4)

    def again(batch):
        second.zero_grad()
        loss = squares(model, batch)
        loss.backward()
        return loss

    def run():
        for batch in rows(4):
            again(batch)
            first.step()
        for batch in rows(4):
            second.step(lambda batch=batch: again(batch))

    assert graver(watched(run)) == []


def test_optimizers_kept_by_tensor_are_named_by_their_place():
    model = nn.Linear(4, 1)
    kept = {weight: torch.optim.SGD([weight], 0.1) for weight in model.parameters()}

    def run():
        for batch in rows(4):
            squares(model, batch).backward()
            for weight in kept:
                kept[weight].step()

    assert [optimizer.id for optimizer in watched(run).optimizers] == ["kept.0", "kept.1"]


def test_what_several_threads_train_at_once_is_looked_at_in_one_of_them():
    begun, over = threading.Event(), threading.Event()

    def aside():
        begun.wait(60)
        other = nn.Linear(4, 1)
        train(other, torch.optim.SGD(other.parameters(), 0.1), rows(5))
        over.set()

    def batches():
        for number, batch in enumerate(rows(6)):
            yield batch
            if number == 2:
                begun.set()
                while not over.is_set():
                    time.sleep(0.001)

    def run():
        model = nn.Linear(4, 1)
        thread = threading.Thread(target=aside)
        thread.start()
        train(model, torch.optim.SGD(model.parameters(), 0.1), batches())
        thread.join()

    record = watched(run)
    assert {(row.model, row.changed.verdict) for row in record.tensors} == {("model", "yes")}
    assert [(program.steps_executed, program.steps_beside) for program in record.optimizers] == [(6, 0), (0, 5)]
    assert graver(record) == []


def test_a_thread_that_trains_while_the_others_wait_is_looked_at():
    def run():
        one, two = nn.Linear(4, 1), nn.Linear(4, 1)
        for model in (one, two):
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            thread = threading.Thread(target=train, args=(model, optimizer, rows()))
            thread.start()
            thread.join()

    record = watched(run)
    assert {row.changed.verdict for row in record.tensors} == {"yes"}
    assert [program.steps_beside for program in record.optimizers] == [0, 0]


def test_a_name_left_on_a_former_tensor_makes_it_no_tensor() -> None:
    """``for parameter in …:`` leaves its variable on the last one, which the optimizer still holds."""
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for parameter in network.parameters():
        parameter.grad = None
    network[1] = nn.Linear(4, 5)
    with frostline.watch() as seen:
        for _ in range(4):
            network.zero_grad()
            network(torch.ones(2, 4)).square().mean().backward()
            optimizer.step()
    record = seen.report.record
    assert parameter.grad is None
    assert {row.model for row in record.tensors} == {"network"}
    assert [finding.rule for finding in record.findings] == ["optimizer-holds-other-tensors"]
    assert len(record.optimizers[0].foreign_shapes) == 2
