"""When a file lacks, is older than, or differs from what was trained: each condition by itself, on rows by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.causes.test_mitigations import STEP, held, moved, row, run

from frostline.core.columns.saved import Copy, Saved
from frostline.core.events.files import FileWritten, StateHidden
from frostline.core.ledger import MERGED, Changed, Declared, Movement, Owner, TensorRow
from frostline.core.record import Finding
from frostline.core.run import Run
from frostline.laws.causes.cause import Cause
from frostline.laws.causes.saved.left_out import MISSING
from frostline.laws.causes.saved.older import OLDER, OTHERS
from frostline.laws.causes.saved.values import DIFFER
from frostline.laws.observed_run import ObservedRun

GONE = Saved("missing", [])


def copy(state: str = "same", step: int = 8, file: str = "model.pt", name: str = "w", **more: Any) -> Copy:
    return Copy(file, name, step, state, "float32", **more)  # type: ignore[arg-type]


def saved(state: str = "same", **more: Any) -> Saved:
    return Saved(state, [copy(state, **more)])  # type: ignore[arg-type]


def trained(name: str, has: Saved | None = None, **more: Any) -> TensorRow:
    """A weight that a step moved, or a buffer."""
    kind = more.pop("kind", "parameter")
    found = row(name, **({"changed": moved(STEP), "saved": has, "optimizers": held(nonzero=4)} | more))
    return replace(found, kind=kind)


def found(cause: Cause, *rows: TensorRow, events: tuple[Any, ...] = (), rank: int | None = None) -> list[Finding]:
    ledger = run(rows, *events)
    ledger = replace(ledger, run=Run(steps=8, complete=True, rank=rank, frameworks={"torch": "2"}))
    assert cause.cases is not None
    return [cause.finding(case) for case in cause.cases(ObservedRun(ledger))]


def told(cause: Cause, *rows: TensorRow, **more: Any) -> list[tuple[str, list[str]]]:
    return [(finding.severity, finding.tensors) for finding in found(cause, *rows, **more)]


# S602: from before the training, or from before its end


def test_a_file_with_the_first_bits_is_older_and_zeros_of_it_are_what_it_began_with() -> None:
    rows = [trained("net.w", saved("first")), trained("net.zero", saved("zero")), trained("net.ok", saved("same"))]
    (finding,) = found(OLDER, *rows)
    assert finding.tensors == ["net.w", "net.zero"]
    assert finding.message == (
        "model.pt, written after step 8, has 2 tensors (8 parameters) of net as they were before training"
    )
    assert finding.evidence == {"file": "model.pt", "written_at_step": 8, "in_the_file_as": "w"}
    elsewhere = trained("net.zero", saved("zero", file="other.pt"))
    assert told(OLDER, rows[0], elsewhere) == [("error", ["net.w"])]


@pytest.mark.parametrize(
    "tensor",
    [
        row("net.w", saved=saved("first")),  # it never moved
        trained("net.w", Saved("same", [copy("same"), copy("first")])),  # its first state was kept too
        trained("net.count", saved("first"), kind="buffer", size=1),  # a counter at its beginning proves nothing
        trained("net.w"),
    ],
)
def test_first_bits_that_are_no_loss(tensor: TensorRow) -> None:
    assert found(OLDER, tensor) == []


def test_a_counter_beside_weights_from_before_is_told_with_them() -> None:
    rows = [trained("net.w", saved("first")), trained("net.count", saved("first"), kind="buffer")]
    assert told(OLDER, *rows) == [("error", ["net.w", "net.count"])]


def back(name: str, **more: Any) -> TensorRow:
    return trained(name, saved("first", put_back=True), **more)


def test_all_put_back_is_an_error_that_says_by_how_much() -> None:
    (finding,) = found(OLDER, back("net.a"), back("net.b"))
    assert (finding.severity, finding.tensors) == ("error", ["net.a", "net.b"])
    assert finding.message.startswith(
        "model.pt, written after step 8, has 2 tensors (8 parameters) of net as they were"
    )
    assert (finding.evidence["trained"], finding.evidence["put_back"]) == (8, 8)
    assert finding.evidence["trained_by"] == "sgd step"


def test_not_all_that_was_trained_was_put_back() -> None:
    (finding,) = found(OLDER, back("net.a"), trained("net.b", saved()))
    assert (finding.severity, finding.tensors) == ("note", ["net.a"])
    assert finding.evidence["excuse"] == "not all: 1 of 2 trained tensors were put back"
    kept = trained("net.a", Saved("same", [copy("same", file="best.pt"), copy("first", put_back=True)]))
    (finding,) = found(OLDER, kept)
    assert finding.evidence["excuse"] == "not all: another file has what was learned in net.a"


def test_the_file_that_was_written_after_it_was_put_back_is_named() -> None:
    copies = [copy("first", file="before.pt"), copy("first", file="after.pt", put_back=True)]
    (finding,) = found(OLDER, trained("net.a", Saved("first", copies)))
    assert finding.message.startswith("after.pt, written after step 8")


@pytest.mark.parametrize(
    "beside", [trained("net.b", saved(), declared=Declared(False, False)), trained("net.b", saved(), kind="buffer")]
)
def test_what_is_frozen_and_what_counts_are_no_part_of_what_was_trained(beside: TensorRow) -> None:
    assert told(OLDER, back("net.a"), beside) == [("error", ["net.a"])]


def written(times: int = 1, tensors: int = 1, step: int = 4, file: str = "model.pt") -> FileWritten:
    return FileWritten(step=step, file=file, by="torch.save", times=times, entries=1, tensors=tensors)


def test_a_file_written_once_before_the_end_is_a_note_that_counts_the_steps_lost() -> None:
    (finding,) = found(OLDER, trained("net.w", saved("older", step=6)), events=(written(), written(tensors=0)))
    assert (finding.severity, finding.tensors) == ("note", ["net.w"])
    assert finding.message == (
        "model.pt was written at step 6; 2 steps of training followed, and no file has what net learned in them"
    )
    assert finding.hint == "right where that state is wanted; else save once more after the last step"
    assert finding.evidence["steps"] == 8


def test_a_script_that_writes_again_and_again_keeps_what_it_wants() -> None:
    old = trained("net.w", saved("older", step=6))
    assert found(OLDER, old, events=(written(times=2),)) == []
    assert found(OLDER, old, events=(written(), written(file="other.pt"))) == []
    assert found(OLDER, old) == []


def test_files_from_before_the_first_step_have_nothing_of_the_training_however_many_there_are() -> None:
    old = trained("net.w", Saved("older", [copy("older", step=0), copy("older", step=0, file="other.pt")]))
    assert told(OLDER, old, events=(written(times=3), written())) == [("note", ["net.w"])]
    assert found(OLDER, old, trained("net.b", saved("older", step=4)), events=(written(times=3),)) == []


def test_one_current_tensor_says_that_the_model_was_saved_at_the_end() -> None:
    old = trained("net.w", saved("older", step=6))
    assert found(OLDER, old, trained("net.b", saved("rounded")), events=(written(),)) == []
    still = row("net.b", saved=saved("same"))  # what never moved is current in any file
    assert told(OLDER, old, still, events=(written(),)) == [("note", ["net.w"])]


# S603: another model in the file


def test_a_copy_of_another_module_with_the_first_bits_is_the_wrong_model() -> None:
    (finding,) = found(OTHERS, trained("net.w", saved("first", origin="ema")))
    assert finding.message == "model.pt holds 1 tensor (4 parameters) of ema, not those of net, which was trained"
    assert finding.evidence["tensors_of"] == "ema"
    assert found(OLDER, trained("net.w", saved("first", origin="ema"))) == []
    assert found(OTHERS, trained("net.w", saved("first"))) == []


def test_a_copy_that_follows_in_half_is_no_other_model() -> None:
    first = trained("net.w", saved("first", origin="ema"))
    assert found(OTHERS, first, trained("net.b", saved("other", origin="ema"))) == []
    assert len(found(OTHERS, first, trained("net.b", saved("other", file="b.pt")))) == 1


def twins(**other: Any) -> list[Finding]:
    """A model that was trained and is in no file, beside one that was written and never moved."""
    return found(OTHERS, trained("net.w"), row(**({"name": "old.w", "saved": saved("same")} | other)))


def test_a_twin_that_never_moved_was_written_in_the_place_of_the_trained_model() -> None:
    (finding,) = twins()
    assert (finding.severity, finding.tensors) == ("error", ["net.w"])
    assert finding.message == (
        "1 tensor (4 parameters) of old were written, and no bit of them moved; net was trained instead"
    )
    assert finding.evidence == {"file": "model.pt", "written_at_step": 8, "tensors_of": "old"}


@pytest.mark.parametrize(
    "other",
    [
        {"saved": None},  # nor was the twin
        {"name": "old.v"},  # another name
        {"size": 5},  # another shape
        {"changed": moved(STEP)},  # trained too
        {"changed": Changed("unknown")},
    ],
)
def test_what_is_no_twin(other: dict[str, Any]) -> None:
    assert twins(**other) == []


def test_a_twin_is_no_matter_where_the_trained_model_is_in_a_file_or_was_not_trained() -> None:
    twin = row("old.w", saved=saved("same"))
    assert found(OTHERS, trained("net.w", saved()), twin) == []
    assert found(OTHERS, row("net.w"), twin) == []
    assert found(OTHERS, trained("net.w", kind="buffer"), twin) == []


def test_a_twin_in_no_readable_file_is_told_without_one() -> None:
    (finding,) = twins(saved=Saved("missing", []))
    assert finding.evidence == {"tensors_of": "old"}


# S604: other values


@pytest.mark.parametrize(
    ("has", "message"),
    [
        (saved("zero"), "model.pt holds zeros for 1 tensor (4 parameters) of net, whose values are not zero in memory"),
        (
            saved("overflow"),
            "model.pt has values that are not finite in 1 tensor (4 parameters) of net: they do not fit into float32",
        ),
        (saved("fewer-rows", rows=3), "model.pt has only the first rows of 1 tensor (4 parameters) of net: 3 of 4"),
    ],
)
def test_values_that_are_not_those_of_the_model(has: Saved, message: str) -> None:
    (finding,) = found(DIFFER, trained("net.w", has))
    assert (finding.severity, finding.message) == ("error", message)
    assert finding.evidence["type"] == "float32"
    assert found(DIFFER, row("net.w", saved=has)) == []


def test_zeros_of_a_file_from_before_the_training_are_told_with_it() -> None:
    first = trained("net.w", saved("first"))
    assert found(DIFFER, first, trained("net.b", saved("zero"))) == []
    assert len(found(DIFFER, first, trained("net.b", saved("zero", file="other.pt")))) == 1
    assert len(found(DIFFER, first, trained("net.b", saved("overflow")))) == 1


def test_rows_are_lost_only_where_no_file_has_them() -> None:
    whole = Saved("same", [copy("same"), copy("fewer-rows", rows=3, file="short.pt")])
    assert found(DIFFER, trained("net.w", whole)) == []
    assert len(found(DIFFER, trained("net.w", saved("fewer-rows", rows=3)), trained("net.b", saved()))) == 1


def cut(name: str, path: str, rest_zero: bool = False, rows: int = 3, size: int = 4) -> TensorRow:
    return trained(name, saved("fewer-rows", rows=rows, rest_zero=rest_zero), owner=Owner(path, "Linear"), size=size)


def test_rows_that_are_zero_and_those_beside_them_are_spare() -> None:
    zero = cut("net.a.up", "a.up", rest_zero=True)
    assert found(DIFFER, zero, cut("net.a.down", "a.down")) == []
    others = [cut("net.b.down", "b.down"), cut("net.a.c", "a.c", rows=2), cut("net.a.d", "a.d", size=5)]
    (finding,) = found(DIFFER, zero, *others)
    assert finding.tensors == ["net.b.down", "net.a.c", "net.a.d"]


def taken(name: str, at: int | None, step: int = 8, file: str = "model.pt") -> TensorRow:
    return trained(name, saved("same", taken=at, step=step, file=file))


def test_a_state_that_was_taken_earlier_and_is_live_memory_is_no_copy() -> None:
    (finding,) = found(DIFFER, taken("net.w", 4))
    assert (finding.severity, finding.evidence["excuse"]) == (
        "warning",
        "a later step: the bits are those of memory after step 8",
    )
    assert finding.message == (
        "the state of net that was taken after step 4 is no copy: 1 tensor (4 parameters) was written to model.pt as "
        "they were after step 8"
    )
    assert finding.evidence == {
        "file": "model.pt", "taken_at_step": 4, "written_at_step": 8, "excuse": finding.evidence["excuse"]
    }  # fmt: skip


@pytest.mark.parametrize("at", [None, 0, 8])
def test_a_state_that_is_written_when_it_is_taken_or_was_taken_before_training(at: int | None) -> None:
    assert found(DIFFER, taken("net.w", at)) == []


def test_later_files_are_told_with_the_first_that_was_written() -> None:
    rows = [taken("net.w", 4), taken("net.b", 2, 6, "early.pt"), taken("net.c", 5, 7, "mid.pt")]
    (finding,) = found(DIFFER, *rows)
    assert "taken after step 2" in finding.message
    assert finding.message.endswith("written to early.pt as they were after step 6, and 2 later files likewise")
    assert "memory after step 6" in str(finding.evidence["excuse"])
    assert finding.evidence["later_files"] == [
        "mid.pt: taken after step 5, written after 7",
        "model.pt: taken after step 4, written after 8",
    ]


def in_part(*files: str) -> TensorRow:
    copies = [copy("same", file=file, part=f"0:{number}") for number, file in enumerate(files, 1)]
    return trained("net.w", Saved("part", copies))


def test_shards_of_some_processes_alone_are_a_part() -> None:
    (finding,) = found(DIFFER, in_part("rank0.pt"), trained("net.b", saved()))
    assert finding.message.startswith("rank0.pt holds only a part of 1 tensor (4 parameters) of net")
    assert finding.evidence["parts"] == ["0:1"]
    (finding,) = found(DIFFER, in_part("b.pt", "a.pt"))
    assert finding.message.startswith("a.pt and b.pt hold only a part")
    assert found(DIFFER, in_part("rank0.pt"), rank=0) == []  # it knows nothing of the files of the others


# S601: in no file


def test_what_was_trained_and_is_in_no_file_is_an_error() -> None:
    rows = [trained("net.a.w", GONE), trained("net.b.w", saved(name="b.w")), trained("net.c.w", saved(name="c.w"))]
    (finding,) = found(MISSING, *rows)
    assert (finding.severity, finding.tensors) == ("error", ["net.a.w"])
    assert finding.message == (
        "1 tensor (4 parameters) of net was trained and is in no file that was seen; 2 tensors (8 parameters) are"
    )
    assert finding.evidence == {"files": ["model.pt"], "saved": 8, "trained_but_not_saved": 4}
    assert finding.hint == "write the whole state_dict(), or choose by what was trained and not by a part of the names"


@pytest.mark.parametrize(
    "lost",
    [
        row("net.a.w", saved=GONE),  # never moved
        trained("net.a.w"),  # nothing is known of it
        trained("net.a.w", saved(name="a.w")),
        trained("net.a.w", GONE, changed=moved(Movement("outside", 1, 2, event=MERGED))),
    ],
)
def test_what_is_not_lost(lost: TensorRow) -> None:
    assert found(MISSING, lost, trained("net.b.w", saved(name="b.w"))) == []


def test_where_no_file_has_anything_of_the_model_its_loss_is_not_told() -> None:
    assert found(MISSING, trained("net.a.w", GONE), trained("net.b.w", saved("zero"))) == []


def test_what_is_not_registered_is_in_no_state() -> None:
    lost = trained("net.a.w", GONE, registered=False), trained("net.c.w", GONE)
    (finding,) = found(MISSING, *lost, trained("net.b.w", saved(name="b.w")))
    assert (finding.severity, (finding.hint or "")[:13]) == ("error", "register them")


def module(name: str, count: int, has: Saved, size: int = 4) -> list[TensorRow]:
    named = [replace(each, name=f"{name.partition('.')[2]}.{n}") for n in range(count) for each in has.copies]
    return [
        trained(f"{name}.{n}", Saved(has.state, named[n : n + 1]), size=size, owner=Owner(name, "Linear"))
        for n in range(count)
    ]


def test_all_of_one_module_was_chosen() -> None:
    (finding,) = found(MISSING, *module("net.body", 2, GONE), *module("net.head", 2, saved()))
    assert (finding.severity, finding.message[-18:]) == ("note", ": a part was saved")
    assert finding.evidence["excuse"] == "a part: the file has all of net.head"
    deep = trained("net.head.deep.w", saved(name="head.deep.w"))
    (finding,) = found(MISSING, *module("net.body", 2, GONE), *module("net.head", 2, saved()), deep)
    assert finding.evidence["excuse"] == "a part: the file has all of net.head"
    half = module("net.head", 2, saved())[:1]
    assert told(MISSING, trained("net.body.0", GONE), trained("net.head.9", GONE), *half) == [
        ("error", ["net.body.0", "net.head.9"])
    ]


def test_a_head_that_is_a_tenth_of_what_was_trained_is_a_warning() -> None:
    head = module("net.head", 2, saved())
    for size, severity in ((40, "warning"), (39, "note")):
        (finding,) = found(MISSING, *module("net.body", 2, GONE, size), *head)
        assert finding.severity == severity
        assert finding.message.endswith(": a part was saved") is (severity == "note")
    assert "a head fits only the body" in (found(MISSING, *module("net.body", 2, GONE, 40), *head)[0].hint or "")


def test_a_part_that_a_file_calls_otherwise_was_chosen() -> None:
    rows = [trained("net.a.w", GONE), trained("net.b.w", saved(name="weight")), trained("net.c.w", saved(name="c.w"))]
    (finding,) = found(MISSING, *rows)
    assert finding.evidence["excuse"] == "a part: the file has net.b.w as weight"
    both = Saved("same", [copy(name="weight", file="part.pt"), copy(name="b.w")])
    assert told(MISSING, rows[0], trained("net.b.w", both), rows[2]) == [("error", ["net.a.w"])]


REWRITTEN = Movement("outside", 8, 8, trainable=False)


def adapted(*moves: Movement, frozen: bool = True, path: str = "a.base") -> list[tuple[str, list[str]]]:
    """An adapter in no file, and the weight beside it, which is in one, with how it moved."""
    changed = moved(*moves) if moves else Changed("no", checks=4)
    beside = row("net.a.base.w", saved=saved(name="a.base.w"), changed=changed, owner=Owner(path, "Linear"))
    beside.declared = Declared(not frozen, not frozen)
    other = trained("net.c.w", saved(name="c.w"), owner=Owner("c", "Linear"))
    return told(MISSING, trained("net.a.up.w", GONE, owner=Owner("a.up", "Linear")), beside, other)


def test_an_adapter_of_another_layer_is_not_merged() -> None:
    lost = [trained(f"net.{name}.up.w", GONE, owner=Owner(f"{name}.up", "Linear")) for name in "ab"]
    base = row("net.a.base.w", saved=saved(name="a.base.w"), changed=moved(REWRITTEN), owner=Owner("a.base", "Linear"))
    base.declared = Declared(False, False)
    beside = [base, trained("net.c.w", saved(name="c.w"))]
    assert told(MISSING, lost[0], *beside) == [("note", ["net.a.up.w"])]
    assert told(MISSING, *lost, *beside) == [("error", ["net.a.up.w", "net.b.up.w"])]


def test_what_was_merged_into_the_weight_beside_it_is_no_loss() -> None:
    assert adapted(REWRITTEN) == [("note", ["net.a.up.w"])]
    assert adapted(replace(REWRITTEN, place="between")) == [("note", ["net.a.up.w"])]
    loss = [("error", ["net.a.up.w"])]
    assert adapted() == loss
    assert adapted(REWRITTEN, STEP) == loss
    assert adapted(REWRITTEN, frozen=False) == loss
    assert adapted(REWRITTEN, path="b.base") == loss


def statistics(written: str = "parameter", kind: str = "buffer", **more: Any) -> list[tuple[str, list[str]]]:
    owner = Owner("norm", "BatchNorm1d", "normalisation")
    mean = row("net.norm.mean", **({"changed": moved(STEP), "saved": GONE, "owner": owner} | more))
    weight = row("net.norm.w", saved=saved(name="norm.w"), owner=owner)
    return told(MISSING, replace(mean, kind=kind), replace(weight, kind=written))


def test_statistics_are_lost_where_the_parameters_beside_them_are_saved() -> None:
    assert statistics() == [("error", ["net.norm.mean"])]
    assert statistics(owner=Owner("norm", "Codebook", "codebook")) == [("error", ["net.norm.mean"])]
    assert statistics(owner=Owner("norm", "Rotary", "")) == []  # what a module works out anew
    assert statistics(owner=Owner("other", "BatchNorm1d", "normalisation")) == []
    assert statistics(changed=Changed("no", checks=4)) == []
    assert statistics(saved=saved()) == []
    assert statistics(written="buffer") == []
    assert len(statistics(kind="parameter")) == 1  # it is a parameter in no file, and told as that


def hidden(**more: Any) -> list[Finding]:
    places = (("net.parts", ("net.parts.0",)), ("net.others", ("net.unknown",)))
    events = tuple(StateHidden(step=8, place=place, tensors=names) for place, names in places)
    return found(MISSING, trained("net.parts.0", **({"has": GONE} | more)), events=events)


def test_a_plain_container_hides_what_was_trained_in_it() -> None:
    (finding,) = hidden()
    assert finding.message.endswith(
        "of net were trained and are in no file that was seen: state_dict() does not see net.parts"
    )
    assert finding.evidence == {"kept_in": ["net.parts"], "trained_but_not_saved": 4}
    assert hidden(has=saved()) == []
    assert hidden(has=None) == []
    assert hidden(optimizers=[]) == []
    assert hidden(changed=Changed("no", checks=4)) == []


def test_more_than_three_containers_are_counted_by_an_ellipsis() -> None:
    def shown(count: int) -> str:
        names = [f"net.p{number}" for number in range(count)]
        events = tuple(StateHidden(step=8, place=name, tensors=(f"{name}.w",)) for name in names)
        (finding,) = found(MISSING, *(trained(f"{name}.w", GONE) for name in names), events=events)
        return finding.message.rpartition(" see ")[2]

    assert shown(3) == "net.p0, net.p1, net.p2"
    assert shown(4) == "net.p0, net.p1, net.p2, …"
