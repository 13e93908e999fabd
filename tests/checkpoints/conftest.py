"""What tests of checkpoints share."""

from collections.abc import Callable

import checkpoint_calls
import pytest

from frostline.checkpoints import Tensor


@pytest.fixture(name="call")
def call_fixture() -> Callable[..., checkpoint_calls.Outcome]:
    return checkpoint_calls.call


@pytest.fixture(name="bytes_of")
def bytes_of_fixture() -> Callable[[Tensor], bytes]:
    return checkpoint_calls.bytes_of
