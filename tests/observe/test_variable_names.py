"""Variables of the script by their names: which functions are looked into, and which are left alone."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from frostline.observe.variable_names import namespaces, unique


def seen() -> set[str]:
    return {name for items in namespaces() for name, _ in items}


def plain() -> set[str]:
    marker = 1
    found = seen()
    assert marker == 1  # what was read is there still
    return found


def of_another(holder: SimpleNamespace) -> set[str]:
    marker = vars(holder)
    return seen() if marker else set()


def of_itself() -> set[str]:
    marker = vars()
    return seen() if marker is not None else set()


def all_local() -> set[str]:
    marker = locals()
    return seen() if marker is not None else set()


def executed() -> set[str]:
    marker = 1
    exec("pass")
    return seen() if marker else set()


@pytest.mark.parametrize("found", [plain(), of_another(SimpleNamespace(a=1))])
def test_the_variables_of_a_running_function_are_seen(found: set[str]) -> None:
    assert "marker" in found


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="reading the variables leaves no snapshot behind")
@pytest.mark.parametrize("found", [of_itself(), all_local(), executed()])
def test_a_function_that_may_have_asked_for_its_variables_is_left_alone(found: set[str]) -> None:
    assert "marker" not in found


def test_packages_are_passed_over_where_they_are_named() -> None:
    package = __name__.partition(".")[0]
    assert "package" in seen()
    assert "package" not in {name for items in namespaces((package,)) for name, _ in items}


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert [unique("w", taken) for taken in ((), ("w",), ("w", "w#2"), ("w#2",))] == ["w", "w#2", "w#3", "w"]
