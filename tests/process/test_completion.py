"""Completion in real shells: the key is pressed, and what the shell made of the line is what it says."""

import os
import re
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
    ("frostline explain P80", "frostline explain P801"),
    ("frostline report --format sar", "frostline report --format sarif"),
    ("frostline run --fail-on warn", "frostline run --fail-on warning"),
    ("frostline report monday", "frostline report mondays-run.json"),
    ("frostline run sub/tra", "frostline run sub/train.py"),
    ("frostline run sub/train.py --config mon", "frostline run sub/train.py --config mondays-run.json"),
    ("frostline diff mon", "frostline diff mondays-run.json"),
    ("frostline completion fi", "frostline completion fish"),
    ("frostline explain F10", None),  # several: the shell lists them, and draws the prompt again: the last one
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mondays-run.json").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "train.py").touch()
    return tmp_path


STARTS = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
}
PREPARED = {"bash": "true", "zsh": "bindkey -e; autoload -Uz compinit && compinit -D"}


@pytest.fixture(params=STARTS)
def shell(request: pytest.FixtureRequest, folder: Path) -> Iterator[pexpect.spawn]:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    environment = {"PATH": PATH, "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "INPUTRC": os.devnull}
    spawned = pexpect.spawn(name, STARTS[name], cwd=str(folder), env=environment, encoding="utf-8", timeout=120)
    spawned.sendline(f'{PREPARED[name]}; eval "$(frostline completion {name})"; echo rea""dy')
    spawned.expect("ready\r\n")
    spawned.expect("> ")
    yield spawned
    spawned.close(force=True)


def test_a_shell_completes_commands_options_rules_and_files(shell: pexpect.spawn) -> None:
    for begun, line in LINES:
        if line is None:
            shell.send(f"{begun}\t\t")
            shell.expect("F100.*F109")
        else:
            shell.send(f"{begun}\t\x01 echo '=[\x05]='\n")  # to the start of the line, and back to its end
            shell.expect(rf"\n=\[{re.escape(line)}\s*\]=")
            shell.expect("> ")


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


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_of_its_own(name: str) -> None:
    command = [sys.executable, "-m", "frostline", "completion", name]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_FROSTLINE_COMPLETE={name}_complete" in done.stdout
    if shutil.which(name):
        subprocess.run([name, "-n"], input=done.stdout, text=True, check=True)
