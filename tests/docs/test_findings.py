"""The scripts in docs/findings.md, run as the page says: each shows what the page tells of it."""

import re
from pathlib import Path

import pytest
from corpus.running import in_keras
from page_examples import ROOT

from frostline import judging

PAGE = (ROOT / "docs" / "findings.md").read_text("utf-8")
SCRIPTS = {
    section.partition("\n")[0]: block
    for section in PAGE.split("\n### ")[1:]
    for block in re.findall(r"```python\n(.*?)```", section, re.S)
}

# The heading, the backend, and what must be seen: the code of a finding, none above a note, or words printed.
SEEN = [
    ("A flag in the constructor does not reach the layers inside", "jax", "F110"),
    ("A layer frozen inside SpectralNormalization is rewritten", "torch", "F108"),
    ("SpectralNormalization of an Embedding gives zeros", "torch", "T204"),
    ("Freezing after a fit, without compiling again", "tensorflow", "F105"),
    ("Freezing after a fit, without compiling again", "torch", ""),
    ("Freezing after a fit, without compiling again", "jax", "ValueError: Argument `optimizer_variables` must be"),
    ("The recipe for adversarial networks trains no discriminator", "tensorflow", "W406"),
    ("The layer given to Bidirectional is not the one that trains", "torch", "True False"),
    ("LoRA: frozen and set free again, the table trains", "torch", "dense/kernel"),
    ("LBFGS moves a frozen parameter that has no gradient", "torch", "F102"),
    ("The example of gradient accumulation trains nothing", "jax", "T213"),
]


def test_every_script_of_the_page_is_tried() -> None:
    assert {heading for heading, _, _ in SEEN} == set(SCRIPTS)


@pytest.mark.needs("torch", "keras", "jax", "tensorflow")
@pytest.mark.parametrize(("heading", "backend", "seen"), SEEN)
def test_what_the_page_tells_is_seen(heading: str, backend: str, seen: str, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPTS[heading], "utf-8")
    done = in_keras(backend, ["-m", "frostline", "run", "--data", "run.json", "script.py"], tmp_path)
    if not re.fullmatch(r"([A-Z]\d{3})?", seen):
        assert seen in done.stdout + done.stderr
        return
    found = judging.load(tmp_path / "run.json").findings
    if seen:
        assert seen in {each.code for each in found}
    else:
        assert {each.severity for each in found} <= {"note"}
