"""Bad zip archives and .npz files."""
# ruff: noqa: E501  (a table of bytes is read line by line)

import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from attack_files import read_everything, refusal, refused_in_little_memory


def npy(shape: str = "(2,)", descr: str = "'<f4'", body: bytes = bytes(8), order: str = "False") -> bytes:
    """A .npy file whose header says whatever it likes."""
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return buffer.getvalue()


def changed(data: bytes, signature: bytes, offset: int, value: bytes) -> bytes:
    """The archive with some bytes behind the first such signature replaced."""
    at = data.index(signature) + offset
    return data[:at] + value + data[at + len(value) :]


ONE = packed({"a.npy": npy()})
DEFLATED = packed({"a.npy": npy()}, zipfile.ZIP_DEFLATED)
LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"


def twice() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.npy", npy())
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.npy", npy())
    return buffer.getvalue()


def overlapping() -> bytes:
    """Two entries of the directory that lead to the same bytes, as compression bombs without recursion do."""
    data = packed({"a.npy": npy(), "b.npy": npy()})
    second = data.index(CENTRAL, data.index(CENTRAL) + 4)
    return data[: second + 42] + struct.pack("<I", 0) + data[second + 46 :]


BAD = {
    "no directory": (LOCAL + bytes(100), "not a sound zip archive"),
    "directory beyond the file": (changed(ONE, END, 16, b"\xff\xff\xff\x00"), "before its own start"),
    "directory of 4 GiB": (changed(ONE, END, 12, b"\xf0\xff\xff\xff"), "not a sound zip archive"),
    "entry beyond the file": (changed(ONE, CENTRAL, 42, b"\xff\xff\x00\x00"), "are needed"),
    "entry longer than the file": (changed(changed(ONE, CENTRAL, 20, b"\xff" * 3), CENTRAL, 24, b"\xff" * 3), "ends before the end"),
    "two sizes": (changed(ONE, CENTRAL, 24, b"\x01\x00\x00\x00"), "states two sizes"),
    "another name inside": (changed(ONE, LOCAL, 30, b"x"), "do not agree"),
    "encrypted": (changed(ONE, CENTRAL, 8, b"\x01"), "encrypted"),
    "another method": (packed({"a.npy": npy()}, zipfile.ZIP_BZIP2), "packed with zip method 12"),
    "same bytes for two entries": (overlapping(), "do not agree"),
    "wrong checksum": (changed(DEFLATED, CENTRAL, 16, b"\x01\x02\x03\x04"), "length or checksum is wrong"),
    "wrong length": (changed(DEFLATED, CENTRAL, 24, b"\xff"), "length or checksum is wrong"),
    "not compressed at all": (changed(changed(ONE, CENTRAL, 10, b"\x08"), CENTRAL, 24, b"\xff"), "compressed data"),
    "nothing known": (packed({"a.txt": b"hello"}), "no checkpoint of a known format"),
    "no array header": (packed({"a.npy": b"hello"}), "no usable array header"),
    "an empty entry": (packed({"a.npy": b""}), "no usable array header"),
    "an unknown version": (packed({"a.npy": npy().replace(b"NUMPY\x01", b"NUMPY\x09")}), "no usable array header"),
    "a header that is code": (packed({"a.npy": npy(shape="__import__('os')")}), "no usable array header"),
    "a header that is deep": (packed({"a.npy": npy(shape="(" * 5000 + ")" * 5000)}), "no usable array header"),
    "an unknown type": (packed({"a.npy": npy(descr="'<q99'")}), "no usable array header"),
    "a negative shape": (packed({"a.npy": npy("(-2,)")}), "absurd shape"),
    "an absurd shape": (packed({"a.npy": npy(f"({2**70},)")}), "absurd shape"),
    "a shape too large": (packed({"a.npy": npy("(3,)")}), "needs 12 bytes and has 8"),
    "a shape of 2^60": (packed({"a.npy": npy(f"({2**60},)", order="True")}), "needs"),
    "a shape too small": (packed({"a.npy": npy("(1,)")}), "needs 4 bytes and has 8"),
    "a shape of truth": (packed({"a.npy": npy("(True, 2)")}), "absurd shape"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_each_lie_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(content)
    assert message in refusal(tmp_path / "w.npz")


def test_the_same_name_twice(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(twice())
    assert "two entries named 'a.npy'" in refusal(tmp_path / "w.npz")


def test_entries_that_overlap(tmp_path: Path) -> None:
    """A second entry whose header lies inside the data of the first."""
    inner = packed({"b.npy": npy()})
    body = npy(f"({len(inner)},)", "'|u1'", inner)
    data = packed({"a.npy": body, "b.npy": npy()})
    second = data.index(CENTRAL, data.index(CENTRAL, data.rindex(LOCAL)) + 4)
    at = data.index(LOCAL, 4)
    (tmp_path / "w.npz").write_bytes(data[: second + 42] + struct.pack("<I", at) + data[second + 46 :])
    assert "overlaps another one" in refusal(tmp_path / "w.npz")


def test_a_bomb(tmp_path: Path) -> None:
    """4 GiB of zeros in 4 MiB; and a directory that claims 1 TiB."""
    with (
        zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a.npy", "w", force_zip64=True) as entry,
    ):
        entry.write(npy(f"({2**32},)", "'|u1'", b""))
        for _ in range(256):
            entry.write(bytes(2**24))
    assert "claim to unpack to 4,294,9" in refused_in_little_memory(tmp_path / "w.npz")


def test_a_small_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    machine = zlib.compressobj(wbits=-15)
    data = machine.compress(npy(body=b"") + bytes(2**28)) + machine.flush()
    whole = packed({"a.npy": npy()}, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        info = file.infolist()[0]
    local = bytearray(whole[: 30 + len(info.filename)])
    directory = bytearray(whole[whole.index(CENTRAL) :])
    directory[20:24] = struct.pack("<I", len(data))
    end = directory.index(END)
    directory[end + 16 : end + 20] = struct.pack("<I", len(local) + len(data))
    (tmp_path / "w.npz").write_bytes(bytes(local) + data + bytes(directory))
    assert "unpacks to more than" in refused_in_little_memory(tmp_path / "w.npz")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_file_cut_anywhere(save: object, tmp_path: Path) -> None:
    save(tmp_path / "whole.npz", a=np.ones(3), b=np.asfortranarray(np.ones((2, 3))))  # type: ignore[operator]
    whole = (tmp_path / "whole.npz").read_bytes()
    read_everything(tmp_path / "whole.npz")
    for length in range(len(whole)):
        (tmp_path / "cut.npz").write_bytes(whole[:length])
        refusal(tmp_path / "cut.npz")
