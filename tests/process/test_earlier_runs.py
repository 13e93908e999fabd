"""Runs that were made before the last one: kept, listed, reported and compared by their names."""

import json
import re

import pytest

from frostline.judging import load
from frostline.run.files import history

pytestmark = pytest.mark.needs("torch")
SCRIPT = """
import sys, torch
torch.manual_seed(0)
model = torch.nn.Linear(4, 2)
model.requires_grad_("frozen" not in sys.argv)
bias = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD([*model.parameters(), *bias.parameters()], lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    (model(torch.ones(2, 4)).sum() + bias(torch.ones(1, 1)).sum()).backward()
    optimizer.step()
"""


def test_earlier_runs_are_kept_listed_and_compared(shell) -> None:
    shell.warm = True
    shell.write("train.py", SCRIPT)
    for words in ((), ("frozen",)):
        assert shell.observed("train.py", *words).status == 0
    listed = json.loads(shell.frostline("runs", "--json").stdout)
    assert [each["command"] for each in listed] == [["train.py", "frozen"], ["train.py"]]
    assert [each["steps"] for each in listed] == [4, 4]
    last, first = (each["run"] for each in listed)
    assert listed[0]["path"].endswith(".frostline.json")
    assert load(shell.folder / ".frostline" / first / "record.json").run.id == first

    table = shell.frostline("runs").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["run", last, first]
    report = shell.frostline("report", first[-8:]).stdout
    assert f"frostline report .frostline/{first}/record.json --html" in " ".join(report.split())
    changed = shell.frostline("diff", first[-8:], last)
    assert (changed.status, "model.weight" in changed.stdout) == (1, True)


def test_a_run_that_was_not_kept_and_an_empty_folder_are_told(shell) -> None:
    done = shell.frostline("report", "5f0c1a2b")
    assert (done.status, done.stderr.splitlines()) == (
        2,
        ["frostline: there is no run '5f0c1a2b'", "hint: `frostline runs` lists those that were kept"],
    )
    done = shell.frostline("runs")
    assert (done.status, done.stderr.splitlines()[0]) == (2, "frostline: no run was kept here")


def test_a_place_that_was_named_is_written_over(shell) -> None:
    shell.warm = True
    shell.write("train.py", SCRIPT)
    for _ in range(2):
        shell.observed("--data", "mine.json", "train.py")
    assert shell.files() == {"train.py", "mine.json"}


def test_of_many_the_oldest_go_and_parts_of_processes_stay(tmp_path) -> None:
    runs = tmp_path / ".frostline"
    names = [f"run-20260101-0000{number:02}-aaaaaaaa" for number in range(history.KEPT + 3)]
    for name in names:
        (runs / name).mkdir(parents=True)
        (runs / name / "record.json").write_text("{}")
    (runs / names[0] / "rank-0.json").write_text("{}")
    data = tmp_path / ".frostline.json"
    data.write_text('{"run":{"id":"run-20270101-000000-bbbbbbbb"}}')
    history.keep_former(data, "run-20270101-000001-cccccccc")
    left = sorted(folder.name for folder in runs.iterdir())
    assert left == [names[0], *names[4:], "run-20270101-000000-bbbbbbbb"]
    assert (runs / "run-20270101-000000-bbbbbbbb" / "record.json").samefile(data)


def test_the_record_of_the_run_itself_stays_where_it_is(tmp_path) -> None:
    data = tmp_path / ".frostline.json"
    data.write_text('{"run":{"id":"run-20270101-000000-bbbbbbbb"}}')
    history.keep_former(data, "run-20270101-000000-bbbbbbbb")
    assert not (tmp_path / ".frostline").exists()
    data.write_text('{"run":{"id":""}}')
    history.keep_former(data, "run-20270101-000000-bbbbbbbb")
    (folder,) = (tmp_path / ".frostline").iterdir()
    assert re.fullmatch(r"run-\d{8}-\d{6}-former", folder.name)
