"""Whether the process of a run goes on, as far as this machine can know."""

import os
import platform
import subprocess
import sys

import pytest

from frostline.core.run import Run, is_alive

HERE = platform.node()


def test_a_process_that_has_ended_is_not_alive() -> None:
    ended = subprocess.Popen([sys.executable, "-S", "-c", ""])
    ended.wait()
    assert is_alive(Run(pid=ended.pid, host=HERE)) is False


def test_this_one_is() -> None:
    assert is_alive(Run(pid=os.getpid(), host=HERE)) is True


def test_one_of_another_user_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pid: int, signal: int) -> None:
        assert signal == 0  # which only asks
        raise PermissionError

    monkeypatch.setattr(os, "kill", refused)
    assert is_alive(Run(pid=1, host=HERE)) is True


@pytest.mark.parametrize("run", [Run(host=HERE), Run(pid=os.getpid(), host="elsewhere"), Run(pid=os.getpid())])
def test_nothing_is_known_without_a_process_or_of_another_machine(run: Run) -> None:
    assert is_alive(run) is None


def test_nothing_is_asked_where_asking_would_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")
    assert is_alive(Run(pid=os.getpid(), host=HERE)) is None
