"""The observer changes nothing: bits, traces, compiles, donation and prints are those of a plain run."""

from pathlib import Path

import pytest
from jax_running import NEEDS, observed, plainly

STYLES = ("jit", "donated", "scan", "eager", "by_hand", "linen", "nnx_jit", "nnx_eager", "equinox", "ahead")


@NEEDS
@pytest.mark.parametrize("style", STYLES)
def test_a_run_prints_the_same_with_and_without_frostline(style: str, tmp_path: Path) -> None:
    alone = plainly("styles.py", style)
    assert "compiled" in alone
    seen = observed("styles.py", tmp_path, style, options=("--check-every", "1"))
    assert seen.printed == alone
    assert seen.record.run.faults == []
    assert seen.record.run.steps >= 1


@NEEDS
@pytest.mark.parametrize("style", ["donated", "nnx_jit", "equinox"])
def test_so_it_does_where_most_steps_are_no_checks(style: str, tmp_path: Path) -> None:
    seen = observed("styles.py", tmp_path, style)
    assert seen.printed == plainly("styles.py", style)
    assert seen.record.run.faults == []
    assert (seen.record.run.steps, seen.record.run.checks) == (12, 5)  # after steps 1, 2, 4 and 8, and at the end


@NEEDS
def test_what_would_be_a_change_shows(tmp_path: Path) -> None:
    assert plainly("styles.py", "jit") != plainly("styles.py", "eager")


@NEEDS
def test_an_error_of_the_script_goes_through_and_the_step_does_not_count(tmp_path: Path) -> None:
    seen = observed("failing.py", tmp_path)
    assert seen.printed == "the script's own\nthe script's own\n3 steps\n"
    assert seen.optimizer("step").steps_executed == 3
    assert seen.record.run.faults == []
