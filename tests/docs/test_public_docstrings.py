"""What docs/api.md shows says in its docstrings what it is, what it takes and raises, and has an example that runs.

Rows of a record, which nobody makes by hand, and errors without arguments of their own need none: that of Record reads
the rows.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC = re.findall(r"^::: (frostline\.\S+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.M)
Definition = ast.ClassDef | ast.FunctionDef


def defined(name: str) -> Definition:
    module, _, what = name.rpartition(".")
    tree = ast.parse((ROOT / "src" / f"{module.replace('.', '/')}.py").read_text("utf-8"))
    [found] = [node for node in tree.body if isinstance(node, Definition) and node.name == what]
    return found


def lacks(node: Definition) -> Iterator[str]:
    """What the docstring of a public class or function does not have."""
    text = ast.get_docstring(node) or ""
    if not re.match(r"[A-Z`].*[.:]", text.partition("\n\n")[0].replace("\n", " ")):
        yield "a first sentence"
    function = _called(node)
    if function and not re.search(r"^Examples?:$", text, re.M):
        yield "an example"
    for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs) if function else ():
        if each.arg != "self" and not re.search(rf"^    \*?{each.arg}: ", text, re.M):
            yield f"the argument {each.arg}"
    raises = isinstance(node, ast.FunctionDef) and any(isinstance(each, ast.Raise) for each in ast.walk(node))
    if raises and "Raises:" not in text:
        yield "what it raises"


def _called(node: Definition) -> ast.FunctionDef | None:
    if isinstance(node, ast.FunctionDef):
        return node
    made = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
    return made[0] if made else None


@pytest.mark.parametrize("name", PUBLIC)
def test_what_the_reference_shows_is_described(name: str) -> None:
    assert list(lacks(defined(name))) == []


def test_what_is_missing_is_noticed() -> None:
    [planted] = ast.parse('def opened(path, mode):\n    """opens"""\n    raise OSError(path)').body
    assert isinstance(planted, ast.FunctionDef)
    assert list(lacks(planted)) == [
        "a first sentence",
        "an example",
        "the argument path",
        "the argument mode",
        "what it raises",
    ]


def test_what_pages_import_is_in_the_reference() -> None:
    shown = "\n".join(page.read_text("utf-8") for page in (ROOT / "docs").rglob("*.md") if "findings" not in page.name)
    imports = re.findall(r"(?m)^ *from (frostline[\w.]*) import (\w+(?:, \w+)*)$", shown)
    used = {f"{module}.{name}" for module, names in imports for name in names.split(", ")}
    assert len(used) >= 6
    assert sorted(used - set(PUBLIC)) == []
