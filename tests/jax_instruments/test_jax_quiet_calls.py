"""A call that is no check goes through few functions of ours: that much can be counted on a busy machine too."""

from pathlib import Path

from jax_running import NEEDS, observed, plainly

MOST = 12  # it was 23 once, for which 7 % were added to a call of equinox


@NEEDS
def test_a_quiet_call_of_equinox_goes_through_few_functions(tmp_path: Path) -> None:
    assert plainly("quiet_calls.py").split()[0] == "0.0"
    seen = observed("quiet_calls.py", tmp_path)
    count, *names = seen.printed.split()
    assert 0 < float(count) <= MOST, names
    assert seen.optimizer("step").steps_executed == 310
