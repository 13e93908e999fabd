"""Patterns over names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frostline.core.names.patterns import looks_like_prefix, matches, matching

NAME = "model.backbone.layer1.0.weight"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("backbone.**", True),
        ("model.backbone.**", True),
        ("backbone", True),
        ("backbone.layer1", True),
        ("**.weight", True),
        ("*.weight", False),
        ("backbone.*", True),  # a module above the tensor
        ("backbone.layer?.0.weight", True),
        ("backbone/layer1/0/weight", True),
        ("layer1", False),
        ("head.**", False),
        ("back", False),
        ("", False),
    ],
)
def test_what_a_pattern_matches(pattern, expected):
    assert matches(pattern, NAME) is expected


@given(st.text(alphabet="ab.[](){}+^$|\\", min_size=1, max_size=12))
def test_other_signs_stand_for_themselves(name):
    assert matches(name, name)


def test_matching_looks_at_every_name_of_a_tensor():
    assert matching("head.weight", [["m.emb.weight", "m.head.weight"], ["m.other"]]) == [0]


def test_a_pattern_that_ends_inside_a_number_is_told():
    names = ["m.layer.1.weight", "m.layer.10.weight", "m.layer.11.bias"]
    assert looks_like_prefix("layer.1*", names) == names[1:]
    assert looks_like_prefix("layer.1**", names) == names[1:]


@pytest.mark.parametrize("pattern", ["layer.1.*", "layer.1.**", "layer.1", "layer*", "other.1*"])
def test_a_pattern_that_ends_with_a_whole_name_is_not(pattern):
    assert looks_like_prefix(pattern, ["m.layer.1.weight", "m.layer.10.weight", "m.layer.10"]) == []


def test_numbers_at_the_end_of_a_name_are_what_a_pattern_without_one_asks_for():
    assert looks_like_prefix("layer*", ["m.layer1.weight", "m.layer10.weight"]) == []


def test_names_that_only_look_alike_are_left_out():
    assert looks_like_prefix("layer.1*", ["m.layer.10.weight", "m.layer.1x.weight", "m.sub.layer.10.weight"]) == [
        "m.layer.10.weight"
    ]
