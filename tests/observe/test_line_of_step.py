"""Which line of the script made a step, and between which two something moved that no step moved."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from frostline.core.events import LineSeen
from frostline.core.events.fact import Origin
from frostline.core.ledger import OptimizerRow
from frostline.observe import script_lines
from frostline.observe.checks import step_lines
from frostline.observe.checks.step_lines import END, StepLines
from frostline.observe.clock import Clock
from frostline.observe.script_lines import line_of, makers, script_line

SGD, ADAM = (OptimizerRow(name, "optimizer", name) for name in ("sgd", "adam"))
SITE = "/somewhere/site-packages"


def function(file: str, calls: str, line: int = 1, name: str = "called", **known: Any) -> Callable[..., Any]:
    """A function of this file that calls what it is given, in this line."""
    code = compile("\n" * (line - 2) + f"def {name}(function):\n    return {calls}\n", file, "exec")
    exec(code, known)
    return known[name]  # type: ignore[no-any-return]


def through(*files: str) -> Origin | None:
    """The line that is told where files call each other in this order, the last of which asks."""
    asked: Callable[..., Any] = script_line
    for number, file in reversed(list(enumerate(files, 1))):
        asked = partial(function(file, "function()", 10 * number), asked)
    return asked()  # type: ignore[no-any-return]


def test_this_file_is_of_a_script() -> None:
    origin, line = script_line(), sys._getframe().f_lineno
    assert origin is not None
    assert (os.path.basename(origin.file), origin.line, origin.inside) == (os.path.basename(__file__), line, "")
    assert origin.function == "test_this_file_is_of_a_script"
    assert origin.source.startswith("origin, line = script_line()")


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/home/me/train.py", "script"),
        ("<ipython-input-3-abc>", "script"),
        ("<stdin>", "script"),
        ("<string>", "framework"),
        (f"{SITE}/torch/nn/module.py", "framework"),
        (f"{SITE}/torchvision/models.py", "library"),
        ("/usr/lib/python3/dist-packages/lightning/loop.py", "library"),
        (f"{sysconfig.get_path('stdlib')}/functools.py", "framework"),
        (f"{os.path.dirname(os.path.dirname(script_lines.__file__))}/run/session.py", "framework"),
        ("/tmp/torchinductor_me/ab/cab.py", "framework"),
    ],
)
def test_whose_code_a_file_is(file: str, kind: str) -> None:
    assert script_lines._kind_of(file) == kind


def test_the_line_is_that_of_the_script_and_names_the_library_that_it_called() -> None:
    files = ("/me/main.py", f"{SITE}/lightning/loop.py", f"{SITE}/trainer/step.py", f"{SITE}/torch/optim.py")
    script_lines._kinds[__file__] = "framework"  # for now
    try:
        origin = through(*files)
        assert origin is not None
        assert (origin.file, origin.line, origin.inside) == ("/me/main.py", 10, "called")
        plain = through("/me/main.py", "/me/other.py", f"{SITE}/torch/optim.py")
        assert plain is not None
        assert (plain.file, plain.line, plain.inside) == ("/me/other.py", 20, "")
    finally:
        del script_lines._kinds[__file__]


def test_a_function_that_makes_is_passed_over_unless_nothing_else_is_there() -> None:
    making = function("/me/model.py", "function()", 7)
    origin = making(lambda: script_line(1, but=[making.__code__]))
    assert origin is not None
    assert os.path.basename(origin.file) == os.path.basename(__file__)
    everything = [making.__code__]
    frame = sys._getframe()
    while frame is not None:
        everything.append(frame.f_code)
        frame = frame.f_back  # type: ignore[assignment]
    passed = making(lambda: script_line(1, but=everything))
    assert passed is not None
    assert script_lines._kind_of(passed.file) == "script"


def test_files_are_named_from_where_the_run_began(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script_lines, "_started_in", ["/me/"])
    monkeypatch.setattr(script_lines, "_origins", {})
    begun = [line_of(function(file, "function()", 5)) for file in ("/me/sub/a.py", "b.py", "/you/c.py", "<stdin>")]
    assert [(origin.file, origin.line) for origin in begun if origin is not None] == [
        ("sub/a.py", 4),
        ("b.py", 4),
        ("/you/c.py", 4),
        ("<stdin>", 4),
    ]
    monkeypatch.chdir(tmp_path)
    script_lines.start_here()
    assert script_lines._started_in == [os.path.join(os.getcwd(), "")]


@pytest.mark.parametrize("thing", [len, 3, function(f"{SITE}/lightning/loop.py", "function()")])
def test_what_is_of_no_script_has_no_line(thing: Any) -> None:
    assert line_of(thing) is None


def test_makers_are_all_that_initialise() -> None:
    class Base:
        def __init__(self) -> None: ...
        def build(self) -> None: ...

    class Derived(Base):
        def __init__(self) -> None: ...

    initialised = [Derived.__init__.__code__, Base.__init__.__code__]
    assert makers(Derived()) == initialised
    assert makers(Derived(), ("__init__", "build")) == [*initialised, Base.build.__code__]


def test_no_more_lines_are_kept_than_memory_is_given_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[Any, Any] = {}
    monkeypatch.setattr(script_lines, "_KEPT", 2)
    monkeypatch.setattr(script_lines, "_origins", kept)
    counts = []
    for line in range(2, 6):
        function("/me/a.py", "function()", line)(lambda: script_line(1))
        counts.append(len(kept))
    assert counts == [1, 2, 1, 2]
    asked = [script_line() for _ in range(2)]
    assert asked[0] is asked[1]


# Steps


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> tuple[Clock, StepLines, list[LineSeen], list[Origin | None]]:
    """Lines of steps, with what is told and where the script is, which a test may set."""
    told: list[Any] = []
    here: list[Origin | None] = [Origin("train.py", 10)]
    monkeypatch.setattr(step_lines, "script_line", lambda: here[0])
    clock = Clock()
    return clock, StepLines(clock, told.append), told, here


def test_a_line_is_told_once_for_each_optimizer(lines: Any) -> None:
    clock, steps, told, here = lines
    for number, optimizer in ((10, SGD), (10, SGD), (10, ADAM), (11, SGD)):
        here[0] = Origin("train.py", number)
        clock.before_step()
        steps.begin()
        steps.read(optimizer)
        clock.after_step()
        steps.read(optimizer)
    assert [(seen.step, seen.optimizer, seen.origin.line, seen.act) for seen in told] == [
        (0, "sgd", 10, "step"),
        (2, "adam", 10, "step"),
        (3, "sgd", 11, "step"),
    ]


def test_between_which_lines_something_moved(lines: Any) -> None:
    clock, steps, told, here = lines
    clock.before_step()
    steps.begin()
    clock.after_step()
    steps.read(SGD)  # just after the step in line 10
    told.clear()
    here[0] = Origin("train.py", 20)
    steps.tell_around({clock.now: [3, 4], clock.now - 1: [5]})
    here[0] = None
    steps.tell_around({clock.now: [6]})
    assert [(seen.step, seen.act, seen.tensors, seen.origin.line, seen.until) for seen in told] == [
        (1, "wrote", (3, 4), 10, Origin("train.py", 20)),
        (1, "wrote", (6,), 10, END),
    ]


def test_a_line_that_is_not_known_or_of_an_earlier_step_is_none_of_this_reading(lines: Any) -> None:
    clock, steps, told, here = lines
    here[0] = None
    clock.before_step()
    steps.begin()
    steps.read(SGD)
    here[0] = Origin("train.py", 10)
    steps.begin()
    clock.after_step()
    clock.before_step()
    steps.read(SGD)  # of the next step, which did not begin
    assert told == []
    steps.tell_around({clock.now: [3]})
    assert told == []
