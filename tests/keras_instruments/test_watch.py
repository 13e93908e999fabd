"""Watching from Python: begun late, and over when the block is."""

import pytest
from running import GENERATIONS, plainly

EXPECTED = """\
[] 0 0
model 4 2
model.base.kernel frozen False no
model.base.bias frozen False no
model.head.kernel None True yes
model.head.bias None True yes
wrapped still: False
told when freed: False
"""


@pytest.mark.parametrize("backend", GENERATIONS)
def test_a_watch_that_begins_after_a_fit(backend: str) -> None:
    assert plainly("late.py", backend) == EXPECTED
