"""Every example of the docstrings runs as it is written; what needs a framework, in a process of its own."""

import ast
import doctest
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
FRAMEWORKS = {"torch", "triton", "keras", "lightning", "ray", "transformers"}
COMMAND = "import sys; from tests.test_doctests import failures; sys.exit(failures(sys.argv[1]))"


def docstrings(source: str) -> list[str]:
    """Those of the module, its classes and functions."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, documented)]
    return [text for node in nodes if (text := ast.get_docstring(node, clean=False)) is not None]


def imported(source: str) -> set[str]:
    """The distributions that a program imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def examples(source: str) -> list[doctest.Example]:
    return [example for text in docstrings(source) for example in doctest.DocTestParser().get_examples(text)]


def frameworks(source: str) -> set[str]:
    """What must be installed to import the module at its top, and to run its examples."""
    later = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    at_once = [ast.unparse(node) for node in ast.parse(source).body if not isinstance(node, later)]
    programs = [*at_once, *(example.source for example in examples(source))]
    return FRAMEWORKS & {name for program in programs for name in imported(program)}


def module_name(file: Path) -> str:
    parts = file.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, set[str]]:
    """The modules with examples and the frameworks that each needs."""
    sources = {module_name(file): file.read_text("utf-8") for file in sorted(SOURCE.rglob("*.py"))}
    return {name: frameworks(source) for name, source in sources.items() if examples(source)}


def failures(name: str) -> int:
    """How many examples of the module fail or are not found by doctest; what was expected and what came is printed."""
    module = importlib.import_module(name)
    result = doctest.testmod(module)
    return result.failed + len(examples(inspect.getsource(module))) - result.attempted


MODULES = modules()


@pytest.mark.parametrize("name", [name for name, needed in MODULES.items() if not needed])
def test_examples_that_need_no_framework(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures(name) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.needs(*sorted(needed))) for name, needed in MODULES.items() if needed]
)
def test_examples_that_need_a_framework(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", COMMAND, name], capture_output=True, text=True, cwd=SOURCE.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_example_stands_where_none_is_run() -> None:
    sources = [file.read_text("utf-8") for file in SOURCE.rglob("*.py")]
    written = sum(line.lstrip().startswith(">>>") for source in sources for line in source.splitlines())
    assert written == sum(len(examples(source)) for source in sources)
    assert written >= 100


PLANTED = """
def add(a, b):
    \"\"\"The sum.

    >>> add(1, 2)
    {answer}
    \"\"\"
    return a + b
"""


@pytest.mark.parametrize(("answer", "wrong"), [(3, 0), (4, 1)])
def test_a_wrong_example_fails(
    answer: int, wrong: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"planted_{answer}.py").write_text(PLANTED.format(answer=answer), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert failures(f"planted_{answer}") == wrong
    assert ("Expected:\n    4\nGot:\n    3" in capsys.readouterr().out) == bool(wrong)
