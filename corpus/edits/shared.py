"""Edits that fit scripts of any framework, and what edits are made with."""

from __future__ import annotations

import ast
from collections.abc import Callable

from corpus.cases import Case

Edit = Callable[[ast.Module, Case], ast.Module]


def renamed(tree: ast.Module, case: Case) -> ast.Module:
    """Other names for the variables, but for those that the case's patterns speak of."""
    arguments = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    chosen = bound - arguments - _spoken(case)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in chosen:
            node.id = f"{node.id}_2"
    return tree


def in_function(tree: ast.Module, _case: Case) -> ast.Module:
    """Everything after the imports runs in a function: models and optimizers are no globals and die with its frame."""
    place = after_imports(tree)
    main = ast.parse("def main():\n    pass\n\nmain()").body
    assert isinstance(main[0], ast.FunctionDef)
    main[0].body = tree.body[place:]
    tree.body[place:] = main
    return tree


def guarded(tree: ast.Module, _case: Case) -> ast.Module:
    """What follows the last class and function stands under ``if __name__ == "__main__"``."""
    definitions = [i for i, node in enumerate(tree.body) if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
    place = max(after_imports(tree), definitions[-1] + 1 if definitions else 0)
    if place < len(tree.body):
        guard = ast.parse('if __name__ == "__main__":\n    pass').body[0]
        assert isinstance(guard, ast.If)
        guard.body = tree.body[place:]
        tree.body[place:] = [guard]
    return tree


def classes_renamed(tree: ast.Module, case: Case) -> ast.Module:
    """Other names for the script's classes, but for those that the case's patterns speak of."""
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} - _spoken(case)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in defined:
            node.name = f"My{node.name}"
        elif isinstance(node, ast.Name) and node.id in defined:
            node.id = f"My{node.id}"
    return tree


def seeded(tree: ast.Module, _case: Case) -> ast.Module:
    """Other random numbers: whatever is seeded with a number gets another one."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="manual_seed" | "set_random_seed"), args=[ast.Constant() as seed]):
                seed.value = int(str(seed.value)) + 1
    return tree


def after_imports(tree: ast.Module) -> int:
    """The place of the first statement that is no import."""
    imports = [index for index, node in enumerate(tree.body) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return imports[-1] + 1


def set_options(call: ast.Call, **options: bool | float) -> None:
    """Give a call further keyword arguments."""
    call.keywords += [ast.keyword(name, ast.Constant(value)) for name, value in options.items()]


def _spoken(case: Case) -> set[str]:
    """The names that the case's patterns speak of."""
    return {part for text in (*case.tensors, *case.options) for part in text.split(".")}
