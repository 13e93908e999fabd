"""No bad file may take long: every test here has a limit."""

import time
from collections.abc import Iterator

import pytest

SECONDS = 60  # generous, because machines that run tests are busy; the files here take milliseconds


@pytest.fixture(autouse=True)
def _bounded_time() -> Iterator[None]:
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < SECONDS
