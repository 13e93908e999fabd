"""Signals end an observed script as they end any script, and a readable record stays behind."""

import re
import signal
import subprocess
import time

import pytest

from frostline.judging import load

pytestmark = pytest.mark.needs("torch")

FOREVER = """
import time
print("ready", flush=True)
while True:
    step()
    time.sleep(0.001)
"""

STOPPABLE = """
import time
try:
    print("ready", flush=True)
    while True:
        step()
        time.sleep(0.001)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def until_ready(process: subprocess.Popen) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()


def ended_by(signal_number: int, process: subprocess.Popen) -> str:
    """Send the signal once the script says that it is ready; what it printed on stderr."""
    until_ready(process)
    process.send_signal(signal_number)
    return process.communicate(timeout=60)[1]


def test_ctrl_c_stores_the_record_prints_the_report_and_exits_130(shell, linear) -> None:
    linear(FOREVER)
    process = shell.start("run", "train.py")
    stderr = ended_by(signal.SIGINT, process)
    record = load(shell.folder / ".frostline.json")
    assert process.returncode == 130
    assert stderr.startswith("Traceback (most recent call last):\n  File ")
    assert "\nKeyboardInterrupt\n" in stderr
    assert "frostline/" not in stderr.partition("\nKeyboardInterrupt\n")[0]
    assert re.search(r"(?m)^frostline: no contradiction", stderr)
    assert (record.run.complete, record.run.exit, record.run.ended_by) == (True, 130, "SIGINT")


def test_ctrl_c_that_the_script_handles_is_an_end_like_any_other(shell, linear) -> None:
    linear(STOPPABLE)
    process = shell.start("run", "--quiet", "train.py")
    assert ended_by(signal.SIGINT, process) == ""
    assert process.returncode == 0
    assert load(shell.folder / ".frostline.json").run.ended_by is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_killed_script_dies_by_the_signal_and_leaves_its_last_check(number: signal.Signals, shell, linear) -> None:
    linear(FOREVER)
    process = shell.start("run", "train.py")
    assert ended_by(number, process) == ""
    record = load(shell.folder / ".frostline.json")
    assert process.returncode == -number
    assert not record.run.complete
    assert record.run.exit is None
    assert record.run.steps >= 2
    assert {row.name: row.changed.verdict for row in record.tensors}["model.1.weight"] == "yes"


def test_the_scripts_own_handler_is_called(shell, linear) -> None:
    linear("\nimport signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(12))" + FOREVER)
    process = shell.start("run", "train.py")
    ended_by(signal.SIGTERM, process)
    record = load(shell.folder / ".frostline.json")
    assert process.returncode == 12
    assert (record.run.complete, record.run.exit) == (True, 12)


def test_a_kill_at_any_moment_leaves_a_readable_record_or_none(shell, linear) -> None:
    linear(FOREVER)
    seen = 0
    for moment in range(5):
        process = shell.start("run", "--check-every", "1", "train.py")
        until_ready(process)
        time.sleep(0.02 * moment)
        process.kill()
        process.communicate()
        if (shell.folder / ".frostline.json").exists():
            seen += not load(shell.folder / ".frostline.json").run.complete
    assert seen == 5


INTERRUPTS = """
import functools, signal
from frostline.observe.observer import Observer

def planted(self, key, before=Observer.before_step):
    signal.raise_signal(signal.SIGALRM)
    before(self, key)

class Stop(Exception):
    pass

class Stops:
    def at(self, number, frame):
        raise Stop

def stop(number, frame, more=None):
    raise Stop

def any_arguments(*given):
    raise Stop

Observer.before_step = planted
for handler in (stop, any_arguments, Stops().at, functools.partial(stop, more=1)):
    signal.signal(signal.SIGALRM, handler)
    try:
        step()
        print("went on")
    except Stop:
        print("stopped")
signal.signal(signal.SIGALRM, lambda *_: None)
step()
signal.signal(signal.SIGALRM, stop)
step()
"""


def test_what_a_handler_raises_while_frostline_is_at_work_reaches_the_script(shell, linear) -> None:
    linear(INTERRUPTS)
    done = shell.observed("train.py")
    run = load(shell.folder / ".frostline.json").run
    assert (done.status, done.stdout) == (1, "stopped\n" * 4)
    assert "frostline" not in done.stderr
    assert (run.faults, run.steps, run.ended_by) == ([], 4, "Stop")
