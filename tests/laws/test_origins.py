"""Which lines a finding points at, from facts alone: the last writer, a bound, and nothing where it was not seen."""

import pytest

from frostline.core.events import LineSeen
from frostline.core.events.fact import Origin
from frostline.core.ledger import Declared, Holding, Ledger, Movement, OptimizerRow, TensorRow
from frostline.core.record import Finding
from frostline.core.run import Run
from frostline.laws.lines.origins import located
from frostline.laws.observed_run import ObservedRun

FREEZES = Origin("train.py", 18, "main", source="model.backbone.requires_grad_(False)")
AGAIN = Origin("train.py", 30, "main", source="model.backbone.requires_grad_(False)")
THAWS = Origin("train.py", 25, "main", source="model.requires_grad_(True)")
MADE = Origin("train.py", 9, "main", source="optimizer = AdamW(model.parameters())")


def lines(code="F102", *told, trainable=False, moves=()):
    """What a finding about the one tensor points at, as (role, place)."""
    row = TensorRow("model.w", "model", "parameter", (2,), "float32", 8, 2, id=4)
    row.declared = Declared(trainable=trainable)
    row.optimizers = [Holding("adam")]
    row.changed.movements = list(moves)
    run = ObservedRun(Ledger([row], [OptimizerRow("adam", "optimizer", "AdamW")], list(told)))
    finding = Finding("a-rule", code, "error", ["model.w"], "it moved", {}, "hint")
    return [(origin.role, origin.text) for origin in located([finding], run)[0].origins]


def line(act, origin, step=0, **more):
    about = {"optimizer": "adam"} if act in ("optimizer", "group") else {}
    return LineSeen(step=step, act=act, tensors=(4,), origin=origin, **(about | more))


def test_the_last_writer_of_the_flag_and_the_optimizer_that_holds_it():
    told = [line("optimizer", MADE), line("froze", FREEZES), line("unfroze", THAWS, 3), line("froze", AGAIN, 5)]
    assert lines("F102", *told) == [("frozen", "train.py:30"), ("optimizer", "train.py:9")]


def test_a_flag_that_another_writer_must_have_set_has_no_line():
    assert lines("F102", line("froze", FREEZES), line("unfroze", THAWS, 3)) == []
    assert lines("F102", line("froze", FREEZES), trainable=True) == []


def test_every_flip_where_the_finding_is_about_them():
    told = [line("froze", FREEZES), line("unfroze", THAWS, 3), line("froze", AGAIN, 5)]
    assert lines("D301", *told) == [("frozen", "train.py:18"), ("frozen", "train.py:30"), ("unfrozen", "train.py:25")]


def test_a_write_that_was_seen_is_told_and_not_the_bound_around_it():
    before, after = Origin("train.py", 31), Origin("train.py", 40)
    bound = line("wrote", before, 2, until=after)
    move = Movement("outside", 2, 3)
    assert lines("F109", bound, moves=[move]) == [("written", "between train.py:31 and train.py:40")]
    seen = line("wrote", Origin("train.py", 35), 2)
    assert lines("F109", bound, seen, moves=[move]) == [("written", "train.py:35")]


@pytest.mark.parametrize("move", [Movement("step", 2, 3), Movement("outside", 5, 6)])
def test_a_write_at_another_time_or_place_is_none_of_it(move):
    assert lines("F109", line("wrote", Origin("train.py", 35), 3), moves=[move]) == []


def test_between_two_steps_of_one_line():
    step = Origin("train.py", 31)
    assert lines("F109", line("wrote", step, 2, until=step), moves=[Movement("outside", 2, 3)]) == [
        ("written", "between two steps of train.py:31")
    ]


def test_no_line_of_another_tensor():
    assert lines("F102", LineSeen(step=0, act="froze", tensors=(5,), origin=FREEZES)) == []


def hint(code, *told, rows, framework="torch", optimizers=1, beside=()):
    """What is to be done about a finding of these tensors."""
    each = [OptimizerRow(f"optimizer{number or ''}", "optimizer", "AdamW") for number in range(optimizers)]
    ledger = Ledger([*rows, *beside], each, list(told), run=Run(frameworks={framework: "1"}))
    finding = Finding("a-rule", code, "error", [row.name for row in rows], "it moved", {}, "the usual hint")
    return located([finding], ObservedRun(ledger))[0].hint


def buffer(model="model"):
    row = TensorRow(f"{model}.body.0.norm.mean", model, "buffer", (2,), "float32", 8, 2, id=4)
    row.owner.path, row.owner.frozen_subtree = "body.0.norm", "body.0"
    return row


