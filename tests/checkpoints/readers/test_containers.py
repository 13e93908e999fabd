"""Checkpoints inside of other files: compressed, in a tar archive, in a zip archive of no format of its own."""

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from frostline import checkpoints
from frostline.errors import CheckpointError

STATE = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(3, np.float32)}


@pytest.fixture(name="plain")
def plain_fixture(tmp_path: Path) -> Path:
    safetensors.numpy.save_file(STATE, tmp_path / "model.safetensors")
    (tmp_path / "config.yaml").write_text("layers: 2\n")
    return tmp_path / "model.safetensors"


def tar(path: Path, *files: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for file in files:
            archive.add(file, f"./{file.name}")
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_a_tar_archive(mode: str, plain: Path, tmp_path: Path, call: Any) -> None:
    path = tar(tmp_path / "m.nemo", tmp_path / "config.yaml", plain, mode=mode)
    with checkpoints.open(path) as found:
        assert set(found.tensors) == {"w", "b", "config.yaml"}
    call("lock", plain, "-o", tmp_path / "lock")
    assert call("verify", path, tmp_path / "lock", "--may-differ", "config.yaml").status == 0
    call("lock", path, "-o", tmp_path / "whole")
    (tmp_path / "config.yaml").write_text("layers: 3\n")
    changed = call("verify", tar(tmp_path / "n.nemo", tmp_path / "config.yaml", plain), tmp_path / "whole")
    assert (changed.status, "config.yaml" in changed.out) == (1, True)


def test_a_zip_archive_with_several_checkpoints(plain: Path, tmp_path: Path, bytes_of: Any) -> None:
    np.save(tmp_path / "x.npy", np.arange(3))
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in (plain, tmp_path / "x.npy", tmp_path / "config.yaml"):
            archive.write(file, f"m/{file.name}")
    with checkpoints.open(tmp_path / "m.zip") as found:
        assert found.kind == "safetensors, npy in zip"
        assert bytes_of(found.tensors["m/model.safetensors/w"]) == STATE["w"].tobytes()
        assert bytes_of(found.tensors["m/x.npy/array"]) == np.arange(3).tobytes()
        assert bytes_of(found.tensors["m/config.yaml"]) == b"layers: 2\n"


def test_several_streams_and_padding(plain: Path, tmp_path: Path, call: Any) -> None:
    content = plain.read_bytes()
    (tmp_path / "w.gz").write_bytes(gzip.compress(content[:50]) + gzip.compress(content[50:]) + bytes(100))
    assert call("diff", plain, tmp_path / "w.gz").status == 0


def test_what_is_no_checkpoint_inside_is_none_outside(tmp_path: Path) -> None:
    (tmp_path / "w.gz").write_bytes(gzip.compress(b"no weights"))
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr("a", "no weights")
    for name in ("w.gz", "w.zip"):
        with pytest.raises(CheckpointError, match="no checkpoint of a known format"):
            checkpoints.open(tmp_path / name)


def test_an_index_is_not_followed_out_of_an_archive(plain: Path, tmp_path: Path) -> None:
    index = b'{"weight_map": {"w": "model.safetensors"}}'
    (tmp_path / "i.gz").write_bytes(gzip.compress(index))
    with pytest.raises(CheckpointError, match="no checkpoint of a known format"):
        checkpoints.open(tmp_path / "i.gz")


def link(kind: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("model.safetensors")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    return buffer.getvalue()


def twice() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("a", "./a"):
            archive.addfile(tarfile.TarInfo(name))
    return buffer.getvalue()


def packed_often() -> bytes:
    content = b"\x93NUMPY"
    for _ in range(8):
        content = gzip.compress(content)
    return content


BAD = {
    "a symbolic link": (link(tarfile.SYMTYPE), "is a link or a device"),
    "a hard link": (link(tarfile.LNKTYPE), "is a link or a device"),
    "a device": (link(tarfile.CHRTYPE), "is a link or a device"),
    "a name twice": (twice(), "two members named 'a'"),
    "packed eight times": (packed_often(), "packed more than 4 times"),
    "a cut stream": (gzip.compress(bytes(1000))[:-9], "cannot be unpacked"),
    "a wrong checksum": (gzip.compress(bytes(1000))[:-8] + bytes(8), "cannot be unpacked"),
    "garbage behind it": (zlib.compress(bytes(1000)) + b"garbage", "cannot be unpacked"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_archives(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.open(tmp_path / "w")


def test_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from frostline.checkpoints.readers.containers import compressed

    monkeypatch.setattr(compressed, "HARMLESS_EXPANSION", 2**20)
    for name, pack in (("gz", gzip.compress), ("xz", lzma.compress), ("zlib", zlib.compress)):
        (tmp_path / name).write_bytes(pack(bytes(2**24)))
        with pytest.raises(CheckpointError, match="unpack to more than"):
            checkpoints.open(tmp_path / name)
