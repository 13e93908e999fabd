"""`frostline watch` beside a real training: lines in a pipe, one picture in a terminal, and an end of its own."""

import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from frostline.cli.commands import watch
from frostline.cli.commands.watch import sights
from frostline.core.journal import Journal
from frostline.core.record import Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.storage.run_file import RunFile, Seal
from frostline.core.storage.store import FORMAT, save
from frostline.run.files import pulse
from frostline.version import __version__

pytestmark = pytest.mark.needs("torch", "pexpect", "pyte")

DATA = ".frostline.json"
SLOWLY = """
import os, time
while not os.path.exists("enough"):
    step()
    time.sleep(0.05)
"""
COLOR = re.compile(r"\x1b\[[\d;]*3[0-7][\d;]*m")


@pytest.fixture
def training(shell, linear) -> Iterator[subprocess.Popen]:
    """A training that checks at every step until the file ``enough`` is there; its first record is written."""
    linear(SLOWLY)
    process = shell.start("run", "--quiet", "--check-every", "1", "--frozen", "1.**", "train.py")
    until(lambda: (shell.folder / DATA).exists())
    yield process
    process.kill()
    process.communicate()


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def line_with(text: str, process: subprocess.Popen) -> str:
    """The next line of the watch that has the text."""
    for line in process.stdout:
        if text in line:
            return line
    pytest.fail(f"ended without {text!r}: {process.communicate()}")


def test_in_a_pipe_each_check_is_a_line(shell, linear) -> None:
    save(Record(FORMAT, "0.1", Run(complete=True), [], [], Totals(), [], Verdict()), shell.folder / DATA)
    watch = shell.start("watch", "--wait")  # the record there is that of an older run
    linear("\nimport time; time.sleep(1)\n")
    shell.observed("train.py")
    stdout, stderr = watch.communicate(timeout=60)
    lines = stdout.splitlines()
    assert (watch.returncode, stderr) == (0, "")
    assert re.match(r"running, step \d; 8 of 23 parameters changed; no contradiction found", lines[-2])
    assert lines[-1].startswith("ended with exit status 0 after step 3; 8 of 23 parameters changed; no contradiction")
    assert shell.frostline("watch").stdout.splitlines() == lines[-1:]


def test_a_record_that_is_removed_comes_back_with_the_next_check(shell, training) -> None:
    watch = shell.start("watch")
    assert line_with("1 error", watch).startswith("running")
    training.send_signal(signal.SIGSTOP)
    (shell.folder / DATA).unlink()
    assert "waiting for another" in line_with("removed", watch)
    training.send_signal(signal.SIGCONT)
    assert line_with("1 error", watch).startswith("running")
    (shell.folder / "enough").touch()
    assert "exit status 0" in line_with("ended", watch)
    assert (watch.communicate()[1], watch.returncode) == ("", 0)


def test_a_training_that_is_killed_is_told(shell, training) -> None:
    watch = shell.start("watch")
    line_with("running", watch)
    training.kill()
    training.wait()
    assert "known up to step" in line_with("the process is gone", watch)
    assert (watch.communicate()[1], watch.returncode) == ("", 0)


def test_between_two_checks_the_step_and_the_rate_are_told(shell, linear) -> None:
    linear(SLOWLY.replace("0.05", "0.01"))
    process = shell.start("run", "--quiet", "train.py")  # checks at steps 1, 2, 4, 8, …
    until(lambda: (shell.folder / DATA).exists())
    sight = next(each for each in sights(shell.folder / DATA) if each.pulse and each.pulse[0] > 40 and each.pulse[1])
    told = "".join(span.text for span in sight.told)
    step = max(sight.pulse[0], sight.record.run.steps)  # a check may just have been made
    assert re.fullmatch(rf"running, step {step:,}, [\d.]+ steps/s", told)
    assert sight.record.run.steps in (2**n for n in range(20))
    assert step > sight.record.run.steps or step in (2**n for n in range(20))
    (shell.folder / "enough").touch()
    process.communicate()
    assert pulse.read(replace(sight.record.run, pid=os.getpid())) is None
    assert not Path(tempfile.gettempdir(), f"frostline-{process.pid}.step").exists()


def test_each_look_is_a_document_for_programs(shell, linear) -> None:
    linear()
    shell.frostline("run", "--quiet", "--frozen", "1.**", "train.py")
    done = shell.frostline("watch", "--json")
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert (told["state"], told["step"], told["exit"], told["verdict"]["errors"]) == ("ended", 3, 0, 1)
    assert [finding["code"] for finding in told["findings"]] == ["M501"]


