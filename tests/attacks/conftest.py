"""No bad file may take long: every test here has a limit, of processor time, since machines that run tests are busy."""

import os
from collections.abc import Iterator

import pytest

SECONDS = 60  # generous: the files here take milliseconds, and a process of the HDF5 library half a second


def _worked() -> float:
    """The processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


@pytest.fixture(autouse=True)
def _bounded_time() -> Iterator[None]:
    start = _worked()
    yield
    assert _worked() - start < SECONDS
