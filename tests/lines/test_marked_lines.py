"""Small scripts, run for real: each finding names exactly the lines that are marked in the script.

A mark is a comment at the end of a line: the code of the finding, and what the line did, as in ``# F102 frozen``.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
from corpus.running import ENVIRONMENT, in_jax, in_keras, in_torch

from frostline.core.record import Record
from frostline.judging import load

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.py"))
MARK = re.compile(r"([A-Z]\d{3}) ([a-z ]+)")


def marked(script: Path) -> dict[str, set[tuple[str, int]]]:
    """What each line of the script did, by the code of the finding, with its number."""
    marks: dict[str, set[tuple[str, int]]] = {}
    for number, text in enumerate(script.read_text("utf-8").splitlines(), 1):
        for code, role in MARK.findall(text.partition("  # ")[2]):
            marks.setdefault(code, set()).add((role.strip(), number))
    return marks


def named(record: Record, script: Path) -> dict[str, set[tuple[str, int]]]:
    """What the findings of a run point at."""
    found: dict[str, set[tuple[str, int]]] = {}
    for finding in record.findings:
        for origin in finding.origins:
            assert origin.until in (None, (script.name, origin.line))  # between two steps of one line, at the most
            assert origin.file == script.name
            assert origin.source == script.read_text("utf-8").splitlines()[origin.line - 1].strip()
            found.setdefault(finding.code, set()).add((origin.role, origin.line))
    return found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_findings_point_at_the_lines_that_did_it(script: Path, tmp_path: Path) -> None:
    shutil.copy(script, tmp_path)
    text, command = script.read_text("utf-8"), ["-m", "frostline", "run", "--quiet", "--data", "run.json", script.name]
    if backend := re.search(r"Keras on (\w+)", text):
        done = in_keras(backend[1], command, tmp_path)
    elif "import jax" in text:
        done = in_jax(command, tmp_path)
    else:
        done = in_torch(command, tmp_path, {**os.environ, **ENVIRONMENT})
    assert done.returncode == 0, done.stderr
    record = load(tmp_path / "run.json")
    assert record.run.faults == []
    found, marks = named(record, script), marked(script)
    assert {code: found.get(code) for code in marks} == marks
