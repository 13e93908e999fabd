"""The command: what it refuses, what it keeps, and the history, whose page needs no training."""

import json

import pytest
from click.testing import CliRunner
from studies.asking import Ask
from studies.cells import Cell
from studies.history import study as history
from studies.progress import silently

from studies import __main__ as command


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "PAGES", tmp_path / "pages")
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results")
    return tmp_path


def test_a_study_that_is_not_there_is_refused():
    outcome = CliRunner().invoke(command.main, ["layer"])
    assert outcome.exit_code == 2
    assert "there is no study layer; there are layers, " in outcome.output


def test_pages_without_results_are_refused(elsewhere):
    outcome = CliRunner().invoke(command.main, ["layers", "--pages-only"])
    assert outcome.exit_code == 2
    assert "run it without --pages-only" in outcome.output


def test_the_history_is_written_and_a_cell_without_explanation_fails_the_command(elsewhere):
    outcome = CliRunner().invoke(command.main, ["history"])
    assert outcome.exit_code == 0, outcome.output
    page = (elsewhere / "pages" / "history.md").read_text()
    assert "| keras 2.0.8, theano 1.0.5 | 2,110 | 25,450 | 27,560 | neither |" in page
    kept = elsewhere / "results" / "history.jsonl"
    planted = Cell("keras 9", "post", doubts=["nobody knows"], facts={"said_trainable": 1, "said_not": 1, "note": "ok"})
    with kept.open("a") as lines:
        lines.write(json.dumps(planted.as_data()) + "\n")
    outcome = CliRunner().invoke(command.main, ["history", "--pages-only"])
    assert outcome.exit_code == 1
    assert "keras 9, post: nobody knows" in outcome.output


def test_plots_show_in_red_what_moved_otherwise_than_said():
    cells = list(history.run(Ask(), silently))
    pages = history.write(cells, "Written today; now")
    assert pages["history-a.svg"].count("#c0392b") == 1 + 3  # the legend, 1.0.8, 2.0.4 and 2.0.8
    assert pages["history-a.svg"].count("#8a8a8a") == 1 + 1  # the legend, and 1.1.2, which says nothing
