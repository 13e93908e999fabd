"""What a rival said is read in its favour, and can still be wrong."""

import pytest
from bench.rivals.complaint import Complaint, named_in, reading
from corpus.cases import Case, Trial
from corpus.rivals import markdown

BUG = Trial(Case("bugs/torch/one", "bug", None, rules=("frozen-but-decayed",), leaves=("body.0.weight",)), "bug", None)
CLEAN = Trial(Case("clean/torch/one", "clean", None), "clean", None)


@pytest.mark.parametrize(
    ("complaints", "word"),
    [
        ([], "missed"),
        ([Complaint("moved", ("model.body.0.weight",))], "found"),
        ([Complaint("moved", ("model.body.0.weight",), loud=False)], "found"),
        ([Complaint("moved", ("model.head.weight",))], "elsewhere"),
        ([Complaint("something is off")], "found"),
        ([Complaint("", ("model.body.0.weight",), shown="trainable")], "found"),
        ([Complaint("", ("model.body.0.weight",), shown="frozen")], "missed"),
    ],
)
def test_a_bug(complaints, word):
    assert reading(BUG, complaints) == word


@pytest.mark.parametrize(
    ("complaints", "word"),
    [
        ([], "quiet"),
        ([Complaint("moved", loud=False)], "quiet"),
        ([Complaint("", ("model.head.weight",), shown="frozen")], "quiet"),
        ([Complaint("moved")], "alarm"),
    ],
)
def test_a_healthy_program(complaints, word):
    assert reading(CLEAN, complaints) == word


def test_only_whole_names_are_named():
    names = ["body.1.weight", "body.10.weight", "weight"]
    assert named_in("body.10.weight: gradient is zero", names, "model") == ("model.body.10.weight",)


def test_the_table_counts_what_was_kept(tmp_path):
    kept = tmp_path / "results.json"
    kept.write_text(
        '{"date": "2026-01-01", "torch": "2", "rivals": [{"name": "one", "version": "1", "looks_at": "flags"}], '
        '"programs": [{"role": "bug", "words": {"one": "found"}}, {"role": "clean", "words": {"one": "alarm"}}]}'
    )
    assert "| one 1 | flags | 1 | 0 | 0 | 0 | 0 | 1 | 0 |" in markdown(kept)
    assert markdown(tmp_path / "absent.json") == []
