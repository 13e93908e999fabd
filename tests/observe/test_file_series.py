"""Files of a series that hold the same bits again although memory moved."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from frostline.core.events.files import FilesAlike
from frostline.observe import file_series
from frostline.observe.file_series import FileSeries

Writing = tuple[str, int, str, str]  # path, step, what the file holds, what memory does


def told(*writings: Writing) -> list[tuple[tuple[str, ...], tuple[int, ...], tuple[str, ...], bool]]:
    facts: list[FilesAlike] = []
    series = FileSeries(facts.append, lambda keys: tuple(sorted(map(str, keys))))
    for path, step, content, memory in writings:
        series.wrote(path, step, marks(content), marks(memory))
    for _ in range(2):  # whatever ends the run, nothing is told twice
        series.end()
    return [(fact.files, fact.steps, fact.tensors, fact.went_on) for fact in facts]


def marks(text: str) -> Mapping[str, bytes]:
    return {"weight": text[:1].encode(), "bias": text[1:].encode()} if text else {}


def test_files_that_repeat_the_one_before_are_told_together() -> None:
    (found,) = told(("out/s10.pt", 10, "aa", "aa"), ("out/s20.pt", 20, "aa", "bb"), ("out/s30.pt", 30, "aa", "cb"))
    assert found == (("s10.pt", "s20.pt", "s30.pt"), (10, 20, 30), ("bias", "weight"), False)


def test_a_series_that_goes_on_says_so() -> None:
    repeated = [("s1.pt", 1, "aa", "aa"), ("s2.pt", 2, "aa", "bb"), ("s3.pt", 3, "cc", "cc")]
    assert told(*repeated) == [(("s1.pt", "s2.pt"), (1, 2), ("bias", "weight"), True)]


def test_a_file_without_anything_of_a_model_ends_no_series() -> None:
    (found,) = told(("s1.pt", 1, "aa", "aa"), ("s2.pt", 2, "", "bb"), ("s3.pt", 3, "aa", "cc"))
    assert found[:2] == (("s1.pt", "s3.pt"), (1, 3))


def test_steps_of_folders_are_in_the_names() -> None:
    (found,) = told(("run/step-1/model.bin", 1, "aa", "aa"), ("run/step-2/model.bin", 2, "aa", "ba"))
    assert found[0] == ("step-1/model.bin", "step-2/model.bin")
    assert found[2] == ("weight",)


@pytest.mark.parametrize(
    "second",
    [
        ("s2.pt", 2, "bb", "bb"),  # other bits
        ("s2.pt", 2, "aa", "aa"),  # memory stands still
        ("s2.pt", 1, "aa", "bb"),  # at the same step
        ("best.pt", 2, "aa", "bb"),  # another series
        ("s2.pt", 2, "", "bb"),  # nothing of a model
    ],
)
def test_everything_else_is_no_repetition(second: Writing) -> None:
    assert told(("s1.pt", 1, "aa", "aa"), second) == []


def test_of_many_series_the_last_are_compared_and_others_are_told_when_they_are_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(file_series, "SERIES_KEPT", 2)
    a, b, c = ([(f"{name}{step}.pt", step, "aa", state) for step, state in ((1, "aa"), (2, "bb"))] for name in "abc")
    assert [fact[0] for fact in told(*a, *b)] == [("a1.pt", "a2.pt"), ("b1.pt", "b2.pt")]
    third = ("a3.pt", 3, "aa", "cc")
    assert [fact[0] for fact in told(*a, *b, *c, third)] == [  # what was let go begins anew
        ("a1.pt", "a2.pt"),
        ("b1.pt", "b2.pt"),
        ("c1.pt", "c2.pt"),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [("out/7/model.pt", "7/model.pt"), ("out/7/a/model.pt", "model.pt"), ("run7\\s1.pt", "s1.pt"), ("out/3/", "3")],
)
def test_a_path_is_told_from_its_number_on(path: str, name: str) -> None:
    again = path.replace("7", "8").replace("s1", "s2").replace("out/3", "out/4")
    (found,) = told((path, 1, "aa", "aa"), (again, 2, "aa", "bb"))
    assert found[0][0] == name
