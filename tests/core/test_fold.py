"""The fold: what each fact does to the rows, and what follows from all of them together."""

import pytest

from frostline.core import facts as told
from frostline.core.facts import Fact
from frostline.core.fold import FLIPS_KEPT, MOVEMENTS_KEPT, MOVES_REMEMBERED, Fold, fold
from frostline.core.ledger import Changed, Holding, Ledger, Owner, RowsSeen, Shift, TensorRow
from frostline.core.run import Run


def found(tensor: int = 0, name: str = "m.w", **more: object) -> told.TensorFound:
    fields = {"framework": "memory", "model": "m", "kind": "parameter", "shape": (2,), "dtype": "float32"}
    return told.TensorFound(**{"tensor": tensor, "name": name, "bytes": 8, "size": 2, **fields, **more})


def moved(move: int = 0, tensor: int = 0, **more: object) -> told.Moved:
    return told.Moved(**{"tensor": tensor, "move": move, "place": "outside", "since": move, "until": move + 1, **more})


def row(*facts: Fact) -> TensorRow:
    """The row of the first tensor after these facts."""
    return fold([found(), *facts]).tensors[0]


def names(ledger: Ledger) -> list[str]:
    return [each.name for each in ledger.tensors]


def test_a_tensor_that_was_found_is_a_row() -> None:
    more = {"owner": "stem", "owner_type": "Linear", "role": "embedding", "registered": False, "loaded": True}
    assert fold([found(7, **more, sharded=True, as_buffer=True)]).tensors == [
        TensorRow(
            id=7,
            name="m.w",
            model="m",
            kind="parameter",
            shape=(2,),
            dtype="float32",
            bytes=8,
            size=2,
            owner=Owner("stem", "Linear", "embedding"),
            registered=False,
            sharded=True,
            as_buffer=True,
            loaded=True,
        )
    ]


def test_only_what_a_fact_says_is_written() -> None:
    assert row(told.TensorSeen(tensor=0, size=5)).size == 5
    assert row(told.TensorSeen(tensor=0, aliases=["m.v"])) == row(
        told.TensorSeen(tensor=0), told.TensorSeen(tensor=0, aliases=["m.v"])
    )
    assert row(told.TensorSeen(tensor=0, read=None)).read is None
    seen = row(told.TensorSeen(tensor=0, gone=True), told.TensorSeen(tensor=0, read=True))
    assert (seen.gone, seen.read, seen.name) == (True, True, "m.w")


# Which rows there are


def test_rows_stand_by_framework_in_the_order_in_which_frameworks_were_seen() -> None:
    later = told.FrameworkSeen(framework="jax", version="1")
    ledger = fold([later, found(0, "a"), found(1, "b", framework="jax"), found(2, "c"), found(3, "d", framework="jax")])
    assert names(ledger) == ["b", "d", "a", "c"]
    assert ledger.run.frameworks == {"jax": "1"}


def test_a_framework_that_is_seen_twice_has_its_rows_once() -> None:
    seen = told.FrameworkSeen(framework="memory", version="1")
    assert names(fold([found(), seen, seen, found(1, "m.v")])) == ["m.w", "m.v"]


def test_a_storage_is_one_row_whatever_its_names() -> None:
    tied = told.TensorSeen(tensor=0, aliases=["m.v"])
    assert names(fold([found(), found(1, "m.v"), found(2, "m.w"), tied])) == ["m.w"]
    assert names(fold([found(), found(1, "m.v"), tied, found(2, "m.v", framework="jax")])) == ["m.w", "m.v"]


def test_dropped_tensors_have_no_row() -> None:
    assert names(fold([found(), found(1, "m.v"), found(2, "m.u"), told.TensorsDropped(tensors=(0, 2))])) == ["m.v"]


def test_a_dropped_optimizer_has_none_either() -> None:
    optimizers = [told.OptimizerFound(optimizer=each, kind="optimizer", name=each) for each in ("sgd", "adam")]
    assert [each.id for each in fold([*optimizers, told.OptimizerDropped(optimizer="sgd")]).optimizers] == ["adam"]


# What was declared and expected


