"""Watches put themselves around the same functions, and end in any order."""

from frostline.frameworks.patching import put


class Library:
    save = 1


def test_what_is_under_another_watch_goes_with_it() -> None:
    first, second = put(Library, "save", "first"), put(Library, "save", "second")
    first()
    assert Library.save == "second"
    second()
    assert Library.save == 1


def test_what_was_inherited_is_inherited_again() -> None:
    class Own(Library):
        pass

    first, second = put(Own, "save", "one"), put(Own, "save", "other")
    first()
    second()
    assert "save" not in vars(Own)


def test_the_last_that_was_put_goes_alone() -> None:
    first, second = put(Library, "save", "below"), put(Library, "save", "above")
    second()
    assert Library.save == "below"
    first()
    assert Library.save == 1
