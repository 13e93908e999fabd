"""Folding loses no tensor and never calls a part a whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_records import tensor_row

from frostline.core.names.patterns import matches
from frostline.report.folding import Names, folded, listed

PARTS = st.sampled_from(["0", "1", "2", "10", "a", "b"])
# A tensor's own name never names a module too, so tensors end in parts of their own.
NAMES = st.tuples(st.lists(PARTS, max_size=3), st.sampled_from(["w", "7"])).map(
    lambda name: ".".join(["model", *name[0], name[1]])
)


def rows(names, marks):
    tensor_rows = [tensor_row(name, 1, changed=mark) for name, mark in zip(names, marks, strict=True)]
    return folded("model", tensor_rows, lambda row: row.changed.verdict, "model")


@given(st.lists(st.tuples(NAMES, st.sampled_from(["yes", "no"])), unique_by=lambda pair: pair[0], min_size=1))
def test_rows_of_one_depth_partition_their_parent(pairs):
    tree = rows(*zip(*pairs, strict=True))
    assert len(tree[0].tensors) == len(pairs)
    for index, parent in enumerate(tree):
        children = []
        for later in tree[index + 1 :]:
            if later.depth <= parent.depth:
                break
            if later.depth == parent.depth + 1:
                children += [row.name for row in later.tensors]
        assert len(children) == len(set(children))
        assert set(children) <= {row.name for row in parent.tensors}


def test_a_module_is_unfolded_only_where_its_tensors_differ():
    tree = rows(
        ["model.a.0.w", "model.a.0.b", "model.a.1.w", "model.b.w", "model.b.b"],
        ["no", "no", "no", "yes", "no"],
    )
    assert [(row.depth, row.label, len(row.tensors)) for row in tree] == [
        (0, "model", 5),
        (1, "a", 3),
        (1, "b", 2),
        (2, "w", 1),
        (2, "b", 1),
    ]


def test_modules_that_look_alike_are_one_row():
    names = [f"model.blocks.{index}.{name}" for index in range(4) for name in ("w", "b")]
    tree = rows(names, ["yes", "no"] * 4)
    assert [(row.label, len(row.tensors)) for row in tree] == [("model.blocks.0–3 ×4", 8), ("w", 4), ("b", 4)]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["7"], "7"),
        (["0", "0", "1"], "0–1"),
        (["0", "2", "3", "4"], "0, 2–4 ×4"),
        (["0", "2", "4", "6"], "0, 2, … 6 ×4"),
        (["01", "2"], "01, 2"),
        (["q", "k", "v"], "q, k, v ×3"),
    ],
)
def test_listed(names, text):
    assert listed(names) == text


def patterns(ledger, names):
    return [(pattern.text, pattern.tensors) for pattern in Names(ledger).patterns(names)]


def test_a_whole_module_is_one_pattern_and_the_innermost():
    ledger = [tensor_row(f"m.body.{n}", 1) for n in ("a.w", "a.b", "c.w")] + [tensor_row("m.head.w", 1)]
    assert patterns(ledger, ["m.body.a.w", "m.body.a.b"]) == [("m.body.a.**", 2)]
    assert patterns(ledger, ["m.body.a.w", "m.body.a.b", "m.body.c.w"]) == [("m.body.**", 3)]
    assert patterns(ledger, ["m.head.w"]) == [("m.head.w", 1)]
    assert patterns(ledger, [row.name for row in ledger]) == [("m.**", 4)]


def test_all_buffers_of_a_module_are_a_whole():
    ledger = [
        tensor_row("m.bn.weight", 1),
        tensor_row("m.bn.mean", 1, kind="buffer"),
        tensor_row("m.bn.var", 1, kind="buffer"),
    ]
    assert patterns(ledger, ["m.bn.mean", "m.bn.var"]) == [("m.bn.**", 2)]
    assert Names(ledger).describe(["m.bn.mean", "m.bn.var"]) == "2 buffers"
    assert Names(ledger).describe([row.name for row in ledger]) == "3 tensors"


def test_numbered_siblings_are_one_pattern():
    ledger = [tensor_row(f"m.{i}.{j}.{n}", 1) for i in range(3) for j in range(4) for n in ("w", "b")]
    chosen = [row.name for row in ledger if row.name.endswith("w")]
    assert patterns(ledger, chosen) == [("m.{0–2}.{0–3}.w", 12)]
    assert patterns(ledger, [name for name in chosen if name != "m.1.2.w"]) == [
        ("m.{0, 2}.{0–3}.w", 8),
        ("m.1.{0–1, 3}.w", 3),
    ]


def test_names_outside_the_ledger_are_listed_as_they_are():
    assert patterns([tensor_row("m.a", 1), tensor_row("m.b", 1)], ["m.a", "m.stray"]) == [("m.a", 1), ("m.stray", 1)]
    assert patterns([], ["x.y"]) == [("x.y", 1)]


@given(st.lists(NAMES, unique=True, min_size=1), st.data())
def test_patterns_stand_for_exactly_the_tensors_given(names, data):
    """Expanding the ranges and matching gives the names back, no more and no less."""
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    found = Names([tensor_row(name, 1) for name in names]).patterns(chosen)
    assert sum(pattern.tensors for pattern in found) == len(chosen)
    matched = {name for pattern in found for plain in expanded(pattern.text) for name in names if fits(plain, name)}
    assert matched == set(chosen)


def expanded(text):
    """Every pattern that the ranges in ``text`` stand for."""
    before, brace, rest = text.partition("{")
    if not brace:
        return [text]
    inside, _, after = rest.partition("}")
    ends = [[int(end) for end in piece.split("–")] for piece in inside.split(", ")]
    numbers = [number for first, *last in ends for number in range(first, (last or [first])[0] + 1)]
    return [f"{before}{number}{tail}" for number in numbers for tail in expanded(after)]


def fits(pattern, name):
    return matches(pattern, name) if pattern.endswith("**") else pattern == name
