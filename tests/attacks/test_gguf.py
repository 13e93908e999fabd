"""Bad GGUF files: counts and lengths that lie."""

import struct
from pathlib import Path

import pytest
from attack_files import read_everything, refusal, refused_in_little_memory

HUGE = 2**62


def text(value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(value) if length is None else length) + value


def pair(key: bytes, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: bytes = b"w", shape: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0, axes: int | None = None) -> bytes:  # fmt: skip # noqa: E501
    extents = b"".join(struct.pack("<Q", extent) for extent in shape)
    return (
        text(name)
        + struct.pack("<I", len(shape) if axes is None else axes)
        + extents
        + struct.pack("<IQ", kind, offset)
    )


def gguf(tensors: list[bytes], pairs: list[bytes] = [], body: bytes = bytes(64), version: int = 3, counts: tuple[int | None, int | None] = (None, None)) -> bytes:  # fmt: skip # noqa: E501, B006
    claimed = [len(found) if count is None else count for found, count in zip((tensors, pairs), counts, strict=True)]
    head = b"GGUF" + struct.pack("<IQQ", version, *claimed) + b"".join(pairs) + b"".join(tensors)
    return head + bytes(-len(head) % 32) + body


BAD = {
    "only the magic": (b"GGUF", "ends inside"),
    "an unknown version": (gguf([tensor()], version=9), "GGUF version 9"),
    "more tensors than there are": (gguf([tensor()], body=b"", counts=(2, None)), "ends inside"),
    "2^62 tensors": (gguf([tensor()], counts=(HUGE, None)), "claims 4,611,686,018,427,387,904 tensors"),
    "2^62 pairs": (gguf([tensor()], counts=(None, HUGE)), "sets '' twice"),
    "a name of 2^62 bytes": (gguf([text(b"w", HUGE)]), "ends inside"),
    "a text of 2^62 bytes": (gguf([], [pair(b"k", 8, text(b"v", HUGE))]), "ends inside"),
    "an array of 2^62 numbers": (gguf([], [pair(b"k", 9, struct.pack("<IQ", 4, HUGE))]), "ends inside"),
    "an array of 2^62 texts": (gguf([], [pair(b"k", 9, struct.pack("<IQ", 8, HUGE))]), "ends inside"),
    "arrays of arrays": (gguf([], [pair(b"k", 9, struct.pack("<IQ", 9, 1) * 50)]), "nested 4 deep"),
    "an array of 2^62 empty arrays": (gguf([], [pair(b"k", 9, struct.pack("<IQ", 9, HUGE))]), "ends inside"),
    "an unknown kind of value": (gguf([], [pair(b"k", 77, bytes(8))]), "value of type 77"),
    "the same key twice": (gguf([], [pair(b"k", 4, bytes(4))] * 2), "sets 'k' twice"),
    "a key that is not UTF-8": (gguf([], [pair(b"\xff", 4, bytes(4))]), "not UTF-8"),
    "a name that is not UTF-8": (gguf([tensor(b"\xff")]), "not UTF-8"),
    "the same name twice": (gguf([tensor(), tensor(offset=32)]), "stands for two tensors"),
    "2^32 axes": (gguf([tensor(axes=2**32 - 1)]), "axes"),
    "an absurd shape": (gguf([tensor(shape=(HUGE, HUGE))]), "absurd shape"),
    "a shape larger than the file": (gguf([tensor(shape=(2**40,))]), "the file at"),
    "an offset beyond the file": (gguf([tensor(offset=2**63)]), "the file at"),
    "two tensors in one place": (gguf([tensor(b"a"), tensor(b"b")]), "overlaps"),
    "blocks cut apart": (gguf([tensor(shape=(31,), kind=2)]), "cannot pack"),
    "an alignment of zero": (gguf([tensor()], [pair(b"general.alignment", 4, bytes(4))]), "general.alignment"),
    "an alignment that is text": (gguf([tensor()], [pair(b"general.alignment", 8, text(b"x"))]), "general.alignment"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_each_lie_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "w.gguf").write_bytes(content)
    assert message in refusal(tmp_path / "w.gguf")


def test_a_terabyte_that_claims_to_be_all_metadata(tmp_path: Path) -> None:
    with (tmp_path / "w.gguf").open("wb") as file:
        file.write(gguf([], counts=(0, HUGE)))
        file.truncate(2**40)
    refused_in_little_memory(tmp_path / "w.gguf", seconds=120)


def test_a_file_cut_anywhere(tmp_path: Path) -> None:
    whole = gguf([tensor(), tensor(b"v", (2, 2), offset=32)], [pair(b"k", 8, text(b"v"))], body=bytes(48))
    (tmp_path / "whole.gguf").write_bytes(whole)
    read_everything(tmp_path / "whole.gguf")
    for length in range(len(whole)):
        (tmp_path / "cut.gguf").write_bytes(whole[:length])
        refusal(tmp_path / "cut.gguf")


def test_an_unknown_type_is_carried_and_said(tmp_path: Path) -> None:
    from frostline import checkpoints

    (tmp_path / "w.gguf").write_bytes(gguf([tensor(kind=999), tensor(b"v", offset=32)]))
    with checkpoints.open(tmp_path / "w.gguf") as found:
        assert found.tensors["w"].unknown == "GGUF type 999 is not known here"
        assert found.tensors["v"].unknown is None
