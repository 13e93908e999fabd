"""Files that a run wrote, against its tensors."""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike
from tests.observe.memory import Tensor, Training, buffer

from frostline.core.columns.part import Part
from frostline.core.columns.saved import Copy, Saved
from frostline.core.events.files import FilesAlike, FileWritten
from frostline.core.facts import Held
from frostline.observe import saves
from frostline.observe.protocols import Unreadable
from frostline.observe.saves import Saves
from frostline.observe.tensor_match import Written


def written(tensor: Tensor, **more: Any) -> Written:
    """The tensor on its way into a file, as it is now."""
    return holding(tensor.row.name.partition(".")[2], tensor.values, **more)


def holding(name: str, values: ArrayLike, dtype: str = "float32", section: str = "", **more: Any) -> Written:
    """A tensor with this name and these values, on its way into a file."""
    copy = Tensor(name, values, dtype=dtype)
    return Written(name, section, copy.values.shape, dtype, copy.values.nbytes, copy, **more)


class Writing:
    """A training whose script writes files."""

    def __init__(self, *tensors: Tensor) -> None:
        self.tensors = tensors
        self.training = Training(*tensors)
        self.training.optimizer(*tensors)
        self.saves = Saves(self.training.observer, self._expected)

    def _expected(self, models: set[str]) -> set[Hashable]:
        return {tensor.key for tensor in self.tensors if tensor.row.model in models}

    def save(self, path: str, *tensors: Tensor) -> None:
        self.write(path, *(written(tensor) for tensor in tensors or self.tensors))

    def write(self, path: str, *tensors: Written, **more: Any) -> None:
        self.saves.wrote(path, "memory.save", tensors, **more)

    def written(self) -> list[FileWritten]:
        """What was told of files."""
        return self.training.observer.journal.fold.ledger().events_of(FileWritten)

    def end(self) -> None:
        self.training.observer.close()
        self.saves.settle()


@pytest.fixture
def weight() -> Tensor:
    return Tensor("m.weight", range(8))


def saved(tensor: Tensor) -> Saved:
    assert tensor.row.saved is not None
    return tensor.row.saved


def copies(tensor: Tensor) -> list[tuple[str, int, str]]:
    return [(copy.file, copy.step, copy.state) for copy in saved(tensor).copies]


def only(tensor: Tensor) -> Copy:
    """The one copy that is kept of the tensor."""
    (copy,) = saved(tensor).copies
    return copy


def test_the_oldest_files_are_forgotten_first(weight: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saves, "COPIES_KEPT", 2)
    writing = Writing(weight)
    for epoch in range(4):
        writing.training.step()
        writing.save(f"out/epoch{epoch}.bin")
    writing.save("out/epoch2.bin")  # written again: now the youngest
    writing.training.step()
    writing.save("out/epoch4.bin")
    writing.end()
    assert [event.file for event in writing.written()] == ["epoch2.bin", "epoch4.bin"]
    assert copies(weight) == [("epoch4.bin", 5, "same"), ("epoch2.bin", 4, "older")]


def test_the_only_file_is_kept_however_much_it_holds(weight: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saves, "COPIES_KEPT", 1)
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.save("model.bin")
    writing.end()
    assert (saved(weight).state, saved(other).state) == ("same", "same")


def test_of_copies_alike_the_youngest_is_told(weight: Tensor) -> None:
    writing = Writing(weight)
    for epoch in range(3):
        writing.training.step()
        writing.save(f"epoch{epoch}.bin")
    writing.training.step()
    writing.end()
    assert copies(weight) == [("epoch2.bin", 3, "older")]


