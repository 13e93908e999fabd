"""The article's experiment, and the variant that it did not try, as one command on each backend."""

import re

import pytest

BACKENDS = [
    pytest.param("jax", marks=pytest.mark.needs("keras", "jax")),
    pytest.param("torch", marks=pytest.mark.needs("keras", "torch")),
    pytest.param("tensorflow", marks=pytest.mark.needs("keras", "tensorflow")),
]
NUMBERS = {
    "summary printed at step 0": ["27,560", "25,450", "2,110"],
    "declared by the flags": ["27,560", "25,450", "2,110"],
    "held by an optimizer": ["27,560", "25,450", "2,110"],
    "  changed": ["27,560", "25,450", "2,110"],
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_demo_says_who_was_right_and_shows_the_numbers(backend: str, shell) -> None:
    done = shell.frostline("demo", "--backend", backend)
    assert done.status == 0, done.stderr
    article, variant = done.stdout.split("The variant that the article did not try")
    assert "first kernel of A the same as before? False\nIs the first kernel of B the same as before? True" in article
    assert "first kernel of A the same as before? True\nIs the first kernel of B the same as before? False" in variant
    for row, (total, trained, kept) in NUMBERS.items():
        assert re.search(rf"{row} +{total} +{trained} +{kept}\n", article), row
        assert re.search(rf"{row} +{total} +{kept} +{trained}\n", variant), row
    for part in (article, variant):
        assert "Total params: 27,560" in part
        assert "C: flags and summary were both right: " in part
        assert "no contradiction found (0 errors, 0 warnings, " in part
    assert shell.files() == set()
