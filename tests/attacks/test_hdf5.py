"""Bad HDF5 files: links that leave the file, circles, and damage anywhere."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from attack_files import read_everything, refusal

from frostline.errors import CheckpointError

SECRET = np.arange(8, dtype="u1")


def external_link(file: h5py.File, other: Path) -> None:
    file["w"] = h5py.ExternalLink(str(other), "/secret")


def external_storage(file: h5py.File, other: Path) -> None:
    file.create_dataset("w", (8,), "u1", external=[(str(other), 0, 8)])


def virtual(file: h5py.File, other: Path) -> None:
    layout = h5py.VirtualLayout((8,), "u1")
    layout[:] = h5py.VirtualSource(str(other), "secret", (8,))
    file.create_virtual_dataset("w", layout)


def soft_circle(file: h5py.File, other: Path) -> None:
    file["a"], file["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")


def soft_to_nothing(file: h5py.File, other: Path) -> None:
    file["a"] = h5py.SoftLink("/nowhere")


def soft_to_group(file: h5py.File, other: Path) -> None:
    file.create_group("group")["again"] = h5py.SoftLink("/group")


def soft_through_external(file: h5py.File, other: Path) -> None:
    file["a"] = h5py.SoftLink("/z/secret")
    file["z"] = h5py.ExternalLink(str(other), "/")


def hard_circle(file: h5py.File, other: Path) -> None:
    file.create_group("group")["again"] = file["/"]


def deep(file: h5py.File, other: Path) -> None:
    group = file["/"]
    for _ in range(200):
        group = group.create_group("g")


BAD = {
    external_link: "leads to another file",
    external_storage: "keeps its bytes in another file",
    virtual: "made of other files",
    soft_circle: "leads nowhere or in a circle",
    soft_to_nothing: "leads nowhere or in a circle",
    soft_to_group: "leads to a group",
    soft_through_external: "leads to another file",
    hard_circle: "into itself or in twice",
    deep: "nested too deep",
}


@pytest.mark.parametrize(("make", "message"), BAD.items(), ids=[make.__name__ for make in BAD])
@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_links(make: object, message: str, libver: str, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with h5py.File(other, "w") as file:
        file["secret"] = SECRET
    with h5py.File(tmp_path / "w.h5", "w", libver=libver) as file:
        make(file, other)  # type: ignore[operator]
    assert message in refusal(tmp_path / "w.h5")


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        space = h5py.h5s.create_simple((1,))
        h5py.h5d.create(file.id, b"\xff\xfe", h5py.h5t.STD_U8LE, space)
    assert "not UTF-8" in refusal(tmp_path / "w.h5")


def test_a_chunk_that_unpacks_to_more_than_it_may(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        made = file.create_dataset("w", (4,), "u1", chunks=(4,), compression="gzip")
        import zlib

        made.id.write_direct_chunk((0,), zlib.compress(bytes(2**26)))
    assert "wrong size" in refusal(tmp_path / "w.h5")


def test_an_absurd_chunk(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("w", (2**30,), "u1", chunks=(2**30,), maxshape=(None,))
    assert "too large to unpack" in refusal(tmp_path / "w.h5")


def test_an_absurd_shape_that_was_never_written(tmp_path: Path) -> None:
    """2^60 bytes of fill value: named in a moment, and never in memory."""
    from frostline import checkpoints

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("w", (2**60,), "u1")
    with checkpoints.open(tmp_path / "w.h5") as found:
        assert found.tensors["w"].unknown == "large, and never written"


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_file_cut_at_many_places(libver: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "whole.h5", "w", libver=libver) as file:
        file["a/b"] = np.ones(3)
        file.create_dataset("c", data=np.ones((4, 4)), chunks=(2, 2), compression="gzip")
    whole = (tmp_path / "whole.h5").read_bytes()
    read_everything(tmp_path / "whole.h5")
    for length in [*range(0, 100, 12), *range(100, len(whole), max(1, len(whole) // 20))]:
        (tmp_path / "cut.h5").write_bytes(whole[:length])
        refusal(tmp_path / "cut.h5")


def test_without_h5py_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from frostline import checkpoints
    from frostline.checkpoints.readers.hdf5 import reader

    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["w"] = np.ones(2)
    monkeypatch.setattr(reader.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CheckpointError, match="need the package h5py"):
        checkpoints.open(tmp_path / "w.h5")
