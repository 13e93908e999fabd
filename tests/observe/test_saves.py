"""Files that a run wrote, against its tensors."""

from collections.abc import Hashable

import pytest
from tests.observe.memory import Tensor, Training, buffer

from frostline.core.events.files import FilesAlike, FileWritten
from frostline.observe import saves
from frostline.observe.protocols import Unreadable
from frostline.observe.saves import Saves
from frostline.observe.tensor_match import Written


def written(tensor: Tensor) -> Written:
    """The tensor on its way into a file, as it is now."""
    copy, row = Tensor(tensor.name, tensor.values.copy()), tensor.row
    return Written(row.name.partition(".")[2], "", row.shape, row.dtype, row.bytes, copy)


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
        self.saves.wrote(path, "memory.save", [written(tensor) for tensor in tensors or self.tensors])

    def written(self) -> list[FileWritten]:
        """What was told of files."""
        return self.training.observer.journal.fold.ledger().events_of(FileWritten)

    def end(self) -> None:
        self.training.observer.close()
        self.saves.settle()


@pytest.fixture
def weight() -> Tensor:
    return Tensor("m.weight", range(8))


def copies(tensor: Tensor) -> list[tuple[str, int, str]]:
    assert tensor.row.saved is not None
    return [(copy.file, copy.step, copy.state) for copy in tensor.row.saved.copies]


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
    assert weight.row.saved is not None
    assert weight.row.saved.state == "same"
    assert copies(weight)[0] == ("good.bin", 1, "same")


def test_what_no_file_of_its_model_has_is_missing(weight: Tensor) -> None:
    other, apart = Tensor("m.other", range(3)), Tensor("n.apart", range(5))
    writing = Writing(weight, other, apart)
    writing.training.step()
    writing.save("part.bin", weight)
    writing.end()
    assert other.row.saved is not None
    assert (other.row.saved.state, other.row.saved.copies) == ("missing", [])
    assert apart.row.saved is None  # no file holds anything of its model


def test_a_model_that_was_not_known_when_it_was_written_is_asked_for_at_the_end(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    unknown = Written("x", "", (3,), "float32", 12, Tensor("x", range(3)))
    writing.saves.wrote("early.bin", "memory.save", [unknown], later=lambda: [("weight", weight.key)])
    writing.training.step()
    writing.end()
    assert copies(weight) == [("early.bin", 0, "older")]
    assert other.row.saved is not None
    assert other.row.saved.state == "missing"
    assert "saved" not in other.row.unknown


def test_a_tensor_of_the_size_under_a_name_of_no_tensor_may_be_the_one_that_is_missing(weight: Tensor) -> None:
    other = Tensor("m.other", range(3))
    writing = Writing(weight, other)
    unknown = Written("x", "", (3,), "float32", 12, Tensor("x", range(3)))
    writing.training.step()
    writing.saves.wrote("part.bin", "memory.save", [written(weight), unknown])
    writing.end()
    assert other.row.saved is None
    assert other.row.unknown["saved"] == "a file holds a tensor of this size under a name that is no tensor's"


def test_a_tensor_that_never_moved_has_its_bits_in_a_file_from_before_it_was_known(weight: Tensor) -> None:
    frozen = Tensor("m.frozen", range(3), trainable=False)
    writing = Writing(weight, frozen)
    writing.training.probe.optimizers["sgd"].tensors.remove(frozen)
    writing.saves.wrote("early.bin", "memory.save", [], later=lambda: [("frozen", frozen.key)])
    writing.training.step()
    writing.end()
    assert copies(frozen) == [("early.bin", 0, "same")]


def test_a_file_that_was_written_at_the_last_step_is_not_read_again(weight: Tensor) -> None:
    writing = Writing(weight)
    writing.training.step()
    writing.save("last.bin")
    weight.masked_gradients = Unreadable("freed")
    writing.end()
    assert copies(weight) == [("last.bin", 1, "same")]


def test_files_that_repeat_each_other_are_told_by_what_they_hold_of_trainable_parameters(weight: Tensor) -> None:
    frozen, count = Tensor("m.frozen", range(3), trainable=False), buffer("m.count", [0.0])
    writing = Writing(weight, frozen, count)
    kept = [written(each) for each in (weight, frozen, count)]
    for epoch in range(3):
        writing.training.step()
        writing.saves.wrote(f"epoch{epoch}.bin", "memory.save", kept)
    writing.end()
    (alike,) = writing.training.observer.journal.fold.ledger().events_of(FilesAlike)
    assert (alike.files, alike.steps, alike.tensors) == (
        ("epoch0.bin", "epoch1.bin", "epoch2.bin"),
        (1, 2, 3),
        ("m.weight",),
    )


def test_files_of_what_is_frozen_alone_may_repeat_each_other(weight: Tensor) -> None:
    frozen = Tensor("m.frozen", range(3), trainable=False)
    writing = Writing(weight, frozen)
    for epoch in range(3):
        writing.training.step()
        writing.save(f"epoch{epoch}.bin", frozen)
    writing.end()
    assert writing.training.observer.journal.fold.ledger().events_of(FilesAlike) == []
