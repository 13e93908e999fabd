"""Searches the source for writers of rows: statements that store to an attribute of one, or change a list of one."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from frostline.core import ledger

ROWS = (
    ledger.TensorRow,
    ledger.Declared,
    ledger.Changed,
    ledger.Owner,
    ledger.Holding,
    ledger.OptimizerRow,
    ledger.Movement,
)
FIELDS = {field.name for kind in ROWS for field in dataclasses.fields(kind)}
WITHOUT_ROWS = {"checkpoints"}  # has moves of its own, of elements between two files
CHANGES = {"append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "add", "sort"}
OF_ROWS = {"row", "declared", "changed", "owner", "holding", "holdings", "optimizer", "movement", "move"}


def writers(source: Path) -> dict[str, list[str]]:
    """The modules that store to an attribute of a row, or change a list of one, with the lines that do."""
    found: dict[str, list[str]] = {}
    for file in sorted(
        each for each in source.rglob("*.py") if WITHOUT_ROWS.isdisjoint(each.relative_to(source).parts)
    ):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            for target in _targets(node):
                if _is_of_row(target):
                    found.setdefault(file.relative_to(source).as_posix(), []).append(ast.unparse(node))
    return found


def _targets(node: ast.AST) -> Iterator[ast.expr]:
    """The attributes that a statement stores to, or whose content a call changes."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
        targets = [node.func.value]
    for target in targets:
        for each in target.elts if isinstance(target, ast.Tuple) else [target]:
            yield each.value if isinstance(each, ast.Subscript) else each


def _is_of_row(target: ast.expr) -> bool:
    if not isinstance(target, ast.Attribute) or target.attr not in FIELDS:
        return False
    owner = target.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return name in OF_ROWS
