"""Names in files and names in models: which means which."""

import pytest

from frostline.core.names.name_matching import bare, expected_by, plain


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("fc.weight", "fc.weight"),
        ("module.fc.weight", "fc.weight"),
        ("module.module.fc.weight", "fc.weight"),
        ("state_dict.model.fc.weight", "fc.weight"),
        ("base_model.model.q.base_layer.weight", "q.weight"),
        ("encoder._orig_mod.fc.weight", "encoder.fc.weight"),
        ("q.modules_to_save.default.weight", "q.weight"),
        ("remodel.fc.weight", "remodel.fc.weight"),
        ("my_orig_mod.fc", "my_orig_mod.fc"),
        ("module.", "module."),
    ],
)
def test_what_wrappers_add_is_left_out(name: str, without: str) -> None:
    assert bare(name) == without


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("q.lora_A.default.weight", "q.lora_A.weight"),
        ("q.lora_A.default", "q.lora_A"),
        ("default.weight", "default.weight"),
    ],
)
def test_the_usual_name_of_an_adapter_is_left_out(name: str, short: str) -> None:
    assert plain(name) == short


def shapes(*names: str, shape: tuple[int, ...] = (2, 2)) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(names, shape)


@pytest.mark.parametrize(
    ("written", "rows", "found"),
    [
        (shapes("a.w"), shapes("a.w", "b.w"), {"a.w": "a.w"}),
        (shapes("module.a.w"), shapes("a.w"), {"module.a.w": "a.w"}),
        (shapes("a.w"), shapes("encoder.a.w"), {"a.w": "encoder.a.w"}),  # a part
        (shapes("net.encoder.a.w", "net.head.w"), shapes("a.w"), {"net.encoder.a.w": "a.w"}),  # a whole around it
        (shapes("x.w"), shapes("y.w"), {}),  # another front on both sides
        ({"a.w": (3, 2)}, {"a.w": (2, 2)}, {"a.w": "a.w"}),  # other rows
        ({"a.w": (2, 3)}, {"a.w": (2, 2)}, {}),
        ({"a.w": (2,)}, {"a.w": (2, 2)}, {}),
        ({"a.w": ()}, {"a.w": ()}, {"a.w": "a.w"}),
        ({"a.w": ()}, {"a.w": (1,)}, {}),
        ({}, shapes("a.w"), {}),
    ],
)
def test_names_that_end_alike_in_tensors_of_one_shape_mean_each_other(written, rows, found) -> None:
    assert expected_by(written, rows) == found


def test_the_front_that_most_names_agree_on_decides() -> None:
    rows = shapes("student.0.w", "student.1.w", "teacher.0.w", "teacher.1.w", "teacher.2.w")
    written = shapes("0.w", "1.w", "2.w")
    assert expected_by(written, rows) == {name: f"teacher.{name}" for name in written}


def test_every_tensor_is_meant_by_one_name() -> None:
    written = shapes("module.a.w", "a.w")
    assert list(expected_by(written, shapes("a.w")).values()) == ["a.w"]


def test_of_fronts_with_as_many_names_the_shorter_is_taken() -> None:
    assert expected_by(shapes("a.w"), shapes("a.w", "copy.a.w")) == {"a.w": "a.w"}


def test_a_name_with_another_front_is_not_cut_as_if_it_had_this_one() -> None:
    written = shapes("ab.w", "ab.v", "cdefg")
    assert expected_by(written, shapes("w", "v", "fg")) == {"ab.w": "w", "ab.v": "v"}


def test_names_that_no_tensor_has_and_tensors_of_another_shape_are_left_out() -> None:
    written = {**shapes("m.a", "m.b", "m.none"), "m.c": (5, 5)}
    assert expected_by(written, shapes("a", "b", "c")) == {"m.a": "a", "m.b": "b"}


def test_a_front_is_not_counted_for_tensors_of_another_shape() -> None:
    rows = {**shapes("p.v", "q.w", "q.v"), "p.w": (9, 9)}
    assert expected_by(shapes("w", "v"), rows) == {"w": "q.w", "v": "q.v"}


def test_how_short_a_front_is_is_counted_on_both_sides() -> None:
    written = shapes("longer.u", "longer.w")
    found = expected_by(written, shapes("u", "w", "b.longer.w"))
    assert found == {"longer.w": "b.longer.w", "longer.u": "u"}


def test_vectors_may_have_another_length() -> None:
    assert expected_by({"a.b": (3,)}, {"a.b": (2,)}) == {"a.b": "a.b"}