def test_a_pulse_beats_at_most_once_a_second(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run, now, asked = Run(pid=os.getpid(), host=platform.node()), [100.0], []
    beating = pulse.Pulse(lambda: asked.append(now[0]) or 10 * len(asked), lambda: now[0])
    for _ in range(100):
        beating.beat()
        now[0] += 0.125
    assert asked == [100.0 + n for n in range(13)]
    assert pulse.read(run) == (130, 10.0)
    beating.close()
    assert pulse.read(run) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("color", [True, False])
def test_in_a_terminal_one_picture_is_drawn_anew(shell, training, color: bool) -> None:
    screen, watch = Screen.of(shell, color)
    first = screen.until("running, step", watch)
    assert "error M501" in first
    before = int(re.search(r"running, step (\d+)", first)[1])
    screen.until(f"running, step {before + 3}", watch, at_least=True)
    (shell.folder / "enough").touch()
    last = screen.until("ended with exit status 0", watch)
    watch.expect(eof())
    watch.close()
    assert watch.exitstatus == 0
    assert last.count("frostline watch train.py") == 1
    assert "1 error, 0 warnings" in last
    assert bool(COLOR.search("".join(screen.printed))) is color


def test_ctrl_c_ends_the_watch_and_not_the_training(shell, training) -> None:
    screen, watch = Screen.of(shell)
    screen.until("running, step", watch)
    watch.sendintr()
    watch.expect(eof())
    watch.close()
    assert (watch.exitstatus, training.poll()) == (130, None)
    assert "Traceback" not in watch.before


@pytest.mark.parametrize(("content", "said"), [
    (None, "there is no record at"),
    ("epoch,loss\n1,0.5\n", "is not a frostline record"),
    ('{"format":99,"frostline":"9.0"}', "has record format 99"),
])  # fmt: skip
def test_what_is_no_record_is_refused(shell, content: str | None, said: str) -> None:
    if content is not None:
        shell.write(DATA, content)
    done = shell.frostline("watch")
    first, second = done.stderr.splitlines()
    assert (done.status, done.stdout) == (2, "")
    assert first.startswith("frostline: ")
    assert said in first
    assert second.startswith("hint: ")


def test_a_record_that_becomes_something_else_ends_the_watch(shell, training) -> None:
    watch = shell.start("watch")
    line_with("running", watch)
    training.send_signal(signal.SIGSTOP)
    shell.write(DATA, "epoch,loss\n")
    _, stderr = watch.communicate(timeout=60)
    assert watch.returncode == 2
    assert "is not a frostline record" in stderr
    assert "Traceback" not in stderr


def eof() -> type:
    import pexpect

    return pexpect.EOF


class Screen:
    """What a terminal of 80 columns shows of a process, and everything that it was sent."""

    def __init__(self) -> None:
        import pyte

        self.screen = pyte.Screen(80, 40)
        self.stream = pyte.Stream(self.screen)
        self.printed: list[str] = []

    @classmethod
    def of(cls, shell, color: bool = True) -> tuple["Screen", Any]:
        import pexpect

        screen = cls()
        asked = {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"} | ({} if color else {"NO_COLOR": "1"})
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | asked
        command = [sys.executable, "-m", "frostline", "watch"]
        watch = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(shell.folder),
            env=environment,
            dimensions=(40, 80),
            encoding="utf-8",
            timeout=120,
            preexec_fn=shell.by_default,
        )
        return screen, watch

    def until(self, text: str, process: Any, at_least: bool = False) -> str:
        """The screen as soon as it shows the text, whole to its last line; with ``at_least`` a number may be larger."""
        import pexpect

        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.feed(process.read_nonblocking(65536, timeout=0.2))
            except (pexpect.TIMEOUT, pexpect.EOF):
                shown = "\n".join(self.screen.display)
                if is_shown(text, shown, at_least):
                    return shown
                if not process.isalive():
                    break
        pytest.fail(f"{text!r} was not shown:\n" + "\n".join(self.screen.display))

    def feed(self, data: str) -> None:
        self.printed.append(data)
        self.stream.feed(data)


def is_shown(text: str, shown: str, at_least: bool) -> bool:
    if not at_least:
        return text in shown
    words, wanted = text.rsplit(" ", 1)
    found = re.search(rf"{words} ([\d,]+)", shown)
    return found is not None and int(found[1].replace(",", "")) >= int(wanted)


def test_the_folder_of_a_run_is_followed_until_its_processes_have_ended(tmp_path) -> None:
    folder = tmp_path / "run-20260101-000000-0a0a0a0a"
    folder.mkdir()
    files = [RunFile(folder / f"rank-{rank}.json", Journal(), __version__) for rank in (0, 1)]
    runs = [Run(["train.py"], rank=rank, world_size=2, pid=os.getpid(), host=platform.node()) for rank in (0, 1)]

    def store(steps: int, complete: bool) -> None:
        for file, run in zip(files, runs, strict=True):
            run.steps, run.complete = steps, complete
            file.append(run, Seal([]) if complete else None)

    store(1, False)
    seen = sights(tmp_path, pause=0)
    first = next(seen)
    store(8, True)
    last = [*seen][-1]
    assert (first.state, first.record.run.steps, first.record.run.world_size) == ("running", 1, 2)
    assert (last.state, last.record.run.steps, last.record.run.missing) == ("ended", 8, [])


def test_a_last_record_that_is_written_while_the_first_is_read_is_read_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    path, run = tmp_path / "run.json", Run(["train.py"], pid=gone.pid, host=platform.node(), steps=1)
    file = RunFile(path, Journal(), __version__)
    file.append(run, None)
    load = watch.load

    def slowly(path: Path) -> Record:
        record = load(path)
        if not run.complete:
            run.steps, run.complete = 8, True
            file.append(run, Seal([]))
        return record

    monkeypatch.setattr(watch, "load", slowly)
    last = [*sights(path, pause=0)][-1]
    assert (last.state, last.record.run.steps) == ("ended", 8)
