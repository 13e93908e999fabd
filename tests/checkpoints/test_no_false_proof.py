"""What a reader did not read is never passed over: lock, diff and verify end with 2 and name it."""

import pickle
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest


class Secret:
    """An object that pickles its numbers as bytes, as many a library does."""

    def __init__(self, value: int) -> None:
        self.data = np.full(3, value).tobytes()


def save_pickle(path: Path, value: int) -> None:
    path.write_bytes(pickle.dumps({"open": np.ones(2), "hidden": Secret(value)}))


def save_npz(path: Path, value: int) -> None:
    with path.open("wb") as file:
        np.savez(file, open=np.ones(2), hidden=np.array([Secret(value)], object))


def save_hdf5(path: Path, value: int) -> None:
    with h5py.File(path, "w") as file:
        file["open"] = np.ones(2)
        rows = file.create_dataset("hidden", (1,), h5py.vlen_dtype("f4"))
        rows[0] = np.full(3, value, "f4")


SAVERS = [save_pickle, save_npz, save_hdf5]


@pytest.mark.parametrize("save", SAVERS)
def test_an_entry_that_is_not_read_is_no_proof(save: Any, tmp_path: Path, call: Any) -> None:
    one, other, lock = tmp_path / "one", tmp_path / "other", tmp_path / "w.lock"
    save(one, 1)
    save(other, 2)
    shown = call("show", one)
    assert shown.status == 0
    assert "not read" in shown.out
    found = call("lock", one, "-o", lock)
    assert found.status == 2
    assert "1 of 2 entries could not be read: hidden" in found.err
    assert [line.split()[0] for line in lock.read_text().splitlines() if line.endswith(" unread")] == [entry_of(lock)]
    for command, second in (("diff", one), ("verify", lock)):
        found = call(command, other, second)
        assert found.status == 2
        assert "1 of 2 entries could not be read: hidden" in found.err
        assert call(command, other, second, "--quiet").status == 2
        assert call(command, other, second, "--allow-unread", "nothing").status == 2
        found = call(command, other, second, "--allow-unread", "hidden**")
        assert (found.status, found.err) == (0, "")
        assert "1 not read, as allowed" in found.out
    assert call("lock", one, "--allow-unread", "hidden**").status == 0


def entry_of(lock: Path) -> str:
    return next(line for line in lock.read_text().splitlines() if line.startswith("hidden")).split()[0]


def test_what_was_allowed_proves_nothing_alone(tmp_path: Path, call: Any) -> None:
    np.savez(tmp_path / "w.npz", hidden=np.array([Secret(1)], object))
    lock = tmp_path / "w.lock"
    assert call("lock", tmp_path / "w.npz", "-o", lock, "--allow-unread", "hidden**").status == 0
    assert call("verify", tmp_path / "w.npz", lock, "--allow-unread", "hidden**").status == 2


def test_a_change_that_is_certain_is_told_before_what_is_not_known(tmp_path: Path, call: Any) -> None:
    for name, value in (("one", 1), ("other", 2)):
        np.savez(tmp_path / f"{name}.npz", w=np.full(2, value), hidden=np.array([Secret(1)], object))
    found = call("diff", tmp_path / "one.npz", tmp_path / "other.npz")
    assert found.status == 1
    assert "could not be read: hidden" in found.err


def test_a_lock_of_before_that_passed_over_an_entry_proves_nothing_of_it(tmp_path: Path, call: Any) -> None:
    """Format 1 locks were written without the entries that are not read."""
    np.savez(tmp_path / "part.npz", w=np.ones(2))
    np.savez(tmp_path / "whole.npz", w=np.ones(2), hidden=np.array([Secret(1)], object))
    lock = tmp_path / "w.lock"
    assert call("lock", tmp_path / "part.npz", "-o", lock).status == 0
    assert call("verify", tmp_path / "whole.npz", lock).status == 2
    assert call("verify", tmp_path / "whole.npz", lock, "--may-differ", "hidden**").status == 0


@pytest.mark.needs("torch")
def test_tensors_without_bytes_are_locked_as_unread(tmp_path: Path, call: Any) -> None:
    torch = pytest.importorskip("torch")
    torch.save({"w": torch.zeros(2, device="meta"), "v": torch.zeros(2)}, tmp_path / "w.pt")
    found = call("lock", tmp_path / "w.pt")
    assert found.status == 2
    assert "w float32 [2] unread\n" in found.out


@pytest.mark.needs("torch")
def test_a_storage_that_no_tensor_refers_to_is_listed(tmp_path: Path, call: Any) -> None:
    torch = pytest.importorskip("torch")
    import zipfile

    torch.save({"w": torch.zeros(2)}, tmp_path / "w.pt")
    with zipfile.ZipFile(tmp_path / "w.pt", "a") as file:
        file.writestr("w/data/7", b"hidden away")
    found = call("lock", tmp_path / "w.pt")
    assert found.status == 2
    assert "1 of 2 entries could not be read: data/7" in found.err


@pytest.mark.needs("torch")
@pytest.mark.filterwarnings("ignore")
def test_constants_of_a_script_are_tensors_too(tmp_path: Path, call: Any) -> None:
    torch = pytest.importorskip("torch")

    class Shifted(torch.nn.Module):
        def __init__(self, by: float) -> None:
            super().__init__()
            self.fc = torch.nn.Linear(2, 2)
            torch.nn.init.ones_(self.fc.weight)
            torch.nn.init.ones_(self.fc.bias)
            self.by = torch.full((3,), by)

        def forward(self, x: Any) -> Any:
            return self.fc(x) + self.by.sum() + torch.tensor([by_constant])

    for name, by_constant in (("one", 1.0), ("other", 2.0)):
        traced = torch.jit.trace(Shifted(by_constant), torch.ones(1, 2))
        torch.jit.save(torch.jit.freeze(traced.eval()), tmp_path / f"{name}.pt")
    assert call("diff", tmp_path / "one.pt", tmp_path / "one.pt").status == 0
    assert call("diff", tmp_path / "one.pt", tmp_path / "other.pt").status == 1