@pytest.mark.parametrize(
    ("flags", "now", "first"),
    [([True], True, True), ([False], False, False), ([True, False], False, False), ([False, True], True, False)],
)
def test_a_flag_that_is_set_before_training_is_the_declaration(flags: list[bool], now: bool, first: bool) -> None:
    facts = [told.FlagDeclared(tensor=0, flag=flag, again=index > 0) for index, flag in enumerate(flags)]
    declared = row(*facts).declared
    assert (declared.trainable, declared.first, declared.flips) == (now, first, [])


def test_every_flip_is_counted_and_the_first_few_are_kept() -> None:
    flips = [told.FlagFlipped(step=at, tensor=0, flag=at % 2 == 0, optimizer="sgd") for at in range(1, FLIPS_KEPT + 3)]
    declared = row(told.FlagDeclared(tensor=0, flag=True), *flips).declared
    assert (declared.trainable, declared.first, declared.flip_count) == (True, True, FLIPS_KEPT + 2)
    assert [(flip.step, flip.now) for flip in declared.flips] == [(at, at % 2 == 0) for at in range(1, FLIPS_KEPT + 1)]
    assert {flip.optimizer for flip in declared.flips} == {"sgd"}


def test_steps_are_counted_by_flag() -> None:
    held = [told.FlagHeld(tensors=(0,), flag=flag, steps=steps) for flag, steps in ((True, 3), (False, 4), (True, 5))]
    assert (row(*held).declared.trainable_steps, row(*held).declared.frozen_steps) == (8, 4)


def test_what_surrounds_a_flag() -> None:
    seen = row(
        told.FlagSeen(tensors=(0,), training=True, container="stem", container_flag=False),
        told.BufferFrozen(tensor=0, subtree="stem", flipped=True),
        told.BufferFrozen(tensor=0, subtree=None),
        told.FlagRequested(tensor=0, name="m.w", flag=True),
        told.AliasFlagged(tensor=0, alias="m.v", flag=False),
    )
    declared = seen.declared
    assert (declared.training, declared.container, declared.container_flag) == (True, "stem", False)
    assert (seen.owner.frozen_subtree, declared.flip_count) == (None, 1)
    assert (declared.intents, declared.alias_flags) == ([("m.w", True)], [("m.v", False)])


def test_a_flip_is_the_flag_from_then_on_and_a_frozen_subtree_holds_its_buffers() -> None:
    declared = row(told.FlagDeclared(tensor=0, flag=True), told.FlagFlipped(step=3, tensor=0, flag=False, optimizer=""))
    assert declared.declared.trainable is False
    assert row(told.BufferFrozen(tensor=0, subtree="stem")).owner.frozen_subtree == "stem"


def test_another_tensor_in_its_place_is_told_by_the_type_of_module_that_holds_it() -> None:
    replaced = told.TensorReplaced(step=1, tensor=0, name="m.w", by="ParametrizedLinear")
    assert row(replaced).replaced == "ParametrizedLinear"


def test_what_the_user_expects_is_marked_under_any_name_and_never_for_rows_alone() -> None:
    statistics = {"kind": "buffer", "role": "normalisation"}
    ledger = fold(
        [
            told.Expected(
                frozen=("stem.**", "head.weight[:4]"), trained=("head.**", "m.*.mean", "m.*.count"), patience=5
            ),
            found(0, "m.stem.weight"),
            found(1, "m.head.weight"),
            found(2, "m.other"),
            found(3, "m.norm.mean", **statistics),
            found(4, "m.norm.count", kind="buffer"),
            found(5, "m.stem.count", kind="buffer"),
            found(6, "m.head.seen", kind="buffer"),
            told.TensorSeen(tensor=2, aliases=["m.head.bias"]),
        ]
    )
    assert [(each.expected, each.expected_pattern) for each in ledger.tensors] == [
        ("frozen", "stem.**"),
        ("trained", "head.**"),
        ("trained", "head.**"),
        ("trained", "m.*.mean"),
        ("trained", "m.*.count"),  # the pattern names nothing but buffers: these are meant
        ("trained", "m.*.count"),
        (None, None),  # head.** names weights too
    ]
    assert (ledger.expected.frozen, ledger.patience) == (["stem.**", "head.weight[:4]"], 5)


