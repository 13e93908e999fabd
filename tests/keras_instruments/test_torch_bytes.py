"""Variables of the torch backend are read bit for bit, or the reason why not is said."""

import pytest

torch = pytest.importorskip("torch")
with pytest.MonkeyPatch.context() as environment:
    environment.setenv("KERAS_BACKEND", "torch")  # only while it is imported: processes of other tests have their own
    pytest.importorskip("keras")

from frostline.frameworks.keras.torch_bytes import host_bytes, zero_state  # noqa: E402
from frostline.observe.protocols import Unreadable  # noqa: E402

GRID = torch.arange(6, dtype=torch.float32).reshape(2, 3)


def test_bytes_are_those_of_the_values_in_c_order() -> None:
    assert bytes(host_bytes(GRID.t())) == GRID.t().numpy().tobytes(order="C")
    assert bytes(host_bytes(torch.nn.Parameter(GRID))) == GRID.numpy().tobytes()
    assert bytes(host_bytes(GRID.bfloat16())) == GRID.bfloat16().view(torch.int16).numpy().tobytes()
    conjugate = torch.complex(GRID, GRID).conj()
    assert bytes(host_bytes(conjugate)) == conjugate.resolve_conj().numpy().tobytes()
    assert bytes(host_bytes(torch.empty(0))) == b""


def test_a_dense_tensor_is_read_where_it_lies() -> None:
    tensor = GRID.clone()
    view = host_bytes(tensor)
    tensor[0, 0] = 7
    assert bytes(view) == tensor.numpy().tobytes()


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_what_has_no_bytes_says_why() -> None:
    freed = GRID.clone()
    freed.untyped_storage().resize_(0)
    for tensor, reason in ((GRID.to("meta"), "meta tensor"), (GRID.to_sparse_csr(), "sparse_csr"), (freed, "freed")):
        with pytest.raises(Unreadable, match=reason):
            host_bytes(tensor)


def test_a_gradient_is_missing_zero_or_not() -> None:
    values = (None, torch.zeros(3), torch.tensor([float("nan")]), GRID.to_sparse())
    assert [zero_state(each) for each in values] == ["none", "zero", "nonzero", "nonzero"]
