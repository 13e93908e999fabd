"""Every measurement can be taken, and has its place on the page; what is measured is not judged here."""

import doctest
import importlib
import inspect
from pathlib import Path

import pytest
from bench import __main__ as bench
from bench import overhead, page
from bench.turns import Line, times


@pytest.mark.needs("torch")
@pytest.mark.parametrize("name", bench.MEASURES)
def test_each_measurement_says_what_it_measures_and_has_a_place(name: str) -> None:
    pytest.importorskip("torch")
    module = importlib.import_module(f"bench.{name}")
    assert module.__doc__
    assert inspect.isgeneratorfunction(module.measure)
    assert module.PACKAGES
    assert page.PAGE.read_text("utf-8").count(f"<!-- measured: {name} -->\n") == 1


def test_a_section_is_replaced_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "PAGE", tmp_path / "page.md")
    page.PAGE.write_text("# a\n<!-- measured: one -->\nold\n<!-- end -->\nb\n<!-- measured: two -->\n<!-- end -->\n")
    text = page.section("one", "What.", "here", [Line("x", "1 s", "2 s", "2.0", "≥ 1", True)])
    page.put("one", text)
    written = page.PAGE.read_text("utf-8")
    assert "| x | 1 s | 2 s | 2.0 | ≥ 1 ✓ |" in written
    assert "old" not in written
    assert written.endswith("b\n<!-- measured: two -->\n<!-- end -->\n")
    with pytest.raises(ValueError):
        page.put("three", text)


def test_contestants_take_turns() -> None:
    order: list[str] = []
    taken = times({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert [len(seen) for seen in taken.values()] == [2, 2]


def test_a_minute_is_reckoned_from_runs_of_two_lengths() -> None:
    done = doctest.testmod(overhead)
    assert (done.failed, done.attempted > 2) == (0, True)