def test_rows_of_a_tensor_say_nothing_of_the_whole() -> None:
    assert row(told.Expected(frozen=("m.w[:4]",))).expected is None
    assert row(told.Expected(frozen=("m.w[:4]", "m.w"))).expected_pattern == "m.w"


def test_statistics_are_to_train_with_the_weights_that_a_pattern_names_and_frozen_are_all_it_names() -> None:
    tensors = [
        found(0, "m.norm.weight"),
        found(1, "m.norm.mean", kind="buffer", role="normalisation"),
        found(2, "m.norm.seen", kind="buffer"),
    ]
    trained = fold([*tensors, told.Expected(trained=("norm.**",))])
    assert [each.expected for each in trained.tensors] == ["trained", "trained", None]
    frozen = fold([*tensors, told.Expected(frozen=("norm.**",))])
    assert [each.expected for each in frozen.tensors] == ["frozen"] * 3


def test_a_name_that_a_tensor_lost_still_says_what_was_expected_of_it() -> None:
    broken = [told.TieBroken(step=1, tensor=0, name="m.w", lost=(name,)) for name in ("m.head", "m.a", "m.head")]
    seen = row(*broken, told.Expected(frozen=("head",)))
    assert (seen.former_aliases, seen.expected) == (["m.a", "m.head"], "frozen")


# Optimizers and gradients


def test_an_optimizer_counts_its_steps_and_checks() -> None:
    state = Fold()
    state.apply(told.OptimizerFound(optimizer="sgd", kind="optimizer", name="SGD", by_hand=True))
    state.count_step("sgd", 3)
    state.count_step("sgd", 5)
    state.apply(told.OptimizerChecked(optimizer="sgd", executed=2, step=5, lr=0.1))
    state.apply(told.OptimizerSeen(optimizer="sgd", holds=4))
    (optimizer,) = state.ledger().optimizers
    assert (optimizer.id, optimizer.name, optimizer.by_hand, optimizer.holds) == ("sgd", "SGD", True, 4)
    assert (optimizer.steps_executed, optimizer.last_step, optimizer.checks, optimizer.checked_at) == (2, 5, [2], [5])
    assert optimizer.rates == [0.1]


def test_each_optimizer_holds_a_tensor_once() -> None:
    held = [told.Held(optimizer=each, tensors=(0,), lr=lr) for each, lr in (("sgd", 0.1), ("adam", 0.2), ("sgd", 0.3))]
    assert [(holding.optimizer, holding.lr) for holding in row(*held).optimizers] == [("sgd", 0.3), ("adam", 0.2)]


def test_what_holds_one_name_of_a_storage_holds_the_other_too() -> None:
    facts = [
        told.Held(optimizer="sgd", tensors=(0, 1), lr=0.1),
        told.Held(optimizer="adam", tensors=(1,)),
        told.HeldByAlias(tensor=0, other=1),
    ]
    ledger = fold([found(), found(1, "m.v"), *facts])
    assert [holding.optimizer for holding in ledger.tensors[0].optimizers] == ["sgd", "adam"]


@pytest.mark.parametrize(
    ("gradients", "reached"),
    [
        (["unknown"], None),
        (["none"], False),
        (["zero", "unknown"], False),
        (["nonzero", "zero"], True),
        (["zero", "nonzero"], True),
    ],
)
def test_a_gradient_that_was_seen_once_reached_the_tensor(gradients: list[str], reached: bool | None) -> None:
    seen = [told.GradientsSeen(gradient=each, tensors=(0,), optimizer="sgd") for each in gradients]  # type: ignore[arg-type]
    assert row(*seen).reached_by_backward is reached
    assert row(*seen).optimizers == [Holding("sgd", gradients={each: gradients.count(each) for each in gradients})]


def test_gradients_of_what_no_optimizer_holds_are_no_holding() -> None:
    seen = row(told.GradientsSeen(gradient="nonzero", tensors=(0,)))
    assert (seen.optimizers, seen.reached_by_backward) == ([], True)


