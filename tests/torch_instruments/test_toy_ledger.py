"""The expected ledger of the toy model."""

import torch
from toy import Toy, finding, graver, tensor_row, train, watched, words

from frostline.core.verdict import totals


def ledger_of_toy():
    model = Toy()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

    def loss(model, batch):
        return torch.nn.functional.cross_entropy(model(batch), batch)

    return watched(lambda: train(model, optimizer, words(), loss), model, optimizer)


EXPECTED = {
    # name: (kind, declared, wired, changed)
    "model.embed.weight": ("parameter", True, ["optimizer"], "yes"),
    "model.frozen.weight": ("parameter", False, ["optimizer"], "no"),
    "model.frozen.bias": ("parameter", False, ["optimizer"], "no"),
    "model.norm.weight": ("parameter", True, ["optimizer"], "yes"),
    "model.norm.bias": ("parameter", True, ["optimizer"], "yes"),
    "model.norm.running_mean": ("buffer", None, [], "yes"),
    "model.norm.running_var": ("buffer", None, [], "yes"),
    "model.norm.num_batches_tracked": ("buffer", None, [], "yes"),
    "model.unused.weight": ("parameter", True, ["optimizer"], "no"),
    "model.unused.bias": ("parameter", True, ["optimizer"], "no"),
}


def test_every_column_of_every_tensor():
    record = ledger_of_toy()
    seen = {
        row.name: (
            row.kind,
            row.declared.trainable,
            [holding.optimizer for holding in row.optimizers],
            row.changed.verdict,
        )
        for row in record.tensors
    }
    assert seen == EXPECTED


def test_the_tied_name_is_an_alias_of_one_tensor():
    assert tensor_row(ledger_of_toy(), "model.head.weight").name == "model.embed.weight"


def test_totals_count_each_number_once():
    record = ledger_of_toy()
    assert record.totals == totals(record.tensors)
    assert record.totals.parameters == 12 * 8 + 8 * 8 + 8 + 8 + 8 + 3 * 3 + 3
    assert record.totals.changed == 12 * 8 + 8 + 8


def test_what_is_told_above_a_note_is_the_unused_layer_alone():
    record = ledger_of_toy()
    assert graver(record) == [("no-gradient", ["model.unused.weight", "model.unused.bias"])]
    assert "never called model.unused" in finding(record, "no-gradient").message


def test_the_program_is_named_as_in_the_script():
    record = ledger_of_toy()
    assert [(optimizer.id, optimizer.name, optimizer.steps_executed) for optimizer in record.optimizers] == [
        ("optimizer", "Adam", 8)
    ]
