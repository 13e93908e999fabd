"""What is shown while bits are read, where that takes long: on a terminal only, and wiped out again."""

import sys

import pexpect
import pytest

pytestmark = pytest.mark.needs("torch")

# The time that passes without a word is set to none, so that a small model is large enough.
IMPATIENT = """
import sys
import frostline.observe.progress as notice
from frostline.cli import main
notice.PATIENCE = notice._PAUSE = 0.0
main(sys.argv[1:])
"""
TOLD = " GB of weights read"


def on_a_terminal(shell, *arguments: str) -> str:
    shell.write("impatient.py", IMPATIENT)
    process = pexpect.spawn(
        sys.executable,
        ["impatient.py", *arguments],
        cwd=str(shell.folder),
        env=shell.fresh | {"TERM": "xterm"},
        encoding="utf-8",
        timeout=60,
    )
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0, process.before
    return process.before


def test_a_terminal_is_told_what_is_read_and_left_as_it_was(shell, linear) -> None:
    linear("print('done')\n")
    printed = on_a_terminal(shell, "run", "train.py")
    first, *_ = printed.split("done")
    assert f"\r\x1b[Kfrostline: 0.0{TOLD}" in first
    assert first.endswith("\r\x1b[K")
    assert printed.count("\r\x1b[K") > printed.count(TOLD)  # every stretch is wiped out at its end


def test_quiet_runs_and_pipes_are_told_nothing(shell, linear) -> None:
    linear()
    assert on_a_terminal(shell, "run", "--quiet", "train.py") == ""
    assert TOLD not in shell.python("impatient.py", "run", "train.py").stderr
