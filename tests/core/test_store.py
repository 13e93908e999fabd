"""The record on disk: round trip, replacement and bad files."""

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frostline import judging
from frostline.core.events import FlagMisspelt
from frostline.core.ledger import Changed, Declared, Flip, Holding, Movement, OptimizerRow, Owner, Shift, TensorRow
from frostline.core.record import Finding, Record, Totals, Verdict  # fmt: skip
from frostline.core.run import Run
from frostline.core.storage import store
from frostline.errors import RecordError
from frostline.run.files.places import require_writable

texts = st.text(max_size=8)
parameters = st.floats(allow_nan=False, allow_infinity=False)
movements = st.builds(
    Movement,
    st.sampled_from(["step", "forward"]),
    st.integers(0, 9),
    st.integers(0, 9),
    texts,
    shift=st.none() | st.builds(Shift, st.integers(0, 9), st.integers(0, 9), parameters),
)
declarations = st.builds(
    Declared,
    st.none() | st.booleans(),
    flips=st.lists(st.builds(Flip, st.integers(0), st.booleans()), max_size=2),
)
tensor_rows = st.builds(
    TensorRow,
    texts,
    texts,
    st.just("parameter"),
    st.tuples(st.integers(0, 9)),
    texts,
    st.integers(0),
    st.integers(0, 2**62),
    aliases=st.lists(texts, max_size=2),
    owner=st.builds(Owner, texts),
    declared=declarations,
    optimizers=st.lists(st.builds(Holding, texts, lr=st.none() | parameters), max_size=2),
    changed=st.builds(Changed, st.sampled_from(["yes", "no", "unknown"]), movements=st.lists(movements, max_size=2)),
    unknown=st.dictionaries(texts, texts, max_size=2),
)
records = st.builds(
    lambda rows, found, events: Record(
        store.FORMAT, "0", Run(), [OptimizerRow("o", "optimizer", "SGD")], rows, Totals(), found, Verdict(), events
    ),
    st.lists(tensor_rows, max_size=3),
    st.lists(
        st.builds(Finding, texts, texts, st.just("note"), st.lists(texts), texts, st.dictionaries(texts, texts), texts),
        max_size=2,
    ),
    st.lists(st.builds(FlagMisspelt, subject=texts, attribute=texts, on=texts, tensors=st.just(("a",))), max_size=2),
)


@given(records)
def test_a_record_comes_back_as_it_was(record):
    assert store.from_json(store.to_json(record)) == record


def example_record() -> Record:
    return Record(store.FORMAT, "0", Run(command=["train.py"]), [], [], Totals(), [], Verdict(errors=2))


def test_saving_replaces_the_file_and_leaves_nothing_beside_it(tmp_path):
    target = tmp_path / "r.json"
    target.write_text("old")
    store.save(example_record(), target)
    assert judging.load(target) == example_record()
    assert os.listdir(tmp_path) == ["r.json"]


def test_a_record_that_cannot_be_written_leaves_the_old_one(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    with pytest.raises(RecordError, match="cannot write"):
        store.save(example_record(), target)
    assert os.listdir(tmp_path) == ["folder"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not a frostline record"),
        (b"{", "not a frostline record"),
        (b"[]", "not a frostline record"),
        (b"\xff\xfe", "not a frostline record"),
        (b'{"format": 1}', "reads format 2"),
        (b'{"format": 2}', "not a valid"),
        (b'{"format": 2, "run": 3}', "not a valid"),
    ],
)
def test_foreign_and_broken_files_are_named(tmp_path, content, word):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=word) as caught:
        judging.load(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_every_truncation_of_a_record_is_refused():
    whole = store.to_json(example_record())
    for length in range(len(whole)):
        with pytest.raises(RecordError):
            store.from_json(whole[:length])


def test_a_missing_record_says_how_to_make_one(tmp_path):
    with pytest.raises(RecordError, match="there is no record") as caught:
        judging.load(tmp_path / "none.json")
    assert "frostline run" in caught.value.hint


def test_numbers_that_json_cannot_hold_become_null():
    record = example_record()
    row = TensorRow("a", "m", "parameter", (1,), "float32", 4, 1)
    row.changed.movements.append(Movement("step", 0, 1, shift=Shift(1, 1, float("nan")), lr=float("inf")))
    record.tensors.append(row)
    move = store.from_json(store.to_json(record)).tensors[0].changed.movements[0]
    assert (move.lr, dataclasses.astuple(move.shift)[2]) == (None, None)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        assert not store.is_record(path)
        with pytest.raises(RecordError, match="is no regular file"):
            store.read(path)


def test_a_link_where_the_temporary_file_goes_is_not_followed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_bytes(b"untouched")
    (tmp_path / f".run.json.{os.getpid()}.tmp").symlink_to(theirs)
    store.write_atomically(b"ours", tmp_path / "run.json")
    assert (theirs.read_bytes(), (tmp_path / "run.json").read_bytes()) == (b"untouched", b"ours")
    assert not (tmp_path / "run.json").is_symlink()


def test_a_link_where_a_place_is_tried_is_not_followed(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    (tmp_path / f".run.json.{os.getpid()}.tmp").symlink_to(theirs)
    require_writable(tmp_path / "run.json")
    assert list(tmp_path.iterdir()) == []
