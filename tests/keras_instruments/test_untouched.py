"""The observer changes nothing: losses, weights, optimizer state, random state and prints are those of a plain run."""

from pathlib import Path

import pytest
from running import GENERATIONS, observed, plainly


@pytest.mark.parametrize("backend", GENERATIONS)
def test_a_run_prints_the_same_with_and_without_frostline(backend: str, tmp_path: Path) -> None:
    alone = plainly("untouched.py", backend)
    assert "random" in alone
    assert observed("untouched.py", backend, tmp_path, "--check-every", "1").printed == alone
