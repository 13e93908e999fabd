"""One sentence says whether flags and summary were right: what follows other weights is no mistake of a flag."""

import pytest

from frostline.core.agreement import merged_into, moved_afterwards, who_was_right
from frostline.core.ledger import MERGED, Flip, Movement, TensorRow


def tensor_row(name, *, trainable=True, moved=True, follows=None, movements=()):
    row = TensorRow(name, name.partition(".")[0], "parameter", (3,), "float32", 12, 3)
    row.owner.path = name.split(".")[1]
    row.declared.trainable = trainable
    row.changed.verdict = "yes" if moved else "no"
    row.changed.followed = follows
    row.changed.movements = list(movements)
    return row


def copied(name, **more):
    return tensor_row(name, trainable=False, movements=[Movement("outside", 4, 4, trainable=False)], **more)


TRAINED = [tensor_row("m.online.weight"), tensor_row("m.online.bias")]


def test_an_average_of_which_one_tensor_was_asked_leaves_the_flags_right():
    rows = [*TRAINED, copied("m.target.weight", follows="m.online.weight"), copied("m.target.bias")]
    assert who_was_right(rows, None) == (
        "the flags were right: 12 parameters moved and 0 did not change; "
        "6 of those that moved are declared frozen and follow other weights"
    )


def test_a_frozen_tensor_that_follows_nothing_makes_them_wrong():
    rows = [*TRAINED, copied("m.target.weight", follows="m.online.weight"), copied("m.stem.weight")]
    assert who_was_right(rows, None) == (
        "the flags were wrong: 12 parameters moved and 0 did not change; 3 of those that moved are declared frozen; "
        "3 of those that moved are declared frozen and follow other weights"
    )


def test_an_average_that_a_step_trains_by_a_gradient_makes_them_wrong():
    step = Movement("step", 3, 4, trainable=False, gradient="nonzero")
    target = tensor_row("m.target.weight", trainable=False, follows="m.online.weight", movements=[step])
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
        ([after_training(late=True, unwritten_until=4)], None),
        ([after_training(late=True)], "the flags were wrong"),
        ([after_training(event=MERGED)], None),
        ([after_training(event=MERGED), after_training()], None),
        ([after_training()], "the flags were wrong"),
        ([after_training(), after_training(late=True)], "the flags were wrong"),
        ([after_training(event=MERGED), Movement("step", 1, 1, trainable=False)], "the flags were wrong"),
        ([], "the flags were wrong"),
    ],
)
def test_what_moved_when_all_steps_were_over_says_nothing_about_the_flags(movements, said):
    sentence = who_was_right([*TRAINED, tensor_row("m.stem.weight", trainable=False, movements=movements)], None)
    assert sentence == said or sentence.startswith(said)


def test_a_trainable_weight_that_moved_late_leaves_the_flags_to_be_judged():
    late = tensor_row("m.stem.weight", movements=[Movement("between", 4, 4, trainable=True, late=True)])
    assert who_was_right([*TRAINED, late], None) == "the flags were right: 9 parameters moved and 0 did not change"


@pytest.mark.parametrize(
    "change",
    [
        lambda row: setattr(row.changed, "verdict", "unknown"),
        lambda row: setattr(row.declared, "trainable", None),
        lambda row: row.declared.flips.append(Flip(2, True)),
    ],
)
def test_one_weight_of_which_something_is_not_known_leaves_it_open(change):
    other = tensor_row("m.stem.weight")
    change(other)
    assert who_was_right([*TRAINED, other], None) is None


def test_buffers_do_not_count():
    statistics = tensor_row("m.norm.mean", trainable=None)
    statistics.kind = "buffer"
    assert who_was_right([statistics], None) is None
    assert (
        who_was_right([*TRAINED, statistics], None) == "the flags were right: 6 parameters moved and 0 did not change"
    )


def test_a_frozen_weight_that_stood_still_is_no_mistake():
    rows = [*TRAINED, tensor_row("m.stem.weight", trainable=False, moved=False)]
    assert who_was_right(rows, None) == "the flags were right: 6 parameters moved and 3 did not change"
    assert who_was_right(rows, 6).startswith("flags and summary were both right")


def test_the_flag_of_what_is_around_a_weight_says_frozen_too():
    inside = tensor_row("m.stem.weight")
    inside.declared.container_flag = False
    assert who_was_right([*TRAINED, inside], None).startswith("the flags were wrong")
    inside.declared.container_flag = True
    assert who_was_right([*TRAINED, inside], None).startswith("the flags were right")


IDLE = tensor_row("m.unused.weight", moved=False)
WRONG = tensor_row("m.stem.weight", trainable=False)
FACTS = "6 parameters moved and 3 did not change; 3 of those that did not move are declared trainable"


@pytest.mark.parametrize(
    ("rows", "printed", "sentence"),
    [
        ([IDLE], None, f"the flags were right about what is frozen: {FACTS}"),
        ([IDLE], 6, f"flags and summary were both right: {FACTS}"),
        ([IDLE], 9, f"flags and summary were both right: {FACTS}"),
        ([IDLE], 3, f"the flags were right, the summary wrong: {FACTS}"),
        ([IDLE, WRONG], None, "the flags were wrong: 9 parameters"),
        ([IDLE, WRONG], 9, "the flags were wrong, the summary right: 9 parameters"),
        ([IDLE, WRONG], 12, "flags and summary were both wrong: 9 parameters"),
        ([IDLE, WRONG], 6, "flags and summary were both wrong: 9 parameters"),
    ],
)
def test_what_is_trainable_and_stood_still_may_be_counted_or_not(rows, printed, sentence):
    assert who_was_right([*TRAINED, *rows], printed).startswith(sentence)


@pytest.mark.parametrize(
    ("movements", "merged", "afterwards"),
    [
        ([after_training(event=MERGED)], True, True),
        ([after_training(event=MERGED), Movement("outside", 4, 4)], True, True),
        ([after_training()], False, False),
        ([after_training(event=MERGED), Movement("step", 4, 4)], False, False),
        ([after_training(event=MERGED), Movement("forward", 4, 4)], False, False),
        ([Movement("step", 4, 4, event=MERGED)], False, True),
        ([], False, False),
    ],
)
def test_an_adapter_is_merged_outside_of_steps_and_passes(movements, merged, afterwards):
    row = tensor_row("m.stem.weight", trainable=False, movements=movements)
    assert (merged_into(row), moved_afterwards(row)) == (merged, afterwards)
    row.declared.trainable = True
    assert not moved_afterwards(row)