def test_the_best_copy_comes_first_whenever_it_was_written(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.save("good.bin")
    weight.values -= 1  # what is written next is not what memory holds at the end
    writing.save("bad.bin")
    weight.values += 1
    writing.end()
    assert saved(weight).state == "same"
    assert copies(weight)[0] == ("good.bin", 1, "same")


def test_what_no_file_of_its_model_has_is_missing(weight: Tensor) -> None:
    other, apart = Tensor("m.other", range(3)), Tensor("n.apart", range(5))
    writing = Writing(weight, other, apart)
    writing.training.step()
    writing.save("part.bin", weight)
    writing.end()
    assert saved(other) == Saved("missing", [])
    assert apart.row.saved is None  # no file holds anything of its model


def test_a_model_that_was_not_known_when_it_was_written_is_asked_for_at_the_end(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.write("early.bin", holding("x", range(3)), later=lambda: [("weight", weight.key)])
    writing.training.step()
    writing.end()
    assert copies(weight) == [("early.bin", 0, "older")]
    assert saved(other).state == "missing"
    assert "saved" not in other.row.unknown


def test_a_tensor_of_the_size_under_a_name_of_no_tensor_may_be_the_one_that_is_missing(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.write("part.bin", written(weight), holding("x", range(3)))
    writing.end()
    assert other.row.saved is None
    assert other.row.unknown["saved"] == "a file holds a tensor of this size under a name that is no tensor's"


def test_a_tensor_that_never_moved_has_its_bits_in_a_file_from_before_it_was_known(weight: Tensor) -> None:
    frozen = Tensor("m.frozen", range(3), trainable=False)
    writing = Writing(weight, frozen)
    writing.training.probe.optimizers["sgd"].tensors.remove(frozen)
    writing.write("early.bin", later=lambda: [("frozen", frozen.key)])
    writing.training.step()
    writing.end()
    assert copies(frozen) == [("early.bin", 0, "same")]


def test_a_file_that_was_written_at_the_last_step_is_not_read_again(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.save("last.bin")
    weight.unreadable = Unreadable("freed")
    writing.end()
    assert copies(weight) == [("last.bin", 1, "same")]


def test_files_that_repeat_each_other_are_told_by_what_they_hold_of_trainable_parameters(weight: Tensor) -> None:
    frozen, count = Tensor("m.frozen", range(3), trainable=False), buffer("m.count", [0.0])
    writing = Writing(weight, frozen, count)
    kept = [written(each) for each in (weight, frozen, count)]
    for epoch in range(3):
        writing.training.step()
        writing.write(f"epoch{epoch}.bin", *kept)
    writing.end()
    (alike,) = writing.training.observer.journal.fold.ledger().events_of(FilesAlike)
    assert (alike.files, alike.steps, alike.tensors) == (
        ("epoch0.bin", "epoch1.bin", "epoch2.bin"),
        (1, 2, 3),
        ("m.weight",),
    )


def test_of_a_shard_the_files_of_other_processes_are_not_known(weight: Tensor) -> None:
    writing = Writing(weight)
    kept = written(weight, cut=lambda _: kept)
    weight.row.part = Part("0:8", 8)
    for epoch in range(3):
        writing.training.step()
        writing.write(f"epoch{epoch}.bin", kept)
    writing.end()
    assert len(saved(weight).copies) > 0
    assert writing.training.observer.journal.fold.ledger().events_of(FilesAlike) == []


@pytest.mark.parametrize(("path", "name"), [("runs/300/", "runs/300"), ("300", "300"), ("runs/300.bin", "300.bin")])
def test_a_number_is_told_with_its_folder(weight: Tensor, path: str, name: str) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.save(path)
    writing.end()
    assert only(weight).file == name


def test_files_of_what_is_frozen_alone_may_repeat_each_other(weight: Tensor) -> None:
    frozen = Tensor("m.frozen", range(3), trainable=False)
    writing = Writing(weight, frozen)
    for epoch in range(3):
        writing.training.step()
        writing.save(f"epoch{epoch}.bin", frozen)
    writing.end()
    assert writing.training.observer.journal.fold.ledger().events_of(FilesAlike) == []


# What is told of a file


def test_of_a_file_is_told_how_often_it_was_written_and_how_much_of_it_is_the_models(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    for _ in range(2):
        writing.training.step()
        writing.write("best.bin", written(weight), holding("x", range(5)))
    writing.end()
    (event,) = writing.written()
    assert (event.file, event.by, event.step) == ("best.bin", "memory.save", 2)
    assert (event.times, event.entries, event.tensors) == (2, 2, 1)


@pytest.mark.parametrize(("general", "told"), [(True, ["model.bin"]), (False, ["noise.bin", "model.bin"])])
def test_what_a_general_function_wrote_is_told_where_it_is_of_a_model(
    weight: Tensor, general: bool, told: list[str]
) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.write("noise.bin", holding("x", range(5)), general=general)
    writing.write("model.bin", written(weight), general=general)
    writing.end()
    assert [event.file for event in writing.written()] == told


def test_no_more_than_the_last_files_are_told(weight: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saves, "EVENTS_KEPT", 2)
    writing = Writing(weight)
    writing.training.step()
    for epoch in range(3):
        writing.save(f"epoch{epoch}.bin")
    writing.end()
    assert [event.file for event in writing.written()] == ["epoch1.bin", "epoch2.bin"]


def test_steps_may_be_counted_by_somebody_else(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.saves = Saves(writing.training.observer, writing._expected, steps=lambda: 5)
    writing.training.step()
    writing.save("late.bin")
    writing.end()
    assert (only(weight).step, writing.written()[0].step) == (5, 5)


def test_of_files_whose_models_were_not_known_the_last_are_asked_for(
    weight: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saves, "LATER_KEPT", 2)
    writing = Writing(weight)
    for epoch in range(3):
        writing.write(f"{epoch}.bin", later=lambda: [("weight", weight.key)])
    writing.write("known.bin", written(weight), later=lambda: pytest.fail("it is known what this file holds"))
    writing.end()
    assert [event.tensors for event in writing.written()] == [0, 1, 1, 1]


def test_a_model_that_nobody_ever_compared_is_not_known_to_be_in_an_early_file(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.write("early.bin", later=lambda: [("weight", weight.key)])
    weight.row.changed.verdict = "unknown"
    writing.saves.settle()
    assert weight.row.saved is None


# Which tensor is meant


def test_an_average_beside_the_weights_themselves_is_no_copy_of_them(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    average = holding("weight", weight.values + 1, section="average")
    writing.write("model.bin", average, written(weight, section="model", entry=weight.key))
    writing.end()
    assert (only(weight).state, only(weight).name) == ("same", "weight")


def test_names_in_two_dictionaries_of_a_file_are_told_apart(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.write("both.bin", written(weight, section="model"), holding("weight", np.ones((2, 2)), section="other"))
    writing.end()
    assert only(weight).state == "same"


def test_a_tensor_goes_by_its_other_names_too(weight: Tensor) -> None:
    writing = Writing(weight)
    weight.row.aliases.append("m.tied")
    writing.training.step()
    writing.write("tied.bin", replace(written(weight), name="tied"))
    writing.end()
    assert (only(weight).name, only(weight).state) == ("tied", "same")


def test_what_is_in_no_file_under_one_of_its_names_is_there_under_another(weight: Tensor) -> None:
    twin, apart = Tensor("m.twin", range(3)), Tensor("m.apart", range(5))
    writing = Writing(weight, twin, apart)
    twin.row.aliases.append("m.weight")
    writing.training.step()
    writing.write("one.bin", written(weight))
    writing.end()
    assert (twin.row.saved, saved(apart).state) == (None, "missing")


def test_of_two_arrays_with_the_values_of_a_tensor_the_first_is_its_copy(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    for dtype in ("float32", "float16"):
        writing.saves.holds("own.npz", "numpy", holding("arr", weight.values, dtype))
    writing.end()
    assert only(weight).state == "same"


def test_an_array_of_the_scripts_own_takes_nothing_back_of_what_a_file_lacks(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.save("part.bin", weight)
    writing.saves.holds("own.npz", "numpy", holding("arr", weight.values))
    writing.end()
    assert saved(other).state == "missing"


# What a file holds of a tensor


def test_whose_the_first_values_are_is_asked_of_what_holds_them(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    first = holding("weight", weight.values, origin=lambda: "a module that the model left")
    writing.training.step()
    asked = holding("other", other.values, origin=lambda: pytest.fail("this is no first value"))
    writing.write("model.bin", asked, first)
    writing.end()
    assert (only(weight).state, only(weight).origin) == ("first", "a module that the model left")
    assert only(other).origin is None


def test_one_who_can_be_asked_answers_for_all_first_values_of_its_dictionary(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    kept = holding("weight", weight.values), holding("other", other.values, origin=lambda: "the former model")
    stranger = holding("weight", np.ones((2, 2)), section="other", origin=lambda: pytest.fail("it is no tensor's"))
    writing.training.step()
    writing.write("model.bin", *kept, stranger)
    writing.end()
    assert (only(weight).origin, only(other).origin) == ("the former model", "the former model")


def test_who_has_no_answer_leaves_the_origin_open(weight: Tensor) -> None:
    writing = Writing(weight)
    first = holding("weight", weight.values)
    writing.training.step()
    writing.write("model.bin", first)
    writing.end()
    assert (only(weight).state, only(weight).origin) == ("first", None)


def test_a_copy_that_cannot_be_compared_is_no_missing_tensor(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    broken = [written(each) for each in (weight, other)]
    for each in broken:
        each.content.unreadable = Unreadable("it is a pipe")  # type: ignore[attr-defined]
    writing.write("pipe.bin", *broken)
    writing.save("model.bin", other)
    writing.end()
    assert (weight.row.saved, weight.row.unknown["saved"]) == (None, "it is a pipe")
    assert only(other).state == "same"
    assert "saved" not in other.row.unknown


def test_what_may_be_merged_into_other_values_of_its_module_is_not_missing(weight: Tensor) -> None:
    base, adapter, apart = (Tensor(f"m.{name}", range(4)) for name in ("fc.weight", "fc.lora.a", "norm.a"))
    writing = Writing(base, adapter, apart)
    writing.training.step()
    writing.write("merged.bin", holding("fc.weight", base.values + 1))
    writing.end()
    assert only(base).state == "other"
    assert adapter.row.unknown["saved"].endswith("it may be merged into them")
    assert (adapter.row.saved, saved(apart).state) == (None, "missing")


def test_what_stands_beside_other_values_in_one_module_may_be_in_them_and_at_the_top_it_is_missing() -> None:
    base, bias, top, other = (Tensor(f"m.{name}", range(4)) for name in ("fc.weight", "fc.bias", "scale", "shift"))
    writing = Writing(base, bias, top, other)
    writing.training.step()
    writing.write("m.bin", holding("fc.weight", base.values + 1), holding("scale", top.values + 1))
    writing.end()
    assert (bias.row.saved, saved(other).state) == (None, "missing")
    assert bias.row.unknown["saved"].endswith("it may be merged into them")


def test_a_file_of_no_model_holds_nothing_that_may_be_missing(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.write("noise.bin", holding("x", range(3)))
    writing.save("part.bin", weight)
    writing.end()
    assert saved(other).state == "missing"


def test_what_stands_beside_the_tensors_of_a_good_copy_is_missing(weight: Tensor) -> None:
    base, beside = (Tensor(f"m.{name}", range(4)) for name in ("fc.weight", "fc.bias"))
    writing = Writing(base, beside)
    writing.training.step()
    writing.save("part.bin", base)
    writing.end()
    assert saved(beside).state == "missing"


def test_a_later_file_of_the_model_says_what_a_whole_save_holds(weight: Tensor) -> None:
    """An earlier file is of a model that had more tensors then."""
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    writing.training.step()
    writing.save("early.bin", weight)
    writing.tensors = (weight,)  # the other one was taken out of the model
    writing.save("late.bin")
    writing.end()
    assert (saved(weight).state, other.row.saved) == ("same", None)


def test_a_file_of_another_model_says_nothing_of_what_is_missing(weight: Tensor) -> None:
    other, apart = Tensor("m.other", range(3)), Tensor("n.apart", range(5))
    writing = Writing(weight, other, apart)
    writing.training.step()
    writing.save("m.bin", weight)
    writing.save("n.bin", apart)
    writing.end()
    assert saved(other).state == "missing"


# Until the end


def test_values_of_a_files_own_are_no_older_ones(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.write("average.bin", holding("weight", weight.values + 1))
    writing.training.step()
    writing.end()
    assert copies(weight) == [("average.bin", 1, "other")]


def test_rounded_copies_grow_old_too(weight: Tensor) -> None:
    still = Tensor("m.still", range(1, 4))
    writing = Writing(weight, still)
    writing.training.probe.optimizers["sgd"].tensors.remove(still)
    writing.training.step()
    writing.write("half.bin", *(holding(each.name[2:], each.values, "float16") for each in (weight, still)))
    writing.training.step()
    writing.end()
    assert (only(weight).state, only(still).state) == ("older", "rounded")
    assert (only(weight).name, only(weight).dtype) == ("weight", "float16")


@pytest.mark.parametrize(("moves", "state"), [(True, "older"), (False, "same")])
def test_what_can_be_read_no_more_is_older_where_it_moved(weight: Tensor, moves: bool, state: str) -> None:
    writing = Writing(weight)
    writing.training.step(gradient=1.0 if moves else 0.0)
    writing.save("model.bin")
    writing.training.step(gradient=0.0)
    weight.unreadable = Unreadable("freed")
    writing.saves.settle()
    assert only(weight).state == state


def test_first_values_that_were_put_back_and_stay_are_told(weight: Tensor) -> None:
    frozen = Tensor("m.frozen", range(3), trainable=False)
    writing = Writing(weight, frozen)
    first = weight.values.copy()
    writing.training.step()
    weight.values[:] = first
    writing.save("model.bin")
    writing.end()
    assert (only(weight).state, only(weight).put_back) == ("first", True)
    assert (only(frozen).state, only(frozen).put_back) == ("same", False)  # was never trained


def test_what_memory_holds_is_no_matter_where_the_file_has_other_values(weight: Tensor) -> None:
    writing = Writing(weight)
    first = weight.values.copy()
    writing.training.step()
    weight.values[:] = first
    writing.write("average.bin", holding("weight", first + 1))
    writing.end()
    assert (only(weight).state, only(weight).put_back) == ("other", False)


@pytest.mark.parametrize(("apart", "back_at"), [(0.0, 6), (1.0, None)])
def test_values_that_a_file_has_may_come_back(weight: Tensor, apart: float, back_at: int | None) -> None:
    writing = Writing(weight)
    for _ in range(6):
        writing.training.step()
    kept = weight.values.copy()  # no check saw them
    writing.write("model.bin", holding("weight", kept + apart))
    for _ in range(4):
        writing.training.step()
    weight.values[:] = kept
    writing.end()
    assert weight.row.changed.back_at == back_at


def test_first_values_that_were_put_back_for_a_while_only_are_older(weight: Tensor) -> None:
    writing = Writing(weight)
    first = weight.values.copy()
    writing.training.step()
    weight.values[:] = first
    writing.save("begin.bin")
    writing.training.step()
    writing.end()
    assert (only(weight).state, only(weight).put_back) == ("older", False)


def test_what_moved_between_two_checks_was_trained_where_an_optimizer_holds_it(weight: Tensor) -> None:
    free = Tensor("m.free", range(3))
    writing = Writing(weight, free)
    writing.training.probe.optimizers["sgd"].tensors.remove(free)
    first = {each.name: each.values.copy() for each in (weight, free)}
    for _ in range(3):
        writing.training.step(gradient=0.0)
    for each in (weight, free):
        each.values += 1
    writing.training.probe.optimizers["adam"] = writing.training.probe.optimizers["sgd"]
    adam = writing.training.observer.tracked.found_optimizer("adam", "optimizer", "Adam")
    writing.training.observer.tell(Held(optimizer=adam.id, tensors=(weight.row.id,), listed=False))
    writing.training.step(gradient=0.0)  # a check
    for each in (weight, free):
        each.values[:] = first[each.name]
    writing.save("model.bin")
    writing.end()
    assert [move.place for move in weight.row.changed.movements][:1] == ["between"]
    assert [holding.listed for holding in weight.row.optimizers] == [True, False]
    assert (only(weight).put_back, only(free).put_back) == (True, False)


def put_back(tensor: Tensor, writing: Writing, first: ArrayLike) -> bool:
    tensor.values[:] = first
    writing.save("model.bin")
    writing.end()
    return only(tensor).put_back


def test_what_only_the_script_moved_was_not_trained_though_an_optimizer_holds_it(weight: Tensor) -> None:
    writing, first = Writing(weight), weight.values.copy()
    writing.training.step(gradient=0.0)
    weight.values += 1
    writing.training.step(gradient=0.0)
    assert [move.place for move in weight.row.changed.movements] == ["outside"]
    assert not put_back(weight, writing, first)


def test_what_a_step_moved_while_it_was_frozen_was_not_trained() -> None:
    frozen = Tensor("m.frozen", range(1, 9), trainable=False)
    writing, first = Writing(frozen), frozen.values.copy()
    writing.training.step()
    assert [move.place for move in frozen.row.changed.movements] == ["step"]
    assert not put_back(frozen, writing, first)


# Arrays that a script writes itself


def test_an_array_of_the_scripts_own_is_the_tensor_whose_bits_it_has(weight: Tensor) -> None:
    twin, other = Tensor("m.twin", np.arange(8) + 20), Tensor("m.other", range(3))
    writing = Writing(weight, twin, other)
    writing.training.step()
    for values in (weight.values, twin.values, range(8)):  # the last are nobody's bits
        writing.saves.holds("own.npz", "numpy", holding("arr", values))
    writing.saves.holds("own.npz", "numpy", holding("arr", [7, 8]))
    writing.end()
    (event,) = writing.written()
    assert (event.entries, event.tensors, event.times) == (4, 2, 1)
    assert (only(weight).state, only(twin).state) == ("same", "same")
    assert other.row.saved is None  # such a file never says what is missing


def test_arrays_after_another_step_are_in_a_file_that_is_written_again(weight: Tensor) -> None:
    writing = Writing(weight)
    for _ in range(2):
        writing.training.step()
        writing.saves.holds("own.npz", "numpy", holding("arr", weight.values))
    writing.end()
    assert (only(weight).step, writing.written()[0].times) == (2, 2)


def test_arrays_that_grow_old_are_no_copies(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.saves.holds("own.npz", "numpy", holding("arr", weight.values))
    writing.training.step()
    writing.end()
    assert weight.row.saved is None


def test_arrays_of_no_tensor_are_not_told_of(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.saves.holds("own.npz", "numpy", holding("arr", range(20, 28)))
    writing.end()
    assert writing.written() == []


# Which copies are kept


def test_copies_that_were_taken_before_they_were_written_are_all_kept(
    weight: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saves, "LATE_KEPT", 2)
    writing = Writing(weight)
    for epoch in range(4):
        writing.training.step()
        writing.write(f"epoch{epoch}.bin", written(weight, taken=0 if epoch else 1))
    writing.training.step()
    writing.end()
    assert copies(weight) == [("epoch3.bin", 4, "older"), ("epoch2.bin", 3, "older"), ("epoch1.bin", 2, "older")]
    assert [copy.taken for copy in saved(weight).copies] == [0, 0, 0]


def test_of_copies_that_were_written_when_they_were_taken_the_youngest_is_kept(weight: Tensor) -> None:
    writing = Writing(weight)
    for epoch in range(3):
        writing.training.step()
        writing.write(f"epoch{epoch}.bin", written(weight, taken=writing.training.observer.steps))
    writing.training.step()
    writing.end()
    assert copies(weight) == [("epoch2.bin", 3, "older")]


def test_parts_of_a_tensor_are_told_apart_by_their_files(weight: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saves, "PARTS_KEPT", 2)
    writing = Writing(weight)
    writing.training.step()
    for folder in ("a", "b", "c"):
        writing.write(f"{folder}/shard.bin", written(weight, part=f"rows of {folder}"))
    writing.end()
    assert saved(weight).state == "part"
    assert [copy.part for copy in saved(weight).copies] == ["rows of a", "rows of b"]
    assert len({copy.path for copy in saved(weight).copies}) == 2
    writing.save("whole.bin")
    writing.saves.settle()
    assert (saved(weight).state, [copy.file for copy in saved(weight).copies]) == (
        "same",
        ["shard.bin", "shard.bin", "whole.bin"],
    )


def test_one_place_that_several_processes_write_to_is_a_file_of_each(weight: Tensor) -> None:
    paths = set()
    for writer in ("0", "1", "1"):
        writing = Writing(weight)
        writing.training.step()
        writing.write("folder", written(weight, part="rows"), writer=writer)
        writing.end()
        paths.add(only(weight).path)
    assert len(paths) == 2
