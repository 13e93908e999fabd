"""Twelve scripts as people write them, and all that they print under ``frostline run``, read as a new user reads it.

``FROSTLINE_REGOLD=1`` writes what is printed to ``expected/`` again; read the difference before you keep it.
"""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from corpus.running import ENVIRONMENT, TIMEOUT, in_jax, in_keras
from corpus.serving import on_server

from frostline.judging import load
from frostline.report import render

HERE = Path(__file__).parent
TORCH = ("torch", "torch._dynamo", "transformers.trainer", "peft", "lightning.pytorch")
DATA = ".frostline.json"
Ran = tuple[subprocess.CompletedProcess[str], Path]


@dataclass(frozen=True)
class Program:
    """A script, how it is run, and what the first line of its report says."""

    script: str
    verdict: str
    needs: tuple[str, ...] = ("torch", "transformers", "peft", "lightning")
    options: tuple[str, ...] = ()
    status: int = 0


PROGRAMS = {
    "frozen_fine_tune": Program("frozen_fine_tune.py", "frozen but statistics moved (1 error"),
    "optimizer_before_freeze": Program("optimizer_before_freeze.py", "frozen but carried by momentum (1 error"),
    "lora_trainer": Program("lora_trainer.py", "no contradiction found"),
    "lightning_summary": Program("lightning_summary.py", "no contradiction found"),
    "hf_trainer": Program("hf_trainer.py", "no contradiction found"),
    "keras_unfreeze": Program("keras_unfreeze.py", "no contradiction found", ("keras", "jax"), status=1),
    "gan": Program("gan.py", "no contradiction found"),
    "dqn": Program("dqn.py", "no contradiction found"),
    "imported": Program("train.py", "no gradient (0 errors, 1 warning"),
    "notebook": Program("notebook.ipynb", "no contradiction found"),
    "long_run": Program("long_run.py", "no contradiction found", options=("--tensorboard", "logs")),
    "flax_freeze": Program("flax_freeze.py", "label matches nothing (1 error", ("jax", "flax", "optax")),
}
EACH = [pytest.param(name, marks=pytest.mark.needs(*program.needs), id=name) for name, program in PROGRAMS.items()]

# What differs from run to run, and what libraries say of the machine.
_VARIES = (
    (re.compile(r"took [\d.,]+ s of [\d.,]+ s"), "took 0.1 s of 2.3 s"),
    (re.compile(r"'(train_\w+)': [\d.e-]+"), r"'\1': 0"),
    (re.compile(r"(?m)^(WARNING: All log messages before absl|I0000|\s*warnings\.warn).*\n"), ""),
    (re.compile(r'File "[^"]*/([^/"]+)"'), r'File "\1"'),
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ran]:
    """Runs a program once."""
    return functools.cache(lambda name: run(name, tmp_path_factory.mktemp(name)))


def run(name: str, folder: Path) -> Ran:
    """What came of a program under ``frostline run``, in a fork of a server, and the folder that it ran in."""
    program = PROGRAMS[name]
    programs = HERE / "programs"
    if name == "imported":
        shutil.copytree(programs / name, folder, dirs_exist_ok=True)
    else:
        shutil.copy(programs / program.script, folder)
    words = ["-m", "frostline", "run", *program.options, program.script]
    if "keras" in program.needs:
        return in_keras("jax", words, folder), folder
    if "jax" in program.needs:
        return in_jax(words, folder), folder
    output, errors = folder / "stdout.txt", folder / "stderr.txt"
    status = on_server(TORCH, {**os.environ, **ENVIRONMENT}, words, folder, output, errors, TIMEOUT)
    return subprocess.CompletedProcess(words, status, output.read_text(), errors.read_text()), folder


def report(ran: Ran) -> list[str]:
    """The lines of the report."""
    lines = ran[0].stderr.splitlines()
    return lines[
        next(at for at, line in enumerate(lines) if line.startswith("frostline: ") and "not run" not in line) :
    ]


@pytest.mark.parametrize("name", EACH)
def test_all_that_is_printed_is_as_it_was_read(name: str, ran: Callable[[str], Ran]) -> None:
    done, _ = ran(name)
    printed = f"{done.stdout}--- stderr\n{done.stderr}"
    for pattern, instead in _VARIES:
        printed = pattern.sub(instead, printed)
    expected = HERE / "expected" / f"{name}.txt"
    if os.environ.get("FROSTLINE_REGOLD"):
        expected.write_text(printed, "utf-8")
    assert done.returncode == PROGRAMS[name].status
    assert printed == expected.read_text("utf-8")


@pytest.mark.parametrize("name", EACH)
def test_the_first_ten_lines_hold_the_verdict_and_the_fix(name: str, ran: Callable[[str], Ran]) -> None:
    first = report(ran(name))[:10]
    assert first[0].startswith(f"frostline: {PROGRAMS[name].verdict}")
    if re.match(r"(error|warning|note): ", first[2]):
        assert any(line.startswith("    fix  ") for line in first)


@pytest.mark.parametrize(("width", "most"), [(60, 10), (80, 8), (120, 8)])
@pytest.mark.parametrize("name", EACH)
def test_it_is_short_and_fits(name: str, width: int, most: int, ran: Callable[[str], Ran]) -> None:
    record = load(ran(name)[1] / DATA)
    text = render(record, width=width, color=False, stored=DATA)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    blocks = text.split("\n\n")
    findings = [block.splitlines() for block in blocks if re.match(r"(error|warning|note): ", block)]
    assert all(len(block) <= most for block in findings)
    words = " ".join(text.split())
    assert [finding.hint for finding in record.findings if finding.hint not in words] == []  # every fix is whole
    beside = len(lines) - sum(len(block) + 1 for block in findings)
    assert beside <= (13 if width > 60 else 14)  # where the first line needs a second one


@pytest.mark.parametrize("name", EACH)
def test_it_says_where_the_run_is_and_what_frostline_took(name: str, ran: Callable[[str], Ran]) -> None:
    said = " ".join(report(ran(name)))
    assert f"stored in {DATA}; frostline report --html makes the page, --verbose shows all evidence" in said
    assert re.search(r"steps?, \d+ checks; frostline took [\d.]+ s of [\d.]+ s", said)


@pytest.mark.parametrize("name", EACH)
def test_what_was_read_is_counted_over_all_frameworks(name: str, ran: Callable[[str], Ran]) -> None:
    """A framework that a script merely imported, or that Keras computes with, has read nothing of its own."""
    run = load(ran(name)[1] / DATA).run
    assert run.bytes_read > 0
    assert len(run.frameworks) > 1 or name != "keras_unfreeze"


@pytest.mark.needs(*PROGRAMS["dqn"].needs)
def test_a_target_is_copied_and_not_trained(ran: Callable[[str], Ran]) -> None:
    assert any(
        re.match(r"target +142 +trainable +– +all +copied from q \(3 of 3 checks\)$", line)
        for line in report(ran("dqn"))
    )


def test_every_program_has_its_output_and_every_output_its_program() -> None:
    assert {path.stem for path in (HERE / "expected").iterdir()} == set(PROGRAMS)