# Changes


def test_what_can_be_read_and_never_moved_is_unchanged() -> None:
    assert row().changed.verdict == "unknown"
    seen = row(
        told.BaselineTaken(tensor=0, blocks=3), told.Compared(step=4, tensors=(0,)), told.Compared(step=8, tensors=(0,))
    )
    assert seen.changed == Changed("no", checks=2, checked_until=8, blocks=3)


@pytest.mark.parametrize("lost", [told.BaselineTaken(tensor=0, blocks=None), told.Unread(tensor=0, reason="gone")])
def test_what_can_be_read_no_more_is_unknown(lost: Fact) -> None:
    assert row(told.BaselineTaken(tensor=0, blocks=3), lost).changed.verdict == "unknown"


def test_the_reason_is_kept_and_a_change_that_was_seen_stays_one() -> None:
    lost = told.Unread(tensor=0, reason="gone")
    still = row(told.BaselineTaken(tensor=0, blocks=1), lost)
    assert (still.unknown, still.changed.reason) == ({"changed": "gone"}, "gone")
    seen = row(moved(), lost)
    assert (seen.changed.verdict, seen.unknown) == ("yes", {})


def test_what_was_lost_is_not_known_to_be_unchanged_though_the_doubt_is_taken_back() -> None:
    certain = told.Doubted(tensors=(0,), column="changed", reason=None)
    lost = told.Unread(tensor=0, reason="gone")
    assert row(told.BaselineTaken(tensor=0, blocks=1), lost, certain).changed.verdict == "unknown"
    assert row(told.BaselineTaken(tensor=0, blocks=1), certain).changed.verdict == "no"


def test_a_doubt_is_cast_on_one_column_and_taken_back() -> None:
    doubts = [told.Doubted(tensors=(0,), column=column, reason="error") for column in ("optimizer", "changed")]
    seen = row(told.BaselineTaken(tensor=0, blocks=1), *doubts)
    assert (seen.unknown, seen.changed.verdict) == ({"optimizer": "error", "changed": "error"}, "unknown")
    assert row(told.BaselineTaken(tensor=0, blocks=1), doubts[0]).changed == Changed("no", blocks=1)
    certain = told.Doubted(tensors=(0,), column="optimizer", reason=None)
    assert row(told.BaselineTaken(tensor=0, blocks=1), *doubts, certain, certain).unknown == {"changed": "error"}


def test_a_move_is_written_into_the_column() -> None:
    step = moved(1, place="step", optimizer="sgd", blocks_moved=2)
    seen = row(moved(0, blocks_moved=3), step, moved(2, blocks_moved=1)).changed
    assert (seen.verdict, seen.first_step, seen.last_step, seen.blocks_moved) == ("yes", 1, 3, 3)
    assert seen.during == ["outside", "sgd step"]
    assert [(move.id, move.place, move.optimizer) for move in seen.movements] == [
        (0, "outside", None),
        (1, "step", "sgd"),
        (2, "outside", None),
    ]


def test_a_move_of_the_set_up_is_no_change() -> None:
    seen = row(moved(set_up=True), told.BaselineTaken(tensor=0, blocks=1)).changed
    assert (seen.verdict, seen.before_training, seen.movements) == ("no", True, [])


def test_of_many_moves_the_first_few_are_kept_and_the_last_that_was_seen_on_a_copy() -> None:
    shape = Shift(2, 1)
    moves = [moved(at) for at in range(MOVEMENTS_KEPT + 3)]
    kept = range(MOVEMENTS_KEPT)
    assert [move.id for move in row(*moves).changed.movements] == [*kept]
    with_copy = moved(20, shift=shape)
    assert [move.id for move in row(*moves, with_copy).changed.movements] == [*kept[:-1], 20]


