"""The line of the script that sets an attribute, found in its source: where there is one such line, it was that one."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterator

from frostline.core.events.fact import Origin
from frostline.observe.script_lines import files_of_script, origin_at

_LARGEST = 10_000  # lines of a file that is looked at


def setter_of(attribute: str) -> Origin | None:
    """The only line in the script's files that sets an attribute of this name.

    None where no line does, where several do, or where one sets an attribute whose name is not written there.

    Args:
        attribute: its name, which an object of the run is known to have been given.

    Example:
        >>> setter_of("no_line_sets_this") is None
        True
    """
    found: list[Origin] = []
    for file in files_of_script():
        lines = linecache.getlines(file)
        if len(lines) > _LARGEST:
            return None
        text = "".join(lines)
        if attribute not in text and "setattr" not in text:
            continue
        for line, name in _set_in(text):
            if name is None:
                return None
            if name == attribute:
                found.append(origin_at(file, line))
    return found[0] if len(found) == 1 else None


def _set_in(text: str) -> Iterator[tuple[int, str | None]]:
    """The lines of a source that set attributes, each with the attribute's name; None where that is not written."""
    try:
        tree = ast.parse(text)
    except SyntaxError:  # the cell of a notebook with commands of its own
        yield 0, None
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            name = node.args[1] if len(node.args) > 1 else None
            yield node.lineno, str(name.value) if isinstance(name, ast.Constant) else None
