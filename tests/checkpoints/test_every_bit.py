"""One bit of any tensor, anywhere in a nested file, changes a digest or ends in "could not tell"; never a proof."""

import io
import pickle
import tempfile
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import checkpoint_calls
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.needs("torch")

DTYPES = ("u1", "<i4", ">i2", "<f4", ">f8", "<c8", "S3")


class Holder:
    """An object with attributes, as scripts pickle them."""

    def __init__(self, value: Any) -> None:
        self.value = value


def boxed(value: Any) -> Any:
    found = np.empty(1, object)
    found[0] = value
    return found


# Each makes a tensor of a file from the bytes of an array, or wraps a value in another.
LEAVES: dict[str, Callable[[np.ndarray], Any]] = {
    "array": lambda array: array,
    "fortran": np.asfortranarray,
    "bytes": lambda array: array.tobytes(),
    "bytearray": lambda array: bytearray(array.tobytes()),
    "scalar": lambda array: array.reshape(-1)[0],
    "hidden": lambda array: Holder(array.tobytes()),
}
TENSORS: dict[str, Callable[[np.ndarray], Any]] = {
    "tensor": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.uint8),
    "turned": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.uint8).reshape(2, -1).t(),
    "parameter": lambda array: torch.nn.Parameter(TENSORS["tensor"](array).reshape(2, -1), requires_grad=False),
    "conjugate": lambda array: torch.frombuffer(bytearray(array.tobytes()), dtype=torch.complex64).conj(),
}


def float_of(array: np.ndarray) -> float:
    return float(np.frombuffer(array.tobytes()[:8], "<f8")[0])


VALUES: dict[str, Callable[[np.ndarray], Any]] = {
    "integer": lambda array: int.from_bytes(array.tobytes()[:8], "little", signed=True),
    "long integer": lambda array: int.from_bytes(array.tobytes(), "little"),
    "float": float_of,
    "complex": lambda array: complex(1.0, float_of(array)),
    "text": lambda array: array.tobytes().decode("latin-1"),
    "key": lambda array: {array.tobytes().decode("latin-1"): 1},
    "numbers": lambda array: tuple(array.tobytes()),
    "path": lambda array: PurePosixPath(array.tobytes().hex()),
    "options": lambda array: Holder({"lr": float_of(array), "names": ["a", None]}),
}
SHORT = ("scalar", "integer", "float", "complex", "options")  # of eight bytes, at most
WRAPS: tuple[Callable[[Any], Any], ...] = (
    lambda value: {"a": value, "n": 3},
    lambda value: {("k", 1): value},
    lambda value: [None, value],
    lambda value: (value,),
    lambda value: OrderedDict(o=value),
    lambda value: deque([value]),
    boxed,
    Holder,
)


def save_npz(tree: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, open=np.ones(2), tree=boxed(tree))
    return buffer.getvalue()


def save_safetensors(tree: np.ndarray) -> bytes:
    return safetensors.numpy.save({"open": np.ones(2), "tree": np.ascontiguousarray(tree).view("u1")})


def save_torch(tree: Any, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save({"open": torch.ones(2), "tree": tree}, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


SAVERS: dict[str, tuple[Callable[[Any], bytes], dict[str, Callable[[np.ndarray], Any]], bool]] = {
    "safetensors": (save_safetensors, {"array": LEAVES["array"]}, False),
    "npz": (save_npz, LEAVES, True),
    "pickle": (lambda tree: pickle.dumps({"open": np.ones(2), "tree": tree}), LEAVES | VALUES, True),
    "pickle, protocol 2": (lambda tree: pickle.dumps({"open": np.ones(2), "tree": tree}, 2), LEAVES, True),
    "torch": (save_torch, LEAVES | TENSORS | VALUES, True),
    "torch stream": (lambda tree: save_torch(tree, zipped=False), LEAVES | TENSORS | VALUES, True),
}


def statuses(one: bytes, other: bytes) -> tuple[int, int]:
    """What diff and verify say of two files."""
    with tempfile.TemporaryDirectory() as name:
        old, new, lock = (Path(name) / part for part in ("old", "new", "w.lock"))
        old.write_bytes(one)
        new.write_bytes(other)
        locked = checkpoint_calls.call("lock", old, "-o", lock).status
        assert locked in (0, 2)
        compared = checkpoint_calls.call("diff", old, new, "--quiet").status
        verified = checkpoint_calls.call("verify", new, lock, "--quiet").status
        assert locked == 0 or (compared and verified)
        return compared, verified


@pytest.mark.parametrize("library", SAVERS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_flipped_bit_is_passed_over(library: str, data: st.DataObject) -> None:
    save, rows, nests = SAVERS[library]
    row = data.draw(st.sampled_from(sorted(rows)), "tensor")
    make = rows[row]
    wraps = data.draw(st.lists(st.sampled_from(range(len(WRAPS))), max_size=3), "wraps") if nests else []
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES), "type"))
    content = bytearray(data.draw(st.binary(min_size=48, max_size=48), "content").replace(b"\0", b"\1"))

    def tree(buffer: bytearray) -> bytes:
        value = make(np.frombuffer(bytes(buffer), dtype).reshape(2, -1))
        for index in wraps:
            value = WRAPS[index](value)
        return save(value)

    one = tree(content)
    width = min(8, dtype.itemsize if row == "scalar" else 8) if row in SHORT else len(content)
    bit = data.draw(st.integers(0, 8 * width - 1), "bit")
    content[bit // 8] ^= 1 << bit % 8
    if dtype.kind == "S" and content[bit // 8] == 0:  # numpy drops zeros at the end of a text
        content[bit // 8] = 2
    assert 0 not in statuses(one, tree(content))


def test_the_same_file_is_the_same() -> None:
    content = save_torch({"a": np.arange(6), "t": torch.ones(2).conj(), "b": b"bytes"})
    assert statuses(content, content) == (0, 0)


def test_a_reader_that_passes_over_an_entry_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted failure: bytes in a pickle are taken for a plain value, as they once were."""
    from frostline.checkpoints.pickle import walk

    monkeypatch.setattr(walk, "Plain", lambda *arguments: walk.Other("bytes"))
    assert statuses(save_torch(b"one"), save_torch(b"two")) == (0, 0)
