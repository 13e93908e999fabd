"""What observes a framework, read from its source: base files and instruments, none of which knows another."""

from __future__ import annotations

import ast
import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from frostline.core import facts

SOURCE = Path(__file__).parents[1] / "src"
FRAMEWORKS = SOURCE / "frostline" / "frameworks"
BASE = {"torch": (), "jax": (), "keras_common": (), "keras": ("keras_common",), "tf_keras": ("keras_common",)}
FACTS = {name for name in facts.__all__ if isinstance(getattr(facts, name), type)}
WIDEST, LONGEST, METHODS, FILES = 14, 350, 15, 15


@functools.cache
def parsed(code: str) -> ast.Module:
    """The tree of a file; a copy with one violation planted has the trees of all others."""
    return ast.parse(code)


def modules(source: Path) -> dict[str, Path]:
    """Every module below ``source`` by its dotted name, packages by theirs."""
    names = {file: file.relative_to(source).with_suffix("").parts for file in sorted(source.rglob("*.py"))}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): file for file, parts in names.items()}


def imported(file: Path, known: dict[str, Path]) -> set[str]:
    """The modules of frostline that a file imports anywhere, for types too."""
    found: set[str] = set()
    for node in ast.walk(parsed(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else str(node.module) for name in names}
    return {name for name in found if name in known}


def is_instrument(module: str, file: Path) -> bool:
    return ".instruments." in module and file.name != "__init__.py"


def acquainted(module: str, names: set[str]) -> Iterator[str]:
    """The instruments, and the other frameworks, that a module of a framework knows; only tuples list instruments."""
    framework = module.split(".")[2]
    for name in sorted(names):
        parts = name.split(".")
        if parts[1] != "frameworks":
            continue
        if parts[2] in BASE and parts[2] not in (framework, *BASE[framework]):
            yield f"another framework, {name}"
        elif "instruments" in parts:
            yield f"an instrument, {name}"


def undeclared(tree: ast.AST) -> list[str]:
    """The facts that a file makes and that the ``tells`` of its class does not have."""
    made = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return sorted((made & FACTS) - _names_of(tree, "tells"))


def _names_of(tree: ast.AST, attribute: str) -> set[str]:
    """The names in the value that a class or module gives to ``attribute``."""
    values = [
        node.value
        for node in ast.walk(tree)
        if (isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == attribute)
        or (isinstance(node, ast.Assign) and attribute in [getattr(target, "id", "") for target in node.targets])
    ]
    return {name.id for value in values if value for name in ast.walk(value) if isinstance(name, ast.Name)}


def unlisted(files: dict[str, Path]) -> Iterator[str]:
    """Files of instruments that do not hold exactly one, or one that no tuple of a framework lists."""
    listed: set[str] = set()
    for file in files.values():
        if file.name == "__init__.py":
            tuples = [node for node in ast.walk(parsed(file.read_text("utf-8"))) if isinstance(node, ast.Tuple)]
            listed |= {name.id for each in tuples for name in each.elts if isinstance(name, ast.Name)}
    for module, file in files.items():
        if is_instrument(module, file):
            tree = parsed(file.read_text("utf-8"))
            kinds = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and _tells(node)]
            if len(kinds) != 1:
                yield f"{module}: {len(kinds)} instruments in one file"
            elif kinds[0] not in listed:
                yield f"{module}: in no tuple of instruments"


def _tells(kind: ast.ClassDef) -> bool:
    return any(isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "tells" for node in kind.body)


def cycles(edges: dict[str, set[str]]) -> Iterator[str]:
    """Modules that import themselves by way of others."""
    for start in sorted(edges):
        seen, stack = set(), list(edges[start])
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(edges.get(name, ()))
        if start in seen:
            yield f"{start}: imports itself by way of others"


def too_large(module: str, file: Path, names: set[str]) -> Iterator[str]:
    code = file.read_text("utf-8")
    if len(names) > WIDEST:
        yield f"{module}: imports {len(names)} modules"
    if (lines := code.count("\n")) > LONGEST:
        yield f"{module}: {lines} lines"
    for node in ast.walk(parsed(code)):
        if isinstance(node, ast.ClassDef):
            public = [each for each in node.body if isinstance(each, ast.FunctionDef) and not each.name.startswith("_")]
            if len(public) > METHODS:
                yield f"{module}: {node.name} has {len(public)} public methods"


