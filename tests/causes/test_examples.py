"""Every rule's example is a script that runs and in which exactly that rule speaks, none louder beside it."""

import multiprocessing
import shlex
from pathlib import Path

import pytest
from corpus.running import in_fork, in_jax, in_keras

from frostline.core.record import SEVERITIES, Record
from frostline.judging import load
from frostline.laws.causes import CAUSES
from frostline.laws.causes.cause import EXAMPLES

BESIDE = {"summary-disagrees": {"frozen-flag-not-inherited"}}  # the cause of the wrong count
SEVERAL = {"ranks-diverge", "ranks-hold-different-tensors"}  # need two processes: tests/ranks runs them
SLUGS = sorted({script.stem for script in EXAMPLES.glob("*.py")} - SEVERAL)
WIDTH = 76  # of a page at 80 columns, inside its indent


def command(slug: str) -> tuple[dict[str, str], list[str]]:
    """The environment and the options that the first line of an example asks for."""
    words = shlex.split(script(slug).splitlines()[0].removeprefix("# "))
    start = words.index("frostline")
    assert words[start + 1] == "run"
    assert words[-1] == f"{slug}.py"
    return dict(word.split("=") for word in words[:start]), words[start + 2 : -1]


def script(slug: str) -> str:
    return (EXAMPLES / f"{slug}.py").read_text("utf-8")


def framework(slug: str) -> str:
    code = script(slug)
    return next((name for name in ("keras", "jax") if f"import {name}" in code), "torch")


def observe(slug: str, data: Path) -> Record:
    """The record of an example, run as its first line says; PyTorch is loaded once and forked for each."""
    environment, options = command(slug)
    arguments = ["run", "--quiet", "--data", str(data), *options, str(EXAMPLES / f"{slug}.py")]
    if framework(slug) == "torch":
        multiprocessing.get_context("forkserver").set_forkserver_preload(["torch", "torch._dynamo"])
        assert in_fork(_command_line, (arguments,), 120) == 0
    elif framework(slug) == "jax":
        done = in_jax(["-m", "frostline", *arguments], data.parent)
        assert done.returncode == 0, done.stderr
    else:
        backend = environment.get("KERAS_BACKEND", "jax")
        done = in_keras(backend, ["-m", "frostline", *arguments], data.parent, **environment)
        assert done.returncode == 0, done.stderr
    return load(data)


def _command_line(arguments: list[str]) -> None:
    from frostline.cli import main

    main(arguments)


def needs(slug: str) -> list[pytest.MarkDecorator]:
    backend = command(slug)[0].get("KERAS_BACKEND", "jax")
    wanted = {"keras": ("keras", backend), "jax": ("jax", "flax", "optax"), "torch": ("torch",)}
    return [pytest.mark.needs(*wanted[framework(slug)])]


@pytest.mark.parametrize("slug", [pytest.param(slug, marks=needs(slug)) for slug in SLUGS])
def test_the_example_fires_its_rule_and_no_other(slug: str, tmp_path: Path) -> None:
    record = observe(slug, tmp_path / "record.json")

    fired = {(finding.rule, finding.severity) for finding in record.findings}
    mine = [severity for rule, severity in fired if rule == slug]
    assert mine, f"fired: {sorted(fired)}"
    as_loud = SEVERITIES[: SEVERITIES.index(mine[0]) + 1]
    assert {rule for rule, severity in fired if severity in as_loud} == {slug, *BESIDE.get(slug, ())}
    assert record.run.faults == []


def test_every_rule_has_an_example_and_every_example_a_rule() -> None:
    assert set(SLUGS) == {rule.slug for rule in CAUSES} - SEVERAL


@pytest.mark.parametrize("slug", SLUGS)
def test_an_example_is_short_and_fits_its_page(slug: str) -> None:
    lines = script(slug).splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= WIDTH
    assert "frostline" not in "".join(lines[1:])
