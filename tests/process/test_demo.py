"""The article's experiment, and the variant that it did not try, as one command on each backend."""

import json
import re
from pathlib import Path

import pytest
from corpus.running import in_jax, in_keras

import frostline.demo

NUMBERS = {
    "printed as trainable, step 0": ["27,560", "25,450", "2,110"],
    "declared trainable": ["27,560", "25,450", "2,110"],
    "held by an optimizer": ["27,560", "25,450", "2,110"],
    "  changed": ["27,560", "25,450", "2,110"],
}


ARTICLE = Path(frostline.demo.__path__[0]) / "article.py"


def check(article: str, variant: str) -> None:
    """What was printed in each of the two experiments, the report included."""
    assert "first kernel of A the same as before? False\nIs the first kernel of B the same as before? True" in article
    assert "first kernel of A the same as before? True\nIs the first kernel of B the same as before? False" in variant
    for row, (total, trained, kept) in NUMBERS.items():
        assert re.search(rf"{row} +{total} +{trained} +{kept}\n", article), row
        assert re.search(rf"{row} +{total} +{kept} +{trained}\n", variant), row
    for part in (article, variant):
        assert "Total params: 27,560" in part
        assert "C: flags and summary were both right: " in part
        assert "no contradiction found (0 errors, 0 warnings, " in part


@pytest.mark.needs("keras", "jax")
def test_the_demo_shows_a_summary_that_is_wrong(shell) -> None:
    done = shell.frostline("demo", "--backend", "jax")
    assert done.status == 0, done.stderr
    script, printed = done.stdout.split("$ frostline run freeze.py\n")
    assert "trainable=False" in script
    assert "Trainable params: 0 (0.00 B)" in printed
    report = printed[printed.index("frostline: frozen flag not inherited (2 errors") :]
    assert "error: F110 frozen-flag-not-inherited: 4 tensors (25,450 parameters)" in report
    assert "the summary of body says 0 trainable; the steps" in report
    assert "flags were right" not in report
    assert shell.files() == set()


@pytest.mark.needs("keras", "jax")
def test_the_demo_prints_the_report_alone_for_programs(shell) -> None:
    done = shell.frostline("demo", "--backend", "jax", "--json")
    assert done.status == 0, done.stderr
    assert "F110" in [finding["code"] for finding in json.loads(done.stdout)["findings"]]
    assert "Trainable params: 0 (0.00 B)" in done.stderr


@pytest.mark.needs("keras", "jax")
def test_the_demo_says_who_was_right_and_shows_the_numbers(shell) -> None:
    done = shell.frostline("demo", "--article", "--backend", "jax")
    assert done.status == 0, done.stderr
    assert done.stdout.startswith("An article froze a model inside a model: the summary said that nothing in it trains")
    check(*done.stdout.split("The variant that the article did not try"))
    assert shell.files() == set()


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("torch", marks=pytest.mark.needs("keras", "torch")),
        pytest.param("tensorflow", marks=pytest.mark.needs("keras", "tensorflow")),
    ],
)
def test_the_experiment_is_the_same_on_another_backend(backend: str, shell) -> None:
    def printed(*options: str) -> str:
        words = ["-m", "frostline", "run", "--verbose", str(ARTICLE), "--backend", backend, "--epochs", "2", *options]
        done = in_keras(backend, words, shell.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    check(printed(), printed("--first"))


FLAX = Path(frostline.demo.__path__[0]) / "article_flax.py"


@pytest.mark.needs("jax", "flax", "optax")
@pytest.mark.parametrize(("options", "moved"), [([], "A"), (["--first"], "B")])
def test_the_experiment_is_the_same_in_flax(options: list[str], moved: str, tmp_path: Path) -> None:
    done = in_jax(["-m", "frostline", "run", "--verbose", str(FLAX), "--epochs", "2", *options], tmp_path)
    assert done.returncode == 0, done.stderr
    for part in "AB":
        assert f"first kernel of {part} the same as before? {part != moved}" in done.stdout
    counts = {"A": ["25,450", "2,110"], "B": ["2,110", "25,450"]}[moved]
    for row in ("declared trainable", "held by an optimizer", "  changed"):
        assert re.search(rf"{row} +27,560 +{counts[0]} +{counts[1]}\n", done.stderr), row
    assert "no contradiction found (0 errors, 0 warnings, 0 notes)" in done.stderr


@pytest.mark.needs("jax", "flax", "optax")
def test_the_demo_takes_flax_by_name(shell) -> None:
    done = shell.frostline("demo", "--backend", "flax", "--first")
    assert done.status == 0, done.stderr
    assert "C: the flags were right: 2,110 parameters moved and 25,450 did not change" in done.stdout