def test_moves_while_frozen_take_the_place_of_those_while_trainable_but_for_the_first() -> None:
    trained = [moved(at, trainable=True) for at in range(MOVEMENTS_KEPT)]
    frozen = [moved(20 + at, trainable=False) for at in range(MOVEMENTS_KEPT + 2)]
    ids = [move.id for move in row(*trained, frozen[0]).changed.movements]
    assert ids == [*range(MOVEMENTS_KEPT - 1), 20]
    ids = [move.id for move in row(*trained, *frozen[:2]).changed.movements]
    assert ids == [*range(MOVEMENTS_KEPT - 2), 20, 21]
    ids = [move.id for move in row(*trained, *frozen).changed.movements]
    assert ids == [0, *range(20, 20 + MOVEMENTS_KEPT - 1)]
    early = [moved(0), moved(1, trainable=True), *(moved(at) for at in range(2, MOVEMENTS_KEPT))]
    ids = [move.id for move in row(*early, frozen[0]).changed.movements]
    assert ids == [0, *range(2, MOVEMENTS_KEPT), 20]
    more = [moved(at, trainable=None) for at in range(MOVEMENTS_KEPT)]
    assert [move.id for move in row(*trained, *more).changed.movements] == [*range(MOVEMENTS_KEPT)]


def test_a_later_fact_explains_a_move_even_one_that_is_not_kept_and_is_forgotten_in_the_end() -> None:
    seen = row(moved(), told.MoveExplained(move=0, equals="m.v", rate=0.5), told.MoveExplained(move=0, follows="m.u"))
    (move,) = seen.changed.movements
    assert (move.equals, move.follows, move.rate, move.event) == ("m.v", "m.u", 0.5, None)
    state = Fold()
    for fact in [found(), *(moved(at) for at in range(MOVES_REMEMBERED + 1))]:
        state.apply(fact)
    assert [min(state.moves), len(state.moves)] == [1, MOVES_REMEMBERED]
    state.apply(told.MoveExplained(move=0, equals="m.v"))
    assert state.ledger().tensors[0].changed.movements[0].equals is None


def test_a_swap_that_is_undone_leaves_no_trace() -> None:
    seen = row(moved(0), told.SwapBegan(tensor=0), moved(1), moved(2), told.SwapUndone(tensor=0)).changed
    assert ([move.id for move in seen.movements], seen.last_step) == ([0], 1)


def test_what_a_tensor_follows_and_what_it_equals_at_the_end_are_two_things() -> None:
    moving, still = told.Followed(tensor=0, source="m.v"), told.Followed(tensor=0, source="m.u", still=True)
    assert (row(moving).changed.followed, row(moving).changed.near) == ("m.v", None)
    assert (row(still).changed.followed, row(still).changed.near) == (None, "m.u")


def test_the_digests_of_the_first_and_the_last_reading_are_kept() -> None:
    assert row(told.DigestsTaken(tensor=0, first="aa", last="bb")).changed.digests == ("aa", "bb")


def test_rows_that_are_compared_again_take_the_place_of_the_same_comparison() -> None:
    first, second, renewed, last = (RowsSeen("row", told_, 0) for told_ in (1, 2, 3, 4))
    compared = [
        told.RowsCompared(tensor=0, track=4, seen=first),
        told.RowsCompared(tensor=0, track=9, seen=second),
        told.RowsCompared(tensor=0, track=4, seen=renewed),
    ]
    assert row(*compared).rows == [renewed, second]
    assert row(*compared, told.RowsCompared(tensor=0, track=9, seen=last)).rows == [renewed, last]


# The run


def test_a_summary_that_is_told_again_takes_the_place_of_the_first() -> None:
    def printed(summary: int, trainable: int) -> told.SummaryPrinted:
        return told.SummaryPrinted(step=0, summary=summary, model="m", trainable=trainable)

    compiled = told.StepCompiled(step=0, model="m")
    ledger = fold([compiled, printed(0, 5), printed(1, 6), printed(0, 7)])
    assert ledger.events == [compiled, printed(1, 6), printed(0, 7)]


def test_only_events_are_looked_up_as_they_are() -> None:
    assert fold([found(), told.FrameworkSeen(framework="jax", version="1")]).events == []


def test_the_run_is_as_it_was_last_told() -> None:
    runs = [told.RunSeen(run=Run(command=["train.py"], steps=steps)) for steps in (1, 8)]
    assert fold(runs).run == Run(command=["train.py"], steps=8)
