"""One sentence says whether flags and summary were right: what follows other weights is no mistake of a flag."""

import pytest

from frostline.core.agreement import who_was_right
from frostline.core.ledger import MERGED, LeafRow, Movement


def leaf(name, *, trainable=True, moved=True, follows=None, movements=()):
    row = LeafRow(name, name.partition(".")[0], "parameter", (3,), "float32", 12, 3)
    row.owner.path = name.split(".")[1]
    row.declared.trainable = trainable
    row.changed.verdict = "yes" if moved else "no"
    row.changed.followed = follows
    row.changed.movements = list(movements)
    return row


def copied(name, **more):
    return leaf(name, trainable=False, movements=[Movement("outside", 4, 4, trainable=False)], **more)


TRAINED = [leaf("m.online.weight"), leaf("m.online.bias")]


def test_an_average_of_which_one_leaf_was_asked_leaves_the_flags_right():
    rows = [*TRAINED, copied("m.target.weight", follows="m.online.weight"), copied("m.target.bias")]
    assert who_was_right(rows, None) == (
        "the flags were right: 12 numbers moved and 0 kept every bit; "
        "6 of those that moved are declared frozen and follow other weights"
    )


def test_a_frozen_leaf_that_follows_nothing_makes_them_wrong():
    rows = [*TRAINED, copied("m.target.weight", follows="m.online.weight"), copied("m.stem.weight")]
    assert who_was_right(rows, None) == (
        "the flags were wrong: 12 numbers moved and 0 kept every bit; 3 of those that moved are declared frozen; "
        "3 of those that moved are declared frozen and follow other weights"
    )


def test_an_average_that_a_step_trains_by_a_gradient_makes_them_wrong():
    step = Movement("step", 3, 4, trainable=False, gradient="nonzero")
    target = leaf("m.target.weight", trainable=False, follows="m.online.weight", movements=[step])
    sentence = who_was_right([*TRAINED, target], None)
    assert sentence is not None
    assert sentence.startswith("the flags were wrong")


@pytest.mark.parametrize(
    ("printed", "verdict"), [(6, "flags and summary were both right"), (9, "the flags were right, the summary wrong")]
)
def test_a_summary_counts_what_is_trained_and_not_what_follows(printed, verdict):
    rows = [*TRAINED, copied("m.target.weight", follows="m.online.weight")]
    assert verdict in (who_was_right(rows, printed) or "")


def after_training(**more):
    return Movement("between", 4, 4, trainable=False, **more)


@pytest.mark.parametrize(
    ("movements", "said"),
    [
        ([after_training(late=True)], None),
        ([after_training(event=MERGED)], None),
        ([after_training(event=MERGED), after_training()], None),
        ([after_training()], "the flags were wrong"),
        ([after_training(), after_training(late=True)], "the flags were wrong"),
        ([after_training(event=MERGED), Movement("step", 1, 1, trainable=False)], "the flags were wrong"),
        ([], "the flags were wrong"),
    ],
)
def test_what_moved_when_all_steps_were_over_says_nothing_about_the_flags(movements, said):
    sentence = who_was_right([*TRAINED, leaf("m.stem.weight", trainable=False, movements=movements)], None)
    assert sentence == said or sentence.startswith(said)


def test_a_trainable_weight_that_moved_late_leaves_the_flags_to_be_judged():
    late = leaf("m.stem.weight", movements=[Movement("between", 4, 4, trainable=True, late=True)])
    assert who_was_right([*TRAINED, late], None) == "the flags were right: 9 numbers moved and 0 kept every bit"