def weight(name="head", trainable=True, model="model", kind="parameter", own="weight"):
    row = TensorRow(f"{model}.{name}.{own}", model, kind, (2,), "float32", 8, 2, id=4)
    row.owner.path, row.declared.trainable, row.optimizers = name, trainable, [Holding("optimizer")]
    return row


TRAIN = Origin("train.py", 12, "main", source="model.train()")
COMPILES = Origin("train.py", 9, "main", source='model.compile("adam", "mse")')
GROUP = 'put `optimizer.add_param_group({"params": model.head.parameters()})` after train.py:25'
held = {"optimizer": "optimizer"}
UNFROZEN = [line("unfroze", THAWS), line("optimizer", MADE, **held)]
FROZEN = [line("froze", FREEZES), line("optimizer", MADE, **held)]
COMPILED = line("compiled", COMPILES, **held)
TWICE = [line("froze", FREEZES), *(line("optimizer", each, **held) for each in (MADE, AGAIN))]


def buffer_elsewhere():
    row = buffer()
    row.name, row.owner.frozen_subtree = "model.other.mean", "other"
    return row


@pytest.mark.parametrize(
    ("code", "told", "rows", "more", "said"),
    [
        ("F107", [line("train", TRAIN)], [buffer()], {}, "put `model.body[0].eval()` after train.py:12"),
        ("F107", [line("train", TRAIN)], [buffer("Net")], {}, "the usual hint"),
        ("F107", [], [buffer()], {}, "the usual hint"),
        ("T209", [line("unfroze", THAWS), line("optimizer", MADE, **held)], [weight()], {}, GROUP),
        ("T209", [line("unfroze", THAWS), line("optimizer", MADE, **held)], [weight()], {"optimizers": 2}, "the usual"),
        ("T209", UNFROZEN, [weight(model="Net")], {}, "the usual"),
        ("T209", UNFROZEN, [weight()], {"beside": [weight(own="bias")]}, "the usual"),
        ("T209", UNFROZEN, [weight()], {"beside": [weight(own="mean", kind="buffer"), weight("header")]}, GROUP),
        ("T209", UNFROZEN, [weight("head.a"), weight("head.b")], {}, GROUP),
        ("T209", UNFROZEN, [weight(), weight("other")], {"beside": [weight("third")]}, "the usual"),
        ("F107", [line("train", TRAIN)], [buffer(), buffer_elsewhere()], {}, "the usual hint"),
        ("F107", [line("train", TRAIN)], [buffer()], {"framework": "keras"}, "the usual hint"),
        ("F102", [line("froze", FREEZES)], [weight(trainable=False)], {}, "the usual hint"),
        ("F102", TWICE, [weight(trainable=False)], {}, "the usual hint"),
        ("F102", [line("optimizer", MADE, **held)], [weight(trainable=False)], {}, "the usual hint"),
        ("F102", FROZEN, [weight(trainable=False)], {"framework": "keras"}, "the usual hint"),
        ("F102", FROZEN, [], {}, "the usual hint"),
        ("T209", UNFROZEN[:1], [weight()], {}, "the usual hint"),
        ("T209", UNFROZEN[1:], [weight()], {}, "the usual hint"),
        ("F105", [line("froze", FREEZES), COMPILED], [weight(trainable=False)], {}, "the usual hint"),
        ("F105", [COMPILED], [weight(trainable=False)], {"framework": "keras"}, "the usual hint"),
        (
            "F105",
            [line("froze", FREEZES), line("compiled", MADE, **held)],
            [weight(trainable=False)],
            {"framework": "keras"},
            "the usual hint",
        ),
        (
            "F105",
            [line("froze", FREEZES), COMPILED],
            [weight(trainable=False)],
            {"framework": "keras"},
            "put `model.compile(…)` after train.py:18, as at train.py:9",
        ),
        ("F105", [line("froze", FREEZES)], [weight(trainable=False)], {"framework": "keras"}, "the usual hint"),
        (
            "T209",
            [line("unfroze", THAWS), line("compiled", COMPILES, **held)],
            [weight()],
            {"framework": "keras"},
            "put `model.compile(…)` after train.py:25, as at train.py:9",
        ),
        (
            "F102",
            [line("froze", FREEZES), line("optimizer", MADE, **held)],
            [weight(trainable=False)],
            {},
            "after train.py:18 make the optimizer of train.py:9 again, with trainable parameters only",
        ),
    ],
)
def test_the_fix_is_code_where_it_can_be_said_exactly(code, told, rows, more, said):
    assert hint(code, *told, rows=rows, **more).startswith(said)
