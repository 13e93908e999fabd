"""The data beside the scripts: complete, consistent, and refused when it is not."""

import re
from pathlib import Path

import pytest
from corpus.cases import imported, load, trials

CASES = load()
GIVEAWAYS = ("bug", "wrong", "wrongly", "forgot", "mistake", "typo", "broken", "stale", "should have", "oops")
RUNNABLE = [case for case in CASES if case.path and case.kind == "bug"]


def test_names_are_unique():
    names = [trial.name for trial in trials(CASES)]
    assert len(names) == len(set(names))


def test_there_are_enough_healthy_programs():
    assert sum(case.kind == "clean" for case in CASES) >= 40


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: case.name)
def test_a_bug_has_a_twin_that_differs(case):
    assert case.fixed.exists()
    assert case.fixed.read_text() != case.path.read_text()


@pytest.mark.parametrize("case", RUNNABLE, ids=lambda case: case.name)
def test_a_script_does_not_give_itself_away(case):
    text = case.path.read_text().lower()
    assert not [word for word in GIVEAWAYS if re.search(rf"\b{word}\b", text)]


def test_a_case_that_waits_says_why_and_is_not_run():
    waiting = [case for case in CASES if case.waiting]
    assert waiting
    assert all(trial.case not in waiting for trial in trials(waiting))


def test_each_backend_is_a_trial():
    for case in CASES:
        if case.path and not case.waiting:
            expected = max(1, len(case.backends)) * (2 if case.kind == "bug" else 1)
            assert len(trials([case])) == expected


def write(root: Path, name: str, data: str, script: str = "print(1)\n") -> None:
    folder = root / "bugs" / "torch"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "clean").mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(data)
    if script:
        (folder / f"{name}.py").write_text(script)


def test_an_unknown_key_is_refused(tmp_path):
    write(tmp_path, "one", 'rules = ["no-gradient"]\nleafs = []\n')
    with pytest.raises(ValueError, match="leafs"):
        load(tmp_path)


def test_a_bug_without_an_answer_is_refused(tmp_path):
    write(tmp_path, "one", 'title = "x"\n')
    with pytest.raises(ValueError, match="names no rule"):
        load(tmp_path)


def test_a_missing_script_is_refused_unless_it_waits(tmp_path):
    write(tmp_path, "one", 'rules = ["no-gradient"]\n', script="")
    with pytest.raises(ValueError, match="no script"):
        load(tmp_path)
    write(tmp_path, "one", 'waiting = "for a library"\n', script="")
    assert load(tmp_path)[0].waiting == "for a library"


def test_imported_leaves_out_the_standard_library(tmp_path):
    script = tmp_path / "one.py"
    script.write_text("import os\nimport torch.nn\nfrom sklearn import datasets\n")
    assert imported(script) == ["sklearn", "torch"]
