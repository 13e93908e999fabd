"""The cases as data: a script, what must be found in it, and the twin in which nothing may be found."""

from __future__ import annotations

import ast
import importlib.util
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent

Kind = Literal["bug", "clean"]
Role = Literal["bug", "fixed", "clean"]


@dataclass(frozen=True, slots=True)
class Case:
    """One program with what frostline must say about it.

    Args:
        name: path below this folder without the suffix, as in ``bugs/torch/digits_staged``.
        kind: whether something must be found, or nothing may be.
        path: the script; None while it only waits to be written.
        title: what is wrong, or for a clean program what it does.
        framework: the folder's name unless the data says otherwise.
        backends: the Keras backends that it is run on, one trial each.
        rules: slugs that each count as the right answer.
        tensors: patterns that the findings of these rules must cover, each at least once.
        also: slugs that may be reported besides, being consequences of the same cause.
        seen_by: the executed step by which it must have been seen; 0 where no step is ever executed.
        severity: of the finding that is expected.
        report: address of a public report of this root cause.
        source: the root cause's name in our list, where it is in it.
        options: further options for ``frostline run``.
        processes: that train together, as a launcher starts them; their records are combined.
        exit: the script's own exit status, where the framework itself raises.
        waiting: why it cannot be run yet.
        variants_skip: mechanical variants under which this bug would be another one or none.
    """

    name: str
    kind: Kind
    path: Path | None
    title: str = ""
    framework: str = ""
    backends: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    seen_by: int | None = None
    severity: str = "error"
    report: str = ""
    source: str = ""
    options: tuple[str, ...] = ()
    processes: int = 1
    exit: int = 0
    waiting: str = ""
    variants_skip: tuple[str, ...] = ()

    @property
    def fixed(self) -> Path | None:
        """The twin with the smallest fix."""
        return self.path.with_suffix(".fixed.py") if self.path and self.kind == "bug" else None

    def missing(self) -> list[str]:
        """Libraries that the script imports and this environment does not have."""
        return [name for name in imported(self.path) if _absent(name)] if self.path else []


@dataclass(frozen=True, slots=True)
class Trial:
    """One script to run once: of a case, in a role, on a backend."""

    case: Case
    role: Role
    script: Path
    backend: str = ""
    variant: str = ""

    @property
    def name(self) -> str:
        """Unique among all trials; known gaps are listed under it."""
        backend = f"[{self.backend}]" if self.backend else ""
        variant = f"~{self.variant}" if self.variant else ""
        return f"{self.case.name}{'.fixed' if self.role == 'fixed' else ''}{variant}{backend}"

    def is_among(self, names: Sequence[str]) -> bool:
        """Whether one of ``names``, parts or patterns of names, is this trial's; all are where there is none."""
        return not names or any(fnmatch(self.name, name) or name in self.name for name in names)


def load(root: Path = HERE) -> list[Case]:
    """All cases below ``root``, bugs first, each kind in order of name.

    Raises:
        ValueError: a data file with an unknown key, or a bug without rules or without a reason to wait.

    Example:
        >>> {case.kind for case in load()} == {"bug", "clean"}
        True
    """
    return [*_of_kind("bug", root / "bugs"), *_of_kind("clean", root / "clean")]


def trials(cases: list[Case]) -> list[Trial]:
    """Every script of every case that does not wait, once per backend."""
    found = []
    for case in cases:
        if case.path is None or case.waiting:
            continue
        for backend in case.backends or ("",):
            found.append(Trial(case, case.kind, case.path, backend))
            if case.fixed:
                found.append(Trial(case, "fixed", case.fixed, backend))
    return found


def imported(script: Path) -> list[str]:
    """Names of the top-level packages that a script imports, without the standard library."""
    names = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return sorted(names - sys.stdlib_module_names)


def _of_kind(kind: Kind, folder: Path) -> list[Case]:
    stems = {path.with_suffix("") for path in folder.rglob("*.toml")}
    stems |= {path.with_suffix("") for path in folder.rglob("*.py") if not path.name.endswith(".fixed.py")}
    return [_case(kind, folder, stem) for stem in sorted(stems)]


def _case(kind: Kind, folder: Path, stem: Path) -> Case:
    script, data = stem.with_suffix(".py"), stem.with_suffix(".toml")
    said: dict[str, Any] = tomllib.loads(data.read_text()) if data.exists() else {}
    unknown = said.keys() - ({field.name for field in fields(Case)} - {"name", "kind", "path"})
    if unknown:
        raise ValueError(f"{data} has unknown keys: {', '.join(sorted(unknown))}")
    said = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
    said.setdefault("framework", stem.relative_to(folder).parts[0])
    said.setdefault("title", _first_line(script))
    path = script if script.exists() else None
    case = Case(f"{folder.name}/{stem.relative_to(folder)}", kind, path, **said)
    if kind == "bug" and not (case.rules or case.waiting):
        raise ValueError(f"{data} names no rule that counts as the right answer")
    if path is None and not case.waiting:
        raise ValueError(f"{data} has no script beside it and does not say what it waits for")
    return case


def _first_line(script: Path) -> str:
    if not script.exists():
        return ""
    return (ast.get_docstring(ast.parse(script.read_text())) or "").partition("\n")[0]


def _absent(name: str) -> bool:
    return importlib.util.find_spec(name) is None
