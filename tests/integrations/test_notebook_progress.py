"""The line below a cell that trains is one line, written anew at each check."""

import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from frostline.core.record import Record, Totals, Verdict
from frostline.core.run import Run
from frostline.integrations import notebook


class Display:
    """IPython's function, and the handle that it returns."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, data: dict[str, str], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        assert not self.shown
        self.shown.append(data["text/plain"])
        return SimpleNamespace(update=lambda data, raw: self.shown.append(data["text/plain"]))


def test_the_line_says_how_far_the_run_is_and_in_the_end_what_was_found() -> None:
    display = Display()
    line = notebook.ProgressLine(display)
    record = Record(1, "0.1", Run(steps=1), [], [], Totals(), [], Verdict())
    line.write(replace(record, run=Run(complete=True)))
    line.write(record)
    line.write(replace(record, run=Run(steps=2048, complete=True)))
    line.close()
    assert display.shown == [
        "frostline: training, step 1: no contradiction found (0 errors, 0 warnings, 0 notes)",
        "frostline: step 2,048: no contradiction found (0 errors, 0 warnings, 0 notes)",
    ]


@pytest.mark.parametrize(("shell", "lines"), [(None, 0), (SimpleNamespace(), 0), (SimpleNamespace(kernel=1), 1)])
def test_there_is_one_in_the_kernel_of_a_notebook_alone(
    shell: object, lines: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(get_ipython=lambda: shell, display=SimpleNamespace(display=print))
    monkeypatch.setitem(sys.modules, "IPython", module)
    assert len(notebook.listeners()) == lines