def violations(source: Path) -> list[str]:
    """Everything in ``frameworks`` below ``source`` that breaks a rule, as ``module: what is wrong``."""
    known = modules(source)
    files = {name: file for name, file in known.items() if name.startswith("frostline.frameworks.")}
    edges = {name: imported(file, known) for name, file in files.items()}
    found = [*cycles(edges), *unlisted(files)]
    for module, file in files.items():
        found += too_large(module, file, edges[module])
        if module.split(".")[2] in BASE:
            found += [f"{module}: knows {other}" for other in acquainted(module, edges[module]) if _counts(file, other)]
        if is_instrument(module, file):
            facts_made = undeclared(parsed(file.read_text("utf-8")))
            found += [f"{module}: makes {fact} and does not declare it" for fact in facts_made]
    for folder in {file.parent for file in files.values()}:
        if (count := len(list(folder.glob("*.py")))) > FILES:
            found.append(f"{folder.name}: {count} files in one folder")
    return found


def _counts(file: Path, other: str) -> bool:
    """The ``__init__`` of a folder lists the instruments in it."""
    return file.name != "__init__.py" or other.startswith("another framework")


def test_every_framework_keeps_to_the_rules() -> None:
    assert violations(SOURCE) == []


def test_every_framework_is_read() -> None:
    read = {name.split(".")[2] for name in modules(SOURCE) if ".instruments." in name}
    assert read == set(BASE) == {file.parent.name for file in FRAMEWORKS.glob("*/__init__.py")}


TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
FLAGS = "frostline.frameworks.keras_common.instruments.flags"
PLANTED = [
    (
        "keras_common/instruments/state/weight_loading.py",
        f"from {FLAGS}.summaries import Summaries",
        f"knows an instrument, {FLAGS}.summaries",
    ),
    (
        "keras/instruments/variable_reads.py",
        f"{TYPES}    from {FLAGS} import flag_typos",
        f"knows an instrument, {FLAGS}.flag_typos",
    ),
    (
        "tf_keras/instruments/optimizer_steps.py",
        "from frostline.frameworks.keras import jitted",
        "knows another framework, frostline.frameworks.keras.jitted",
    ),
    (
        "torch/instruments/flags/flag_typos.py",
        "def late():\n    import frostline.frameworks.jax.context",
        "knows another framework, frostline.frameworks.jax.context",
    ),
    ("jax/instruments/gradients.py", "tell(TensorFound(tensor=1))", "makes TensorFound and does not declare it"),
    (
        "keras_common/signals.py",
        "def late():\n    from frostline.frameworks.keras_common.context import Context",
        "imports itself by way of others",
    ),
    (
        "torch/signals.py",
        f"{TYPES}    from frostline.frameworks.torch.context import Context",
        "imports itself by way of others",
    ),
    (
        "keras_common/instruments/state/planted.py",
        "class Planted:\n    tells: tuple = ()",
        "in no tuple of instruments",
    ),
    ("jax/instruments/planted.py", "def hook(): ...", "0 instruments in one file"),
    ("keras/planted.py", "\n" * 351, "353 lines"),
    (
        "keras/__init__.py",
        "\n".join(f"from frostline.core import {name}" for name in ("fold", "store", "verdict", "journal", "ledger")),
        "imports 15 modules",
    ),
    ("torch/context.py", f"from {FLAGS} import Summaries", f"knows another framework, {FLAGS}"),
    (
        "keras_common/context.py",
        f"from {FLAGS} import summaries",
        f"knows an instrument, {FLAGS}.summaries",
    ),
    (
        "keras_common/steps.py",
        "class God:\n" + "\n".join(f"    def power_{number}(self): ..." for number in range(16)),
        "God has 16 public methods",
    ),
]


@pytest.mark.parametrize(("file", "code", "wrong"), PLANTED, ids=[f"{file}: {wrong}" for file, _, wrong in PLANTED])
def test_a_planted_violation_is_found(file: str, code: str, wrong: str, tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "src" / "frostline" / "frameworks" / file).open("a", encoding="utf-8") as planted:
        planted.write(f"\n{code}\n")
    module = "frostline.frameworks." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert f"{module}: {wrong}" in violations(tmp_path / "src")


def test_a_planted_crowd_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "frostline" / "frameworks" / "crowded"
    folder.mkdir(parents=True)
    for number in range(16):
        (folder / f"file_{number}.py").write_text("", "utf-8")
    assert violations(tmp_path) == ["crowded: 16 files in one folder"]
