"""The tool that plants faults: what it changes, and that it tells those that tests notice from those that live."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests.mutants.__main__ import PACKAGE, planted
from tests.mutants.faults import faults

ROOT = Path(__file__).parents[2]
MODULE = """
import functools

LIMIT = 3


def fits(size):
    return size < LIMIT


def forgotten(size):
    return size > LIMIT


@functools.cache
def kept(size):
    return size * 2


def half_tested(size, strict=False):
    if strict and size == 0:
        return None
    return size + 1
"""
TESTS = """
from planted import fits, half_tested, kept


def test_first():
    kept(1)


def test_kept():
    assert kept(1) == 2


def test_fits():
    assert fits(2) and not fits(3)


def test_half_tested():
    assert half_tested(1) == 2
"""


def changes(source: str) -> set[str]:
    return {f"{fault.was} → {fault.now}" for fault in faults(ast.parse(source))}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = a < b", {"a < b → a <= b"}),
        ("x = a < b != c", {"a < b != c → a <= b != c", "a < b != c → a < b == c"}),
        ("x = a and b", {"a and b → a or b", "a and b → a", "a and b → b"}),
        ("x = not a", {"not a → a"}),
        ("x = all(a)", {"all(a) → any(a)"}),
        ("x = max(a, key=b)", {"max(a, key=b) → min(a, key=b)"}),
        ("x = 7", {"7 → 8"}),
        ("x = a if b else c", {"a if b else c → a", "a if b else c → c"}),
        ("x = [a for a in b if c]", {"for a in b if c → for a in b"}),
        ("if a:\n    b = c", {"if a: → if True:", "if a: → if False:"}),
        ("while a:\n    b = c", {"while a: → while False:"}),
        ("def f():\n    return a", {"return a → return None"}),
        ("def f():\n    return False", {"False → True"}),
        ("a.b()", {"a.b() → pass"}),
        ("a.b = c", {"a.b = c → pass"}),
        ("a += b", {"a += b → pass"}),
        ("x = a - b", {"a - b → a + b"}),
        ("x = a + ['b']", set()),
        ('"""Text."""\nimport a\nassert a < b', set()),
        ("def f(a: Literal[1]) -> Literal[2]: ...", set()),
    ],
)
def test_a_fault_is_one_small_change(source: str, expected: set[str]) -> None:
    assert {change.strip() for change in changes(source)} == expected


def test_every_fault_of_a_module_can_be_planted_and_is_another_program() -> None:
    programs = []
    for number in range(len(faults(ast.parse(MODULE)))):
        tree = ast.parse(MODULE)
        faults(tree)[number].plant(tree, "planted.py")
        programs.append(ast.dump(tree))
    assert len({ast.dump(ast.parse(MODULE)), *programs}) == 1 + len(programs) > 10


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "planted.py").write_text(MODULE, "utf-8")
    (folder / "test_planted.py").write_text(TESTS, "utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}"}
    command = [sys.executable, "-m", "tests.mutants", "--file", "planted.py", "--tests", "test_planted.py", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_what_tests_notice_is_told_from_what_lives(tmp_path: Path) -> None:
    done = run(tmp_path, "--jobs", "1")
    living = {line.strip() for line in done.stdout.splitlines() if "→" in line}
    file = tmp_path / "planted.py"
    assert f"{file}:12 forgotten: size > LIMIT → size >= LIMIT  (no test runs it)" in living
    assert f"{file}:21 half_tested: size == 0 → size != 0" in living
    assert not any(word in line for word in ("fits", "LIMIT = ", ": 3 ", "kept") for line in living)
    assert "9 of    18 noticed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 1


def test_an_equivalent_one_is_listed_with_its_reason_and_not_counted(tmp_path: Path) -> None:
    listed = tmp_path / "equivalents.toml"
    fields = {"file": str(tmp_path / "planted.py"), "in": "forgotten", "reason": "nobody asks"}
    lines = ["[[equivalent]]", *(f'"{key}" = "{value}"' for key, value in fields.items())]
    listed.write_text("\n".join([*lines, 'changes = ["size > LIMIT → size >= LIMIT"]']), "utf-8")
    done = run(tmp_path, "--jobs", "1", "--equivalents", str(listed), "--sample", "100")
    assert "forgotten: size > LIMIT" not in done.stdout
    assert "of    17 noticed" in done.stdout


def test_every_equivalent_fault_is_one_that_there_is_and_has_a_reason() -> None:
    entries = tomllib.loads((ROOT / "tests/mutants/equivalents.toml").read_text("utf-8"))["equivalent"]
    for entry in entries:
        here = planted([PACKAGE / entry["file"]])
        assert entry["reason"]
        for change in entry["changes"]:
            assert any(each.is_listed([{**entry, "changes": [change]}]) for each in here), change
