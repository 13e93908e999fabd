"""The difference between two runs: none from a run to itself, the same from the other side, and complete."""

from dataclasses import replace
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from frostline.core.ledger import Changed, Declared, Holding, TensorRow
from frostline.core.record import Finding, Record, Totals, Verdict
from frostline.core.run import Run
from frostline.core.run_diff import COLUMNS, columns, compare
from frostline.core.storage import store

names = st.sampled_from(["a.weight", "a.bias", "b.weight", "b.bias", "c"])
rows = st.builds(
    TensorRow,
    names,
    st.just("model"),
    st.just("parameter"),
    st.tuples(st.integers(1, 2)),
    st.sampled_from(["float32", "bfloat16"]),
    st.just(4),
    st.just(1),
    expected=st.sampled_from([None, "frozen"]),
    declared=st.builds(Declared, st.none() | st.booleans()),
    optimizers=st.lists(st.builds(Holding, st.sampled_from(["adam", "sgd"])), max_size=2),
    changed=st.builds(Changed, st.sampled_from(["yes", "no", "unknown"])),
)
findings = st.builds(
    Finding,
    st.sampled_from(["frozen-but-changed", "nothing-trained"]),
    st.just("F100"),
    st.sampled_from(["error", "note"]),
    st.lists(names, max_size=2),
    st.sampled_from(["4 tensors moved", "9 tensors moved", "nothing moved"]),
    st.just({}),
    st.just("look"),
)
records = st.builds(
    Record,
    st.just(store.FORMAT),
    st.just("0.1"),
    st.builds(Run, seconds=st.floats(0, 9)),
    st.just([]),
    st.lists(rows, unique_by=lambda row: row.name, max_size=5),
    st.just(Totals()),
    st.lists(findings, max_size=3),
    st.just(Verdict()),
)


@given(records)
def test_nothing_lies_between_a_run_and_itself(record: Record) -> None:
    later = replace(record, run=replace(record.run, seconds=1e6, checks=99))
    assert compare(record, later).exit_status == 0


@given(records, records)
def test_the_difference_seen_from_the_other_side(old: Record, new: Record) -> None:
    there, back = compare(old, new), compare(new, old)
    key = lambda cell: (cell.name, cell.column)  # noqa: E731
    assert sorted(there.reversed().cells, key=key) == sorted(back.cells, key=key)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert (there.new_findings, there.gone_findings) == (back.gone_findings, back.new_findings)


@given(records, records)
def test_the_old_columns_and_the_difference_make_the_new_columns(old: Record, new: Record) -> None:
    difference, made = compare(old, new), dict(columns(old))
    for name in difference.removed:
        del made[name]
    for cell in difference.cells:
        assert made[cell.name][cell.column] == cell.old
        made[cell.name] = made[cell.name] | {cell.column: cell.new}
    for name in difference.added:
        made[name] = columns(new)[name]
    assert made == columns(new)


@given(records, st.data())
def test_one_word_in_one_column_is_one_cell(record: Record, data: st.DataObject) -> None:
    if not record.tensors:
        return
    index = data.draw(st.integers(0, len(record.tensors) - 1))
    row = record.tensors[index]
    other = replace(row, changed=replace(row.changed, verdict="no" if row.changed.verdict == "yes" else "yes"))
    after = replace(record, tensors=[*record.tensors[:index], other, *record.tensors[index + 1 :]])
    (cell,) = compare(record, after).cells
    assert (cell.name, cell.column, cell.new) == (row.name, "changed", other.changed.verdict)
    assert cell.column in COLUMNS


def test_only_what_begins_as_a_record_is_one(tmp_path: Path) -> None:
    record = Record(store.FORMAT, "0.1", Run(), [], [], Totals(), [], Verdict())
    (tmp_path / "run.json").write_bytes(msgspec.json.encode(record))
    (tmp_path / "other.json").write_text('{"format": "pt"}')
    assert store.is_record(tmp_path / "run.json")
    assert not store.is_record(tmp_path / "other.json")
    assert not store.is_record(tmp_path / "missing.json")


def test_columns_say_in_words_what_there_is_and_what_is_not() -> None:
    row = TensorRow("m.w", "m", "parameter", (), "float32", 4, 1)
    empty = Record(store.FORMAT, "0", Run(), [], [row], Totals(), [], Verdict())
    assert columns(empty)["m.w"] == {
        "shape": "one value",
        "dtype": "float32",
        "expected": "not said",
        "declared": "none",
        "optimizer": "nothing",
        "changed": "unknown",
    }
    row.shape, row.expected, row.declared.trainable = (2, 3), "frozen", False
    row.optimizers = [Holding("sgd"), Holding("adam"), Holding("train step", listed=False)]
    assert list(columns(empty)["m.w"].values()) == ["2×3", "float32", "frozen", "frozen", "adam, sgd", "unknown"]
