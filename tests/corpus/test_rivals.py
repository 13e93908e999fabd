"""What a rival said is read in its favour, and can still be wrong."""

import pytest
from bench.rivals.complaint import Complaint, named_in, reading
from bench.rivals.with_traincheck import chosen, entries, other_seed
from corpus.cases import Case, Trial, load
from corpus.rivals import markdown, traincheck

BUG = Trial(Case("bugs/torch/one", "bug", None, rules=("frozen-but-decayed",), tensors=("body.0.weight",)), "bug", None)
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


def test_what_a_learning_tool_violated_is_counted(tmp_path):
    kept = tmp_path / "traincheck.json"
    kept.write_text(
        '{"date": "2026-01-01", "version": "0.2.0", "programs": {'
        '"one": {"invariants": 40, "bug": 3, "healthy": 0, "seconds": 9}, '
        '"two": {"invariants": 50, "bug": 0, "healthy": 2, "seconds": 11}, '
        '"three": {"problem": "collect ended with 1: no such thing", "seconds": 1}}}'
    )
    lines = traincheck(kept)
    assert "| one | 40 | 3 | 0 |" in lines
    assert "| three | collect ended with 1 | | |" in lines
    assert "violated in 1 of 2 programs with a bug, and in 1 of 2 healthy ones" in " ".join(lines)
    assert traincheck(tmp_path / "absent.json") == []


def test_the_sample_is_the_same_each_time_and_a_larger_one_holds_the_smaller():
    everything = load()
    assert chosen(everything, (), 5) == chosen(everything, (), 9)[:5]
    assert {case.framework for case in chosen(everything, (), 9)} == {"torch"}


def test_other_numbers_are_drawn_and_the_program_stays():
    assert other_seed("torch.manual_seed(0)\nmodel = 0\n") == "torch.manual_seed(1234)\nmodel = 0\n"


def test_a_file_of_one_object_after_the_other():
    assert list(entries('{"a": {"b": 1}}\n{"a": 2}\n')) == [{"a": {"b": 1}}, {"a": 2}]
    assert list(entries("")) == []
