"""The ten contradictions of today's Keras, as real scripts, must be found with the right rule.

Each case runs on one of its backends, in turn; ``FROSTLINE_ALL=1`` takes all of them.
"""

import os
import tomllib
from pathlib import Path

import pytest
from corpus.running import in_keras

from frostline.core.record import Record
from frostline.judging import load

HERE = Path(__file__).parent
EVERYTHING = bool(os.environ.get("FROSTLINE_ALL"))
CASES = tomllib.loads((HERE / "expected.toml").read_text("utf-8"))["case"]
RUNS = [
    pytest.param(case, backend, id=f"{case['script']}-{backend}{'-options' if 'options' in case else ''}")
    for turn, case in enumerate(CASES)
    for place, backend in enumerate(case["backends"])
    if EVERYTHING or place == turn % len(case["backends"])
]


def observe(case: dict, backend: str, folder: Path) -> tuple[int, str, Record]:
    """The script's exit status and stderr under frostline, and the record of the run."""
    script = HERE / "scripts" / f"{case['script']}.py"
    options = ["--quiet", "--data", "record.json", *case.get("options", [])]
    run = in_keras(backend, ["-m", "frostline", "run", *options, str(script)], folder)
    return run.returncode, run.stderr, load(folder / "record.json")


def named(record: Record, slug: str) -> list[str]:
    """Names of the tensors in all findings of one rule, with every alias, dotted."""
    aliases = {row.name: row.aliases for row in record.tensors}
    tensors = [name for finding in record.findings if finding.rule == slug for name in finding.tensors]
    return [known.replace("/", ".") for name in tensors for known in (name, *aliases.get(name, []))]


def missing(expected: list[str], names: list[str]) -> list[str]:
    """The expected tensors (``layer.weight``) that no name ends with."""
    return [row for row in expected if not any(f".{name}".endswith(f".{row}") for name in names)]


@pytest.mark.parametrize(("case", "backend"), RUNS)
def test_contradiction(case: dict, backend: str, tmp_path: Path) -> None:
    status, stderr, record = observe(case, backend, tmp_path)

    assert status == case.get("exit", 0), stderr
    findings = case.get("findings", {})
    fired = {finding.rule for finding in record.findings}
    assert findings.keys() <= fired, f"fired: {sorted(fired)}"
    for slug, rows in findings.items():
        assert not missing(rows, named(record, slug)), (slug, named(record, slug))
    louder = {finding.rule for finding in record.findings if finding.severity != "note"}
    assert louder <= {*findings, *case.get("also", [])}
    assert record.run.faults == []


def test_every_script_has_cases_for_every_backend() -> None:
    scripts = {path.stem for path in (HERE / "scripts").glob("*.py")}
    assert {(case["script"], backend) for case in CASES for backend in case["backends"]} == {
        (script, backend) for script in scripts for backend in ("jax", "torch", "tensorflow")
    }
