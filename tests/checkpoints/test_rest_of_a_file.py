"""Bytes of a file behind or beside all that its format knows: no proof passes over them."""

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")
OPEN = {"open": np.ones(2)}


def dumped_twice(path: Path, value: float) -> None:
    with path.open("wb") as file:
        pickle.dump(OPEN, file)
        pickle.dump({"w": np.full(2, value)}, file)


def joblib_twice(path: Path, value: float) -> None:
    with path.open("wb") as file:
        joblib.dump(OPEN, file)
        joblib.dump({"w": np.full(2, value)}, file)


def stream_twice(path: Path, value: float) -> None:
    with path.open("wb") as file:
        for number in (1.0, value):
            torch.save({"w": torch.full((2,), number)}, file, _use_new_zipfile_serialization=False)


def behind_objects(path: Path, value: float) -> None:
    with path.open("wb") as file:
        np.save(file, np.array([1.0, None], object))
        np.save(file, np.full(2, value))


def beside_storages(path: Path, value: float) -> None:
    torch.save({"w": torch.ones(2)}, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("archive/extra/w", np.full(2, value).tobytes())


def behind_gguf(path: Path, value: float) -> None:
    gguf = pytest.importorskip("gguf")
    writer = gguf.GGUFWriter(path, "a")
    writer.add_tensor("open", np.ones(2, "f4"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with path.open("ab") as file:
        file.write(np.full(8, value).tobytes())


@pytest.mark.parametrize(
    "save", [dumped_twice, joblib_twice, stream_twice, behind_objects, beside_storages, behind_gguf]
)
def test_the_rest_is_compared_as_bytes(save: Callable[[Path, float], None], tmp_path: Path, call: Any) -> None:
    one, other, lock = tmp_path / "one", tmp_path / "other", tmp_path / "w.lock"
    save(one, 1.0)
    save(other, 2.0)
    assert call("lock", one, "-o", lock).status == 0
    assert [call("verify", file, lock).status for file in (one, other)] == [0, 1]
    assert [call("diff", one, file).status for file in (one, other)] == [0, 1]
