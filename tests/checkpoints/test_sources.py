"""Drawing bytes piece by piece gives what reading at once gives, for every layout."""

import itertools
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frostline.checkpoints.files import sources
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Held, Inflated, Span, Strided, Swapped, regrouped
from frostline.errors import CheckpointError

STORED = np.random.default_rng(0).integers(0, 256, 2**16, np.uint8)


@pytest.fixture(scope="module", name="file")
def stored_file(tmp_path_factory: pytest.TempPathFactory) -> File:
    path = tmp_path_factory.mktemp("sources") / "stored"
    path.write_bytes(STORED.tobytes())
    return File(path)


@st.composite
def views(draw: st.DrawFn) -> np.ndarray:
    """A view of the stored bytes with any order of axes, any steps and repeated axes."""
    dtype = draw(st.sampled_from(["u1", "<u2", "<u4", "<u8", "<c16"]))
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    flat = STORED[16 * draw(st.integers(0, 10)) :].view(dtype)
    whole = flat[: int(np.prod(shape))].reshape(shape)
    view = whole[tuple(slice(draw(st.integers(0, 2)), None, draw(st.integers(1, 3))) for _ in shape)]
    view = view.transpose(draw(st.permutations(range(view.ndim))))
    return np.broadcast_to(view, (draw(st.integers(1, 3)), *view.shape)) if draw(st.booleans()) else view


@given(
    view=views(),
    size=st.sampled_from([16, 48, 1024]),
    box=st.sampled_from([1, 64, 2**20]),
    near=st.sampled_from([0, 64]),
)
@settings(max_examples=300, deadline=None)
def test_a_strided_view_is_gathered_as_numpy_copies_it(
    file: File, view: np.ndarray, size: int, box: int, near: int
) -> None:
    offset = view.__array_interface__["data"][0] - STORED.__array_interface__["data"][0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "BOX", box)  # so that small views meet every branch
        patch.setattr(sources, "NEAR", near)
        pieces = [bytes(piece) for piece in Strided(file, offset, view.itemsize, view.shape, view.strides).pieces(size)]
    assert b"".join(pieces) == view.tobytes()
    assert all(len(piece) == size for piece in pieces[:-1])


@given(parts=st.lists(st.binary(max_size=70)), size=st.sampled_from([16, 32, 64]))
def test_regrouping_keeps_the_bytes_and_evens_the_pieces(parts: list[bytes], size: int) -> None:
    pieces = [bytes(piece) for piece in regrouped(parts, size)]
    assert b"".join(pieces) == b"".join(parts)
    assert all(len(piece) == size for piece in pieces[:-1])
    assert all(pieces)


@pytest.mark.parametrize("nbytes", [0, 1, 48, 64, 65, 5000])
def test_a_span(file: File, nbytes: int) -> None:
    pieces = [bytes(piece) for piece in Span(file, 7, nbytes).pieces(64)]
    assert b"".join(pieces) == STORED[7 : 7 + nbytes].tobytes()
    assert [len(piece) for piece in pieces] == [min(64, nbytes - start) for start in range(0, nbytes, 64)]


def test_swapped_bytes() -> None:
    values = np.arange(100, dtype=">u4")
    assert b"".join(map(bytes, Swapped(Held(values.tobytes()), 4).pieces(64))) == values.astype("<u4").tobytes()


@pytest.mark.parametrize("skip", [0, 1, 100, 599_999])
def test_inflated(tmp_path: Path, skip: int) -> None:
    data = np.random.default_rng(1).integers(0, 4, 600_000, np.uint8).tobytes()
    machine = zlib.compressobj(wbits=-15)
    packed = machine.compress(data) + machine.flush()
    (tmp_path / "packed").write_bytes(b"..." + packed)
    source = Inflated(File(tmp_path / "packed"), 3, len(packed), len(data), zlib.crc32(data), skip)
    assert b"".join(map(bytes, source.pieces(4096))) == data[skip:]


@pytest.mark.parametrize(("size", "checksum"), [(-1, 0), (1, 0), (0, 1)])
def test_inflated_data_must_be_what_was_stated(tmp_path: Path, size: int, checksum: int) -> None:
    data = bytes(range(256)) * 10
    machine = zlib.compressobj(wbits=-15)
    packed = machine.compress(data) + machine.flush()
    (tmp_path / "packed").write_bytes(packed)
    source = Inflated(File(tmp_path / "packed"), 0, len(packed), len(data) + size, zlib.crc32(data) ^ checksum)
    with pytest.raises(CheckpointError, match=r"unpack|length or checksum"):
        list(source.pieces())


def test_a_file_that_shrinks_or_is_written_to_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2 * sources.PIECE))
    file = File(path)
    pieces = Span(file, 0, file.size).pieces()
    next(pieces)
    with path.open("r+b") as handle:
        handle.truncate(sources.PIECE)
    with pytest.raises(CheckpointError, match="changed while it was being read"):
        next(pieces)


def test_all_orders_of_axes_are_gathered_with_few_reads(file: File) -> None:
    """A transposed matrix is read in runs and not number by number."""
    reads = itertools.count()
    read, counted = file.read, lambda offset, count: (next(reads), read(offset, count))[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file, "read", counted)
        patch.setattr(sources, "NEAR", 0)
        b"".join(map(bytes, Strided(file, 0, 4, (64, 32), (4, 8 * 64)).pieces()))
    assert next(reads) <= 33
