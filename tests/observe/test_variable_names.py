"""Variables of the script by their names: which functions are looked into, and which are left alone."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from frostline.observe.variable_names import namespaces, unique, variable_names


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


class Holder:
    """Something of a script with attributes."""

    def __init__(self, **attributes: object) -> None:
        vars(self).update(attributes)


def named(*wanted: int, **more: Any) -> list[str | None]:
    """The names of what has these ids, as the function that calls this has them."""
    found = variable_names(set(wanted), **more)
    return [found.get(each) for each in wanted]


def test_variables_come_before_what_is_inside_others() -> None:
    model = object()
    holder, many, table = Holder(part=object(), again=model), [model, object()], {"entry": object(), 3: model}
    wanted = id(model), id(vars(holder)["part"]), id(many[1]), id(table["entry"])
    assert named(*wanted) == ["model", "part", "many.1", "entry"]


def test_a_name_with_an_underscore_is_taken_where_there_is_no_other() -> None:
    _hidden, shown = object(), object()
    _also = shown
    assert named(id(_hidden), id(shown), id(_also)) == ["_hidden", "shown", "shown"]


def test_keys_that_print_at_length_are_numbered() -> None:
    table = {(1, 2): object(), 7: object()}
    assert named(*map(id, table.values())) == ["table.0", "table.7"]


def test_the_self_of_a_method_names_nothing() -> None:
    class Trainer:
        def name(self) -> list[str | None]:
            return named(id(self))

    assert [Trainer().name() for _ in range(1)] == [[None]]


def test_what_a_wrapper_holds_is_named_by_it() -> None:
    inside = [object()]
    wrapper = Holder(wrapped=inside[0])

    def unwrap(value: Any) -> Any:
        return value.wrapped if isinstance(value, Holder) else value

    assert named(id(inside[0]), unwrap=unwrap) == ["wrapper"]
    assert wrapper is not None


def test_no_more_than_so_many_items_are_looked_at() -> None:
    many = [object() for _ in range(65)]
    assert named(id(many[63]), id(many[64])) == ["many.63", None]


def test_classes_and_objects_with_attributes_of_their_own_making_are_not_looked_into() -> None:
    class Kept:
        part = object()

    class Odd:
        __dict__ = property(lambda self: [("part", Kept.part)])  # type: ignore[assignment]

    class Bare:
        __slots__ = ("part",)

    odd, bare = Odd(), Bare()
    bare.part = Kept.part
    assert named(id(Kept.part)) == [None]
    assert odd is not bare


def test_names_that_rewritten_code_makes_are_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Holder()
    monkeypatch.setitem(vars(sys.modules["__main__"]), "@py_assert", made)
    assert named(id(made)) == ["made"]
