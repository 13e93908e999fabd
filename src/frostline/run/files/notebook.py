"""A notebook as a script: its code cells, without the lines that only a notebook understands."""

from __future__ import annotations

import json
import linecache
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from frostline.errors import FrostlineError

SUFFIX = ".ipynb"
_SHELL = ("!", "%", "?")  # that a line for the notebook begins with
_RUNS_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")  # magics whose cells are python all the same


@dataclass(slots=True)
class Notebook:
    """The code of a notebook, a unit for each cell; ``left_out`` are the lines that are no python."""

    cells: list[CodeType] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def read(path: str) -> Notebook:
    """The code cells of the notebook at ``path``, compiled; a traceback shows the cell's number and line.

    Raises:
        FrostlineError: the file is no notebook, or its language is another than python.
        SyntaxError: a cell is no python.
    """
    try:
        document = json.loads(Path(path).read_bytes())
        language = document["metadata"].get("kernelspec", {}).get("language", "python")
        cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FrostlineError(
            f"cannot run '{path}': it is no notebook of format 4", "open it in Jupyter and save it"
        ) from None
    if language != "python":
        raise FrostlineError(f"cannot run '{path}': it is written in {language}", "frostline observes python alone")
    notebook = Notebook()
    for number, source in enumerate(sources, 1):
        name = f"{path}, cell {number}"
        python = _python(source, notebook.left_out)
        linecache.cache[name] = (len(python), None, python.splitlines(keepends=True), name)
        notebook.cells.append(compile(python, name, "exec", dont_inherit=True))
    return notebook


def _python(source: str, left_out: list[str]) -> str:
    """The cell with an empty line in the place of each that is for the notebook, so that lines keep their numbers."""
    first = source.split(maxsplit=1)[:1]
    if first and first[0].startswith("%%") and first[0] not in _RUNS_PYTHON:
        left_out.append(f"{first[0]} …")
        return ""
    kept = []
    for line in source.splitlines():
        is_ours = line.lstrip().startswith(_SHELL) or line.rstrip().endswith("?")
        if is_ours:
            left_out.append(line.strip())
        indent = line[: len(line) - len(line.lstrip())]
        kept.append(f"{indent}pass" if is_ours and indent else "" if is_ours else line)
    return "\n".join([*kept, ""])


def say_left_out(path: str, notebook: Notebook) -> None:
    """Tell on stderr which lines are not run."""
    if notebook.left_out and sys.stderr is not None:
        print(f"frostline: of {path} these lines are not run: {'; '.join(notebook.left_out)}", file=sys.stderr)
