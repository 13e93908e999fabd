"""Types of tensors: what can be read is read, what cannot is unknown with the reason."""

import pytest
import torch
from torch import nn
from toy import rows, tensor_row, train, watched

TYPES = [
    torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64,
    torch.int8, torch.uint8, torch.int64, torch.bool,
]  # fmt: skip


class Holder(nn.Module):
    """A trained layer beside a tensor of some type that something rewrites in the forward pass."""

    def __init__(self, tensor, touch):
        super().__init__()
        self.layer = nn.Linear(4, 2)
        self.register_buffer("extra", tensor)
        self.touch = touch

    def forward(self, batch):
        if self.touch:
            flat = self.extra.view(torch.uint8) if self.extra.dtype != torch.bool else self.extra
            flat.view(-1)[-1] = ~flat.view(-1)[-1]
        return self.layer(batch)


def judged(tensor, touch):
    model = Holder(tensor, touch)
    optimizer = torch.optim.SGD(model.layer.parameters(), 0.1)
    record = watched(lambda: train(model, optimizer, rows(3)))
    return tensor_row(record, "model.extra")


@pytest.mark.parametrize("kind", TYPES, ids=str)
@pytest.mark.parametrize("touch", [True, False], ids=["written", "left alone"])
def test_one_byte_of_any_type(kind, touch):
    tensor = torch.ones(3, 5).to(kind)
    assert judged(tensor, touch).changed.verdict == ("yes" if touch else "no")


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(()),
        torch.ones(0),
        torch.ones(4, 3).t(),
        torch.ones(9)[::2],
        torch.full((3,), float("nan")),
        torch.tensor([-0.0]),
    ],
    ids=["scalar", "empty", "transposed", "strided", "nan", "negative zero"],
)
def test_layouts_that_nobody_touches_are_unchanged(tensor):
    assert judged(tensor, touch=False).changed.verdict == "no"


def test_negative_zero_is_another_number_by_its_bits():
    model = Holder(torch.zeros(4), touch=False)
    optimizer = torch.optim.SGD(model.layer.parameters(), 0.1)

    def run():
        train(model, optimizer, rows(2))
        model.extra.neg_()
        train(model, optimizer, rows(2))

    assert tensor_row(watched(run), "model.extra").changed.verdict == "yes"


def test_a_meta_tensor_is_unknown_with_the_reason():
    row = judged(torch.empty(3, device="meta"), touch=False)
    assert row.changed.verdict == "unknown"
    assert "meta" in row.unknown["changed"]


PROTOTYPE = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype:UserWarning")
BETA = pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta:UserWarning")
QUANTISED = pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # deprecated, and still in use


@PROTOTYPE
def test_a_nested_tensor_does_not_hide_the_model():
    assert judged(torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]), touch=False).changed.verdict == "no"
    row = judged(torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged), touch=False)
    assert (row.changed.verdict, row.unknown["changed"], row.size) == ("unknown", "a nested tensor", 5)


def test_a_sparse_tensor_is_read_by_its_values():
    assert judged(torch.eye(3).to_sparse(), touch=False).changed.verdict == "no"


@BETA
def test_a_compressed_sparse_tensor_is_unknown_with_the_reason():
    row = judged(torch.eye(3).to_sparse_csr(), touch=False)
    assert (row.changed.verdict, "sparse" in row.unknown["changed"]) == ("unknown", True)


@QUANTISED
def test_a_quantised_tensor():
    assert judged(torch.quantize_per_tensor(torch.ones(4), 0.1, 0, torch.qint8), touch=False).changed.verdict == "no"


@PROTOTYPE
@BETA
@QUANTISED
def test_tensors_of_any_kind_elsewhere_in_the_process_do_not_disturb_the_search_for_a_copy():
    kept = [
        torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged),
        torch.eye(5).to_sparse(),
        torch.eye(5).to_sparse_csr(),
        torch.quantize_per_tensor(torch.randn(5, 5), 0.1, 0, torch.qint8),
        torch.empty(5, 5, device="meta"),
    ]
    model = nn.Sequential(nn.Linear(5, 5), nn.Linear(5, 1))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD(model[1].parameters(), 0.1)

    def run():
        train(model, optimizer, rows(2, width=5))
        model[0].weight.data.copy_(torch.randn(5, 5))  # so that every tensor of this shape is compared
        train(model, optimizer, rows(2, width=5))

    [move] = tensor_row(watched(run), "model.0.weight").changed.movements
    assert move.equals is None
    assert len(kept) == 6
