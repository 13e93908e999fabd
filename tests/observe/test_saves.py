"""Files that a run wrote, against its tensors."""

from collections.abc import Hashable

import pytest
from tests.observe.memory import Tensor, Training

from frostline.core.events.files import FileWritten
from frostline.observe import saves
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
