"""Completion in real shells: the key is pressed, and what the shell made of the line is what it says."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
LINES = [
    ("frostline deb", "frostline debug"),
    ("frostline wat", "frostline watch"),
    ("frostline explain frozen-but-dec", "frostline explain frozen-but-decayed"),
    ("frostline explain F10", None),  # several: the shell lists them
    ("frostline explain P80", "frostline explain P801"),
    ("frostline report --format sar", "frostline report --format sarif"),
    ("frostline run --fail-on warn", "frostline run --fail-on warning"),
    ("frostline report monday", "frostline report mondays-run.json"),
    ("frostline run sub/tra", "frostline run sub/train.py"),
    ("frostline run sub/train.py --config mon", "frostline run sub/train.py --config mondays-run.json"),
    ("frostline diff mon", "frostline diff mondays-run.json"),
    ("frostline completion fi", "frostline completion fish"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mondays-run.json").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "train.py").touch()
    return tmp_path


@pytest.fixture
def bash(folder: Path) -> Iterator[pexpect.spawn]:
    environment = {"PATH": PATH, "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "INPUTRC": os.devnull}
    shell = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(folder), env=environment, encoding="utf-8", timeout=30
    )
    shell.sendline('eval "$(frostline completion bash)"; echo rea""dy')
    shell.expect("ready\r\n")
    shell.expect("> ")
    yield shell
    shell.close(force=True)


def test_bash_completes_commands_options_rules_and_files(bash: pexpect.spawn) -> None:
    for begun, line in LINES:
        if line is None:
            bash.send(f"{begun}\t\t")
            bash.expect("F100.*F109")
            bash.sendcontrol("c")
        else:
            bash.send(f"{begun}\t\x01 echo =[\x05]=\n")  # to the start of the line, and back to its end
            bash.expect_exact(f"=[{line}")
        bash.expect("> ")


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_commands_options_rules_and_files(folder: Path) -> None:
    for begun, line in LINES:
        script = f"frostline completion fish | source; complete -C '{begun}'"
        environment = {"PATH": PATH, "HOME": str(folder)}
        done = subprocess.run(["fish", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
        words = [each.partition("\t")[0] for each in done.stdout.splitlines()]
        assert line is None or words == [line.split()[-1]], (begun, done)


def test_an_unknown_shell_is_refused() -> None:
    command = [sys.executable, "-m", "frostline", "completion", "tcsh"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("frostline: ")


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_get_a_script_of_their_own(shell: str) -> None:
    command = [sys.executable, "-m", "frostline", "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_FROSTLINE_COMPLETE={shell}_complete" in done.stdout
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=done.stdout, text=True, check=True)
