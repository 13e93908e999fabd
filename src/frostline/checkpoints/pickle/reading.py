"""What a pickle adds to a checkpoint: it is run as inert records, and the tensors among these are taken in."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

from frostline.checkpoints import dtypes
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.sources import Held, Negated, Source, Span, Strided, Swapped
from frostline.checkpoints.pickle.hostile import hostile, present
from frostline.checkpoints.pickle.machine import Built, Machine
from frostline.checkpoints.pickle.torch_tensors import Absent, Aside, InStream, Other, Plain, Storage, Unread, View
from frostline.checkpoints.pickle.walk import Walk
from frostline.core.storage_overlap import Span as Extent
from frostline.errors import CheckpointError

HARMLESS_VIEW = 2**30

Find = Callable[[Storage], Span]


def run(stream: io.BufferedIOBase, file: File, built: Built | None = None) -> Machine:
    """The machine after one pickle of the stream."""
    machine = Machine(stream, str(file.path), built=built)
    machine.run()
    for named in machine.named:
        if hostile(named):
            raise CheckpointError(
                f"{file.path}: names {present(named)}, which loading it would run; nothing was run",
                "a checkpoint has no use for that: do not load this file",
            )
    return machine


def no_storage(file: File) -> Find:
    """For pickles that have no storages beside them."""

    def find(storage: Storage) -> Span:
        raise file.bad(f"refers to the storage {storage.key!r}, which it does not hold")

    return find


def fill(
    checkpoint: Checkpoint,
    machine: Machine,
    find: Find,
    swap: bool = False,
    prefix: str = "",
    values: bool = False,
) -> None:
    """Take in every tensor of a pickle that was run.

    Args:
        checkpoint: what they are added to.
        machine: the machine that ran the pickle.
        find: gives the bytes of a storage.
        swap: whether these are big end first.
        prefix: what all names begin with.
        values: whether plain numbers count as tensors, too.
    """
    walk = Walk(str(checkpoint.path), machine.taken, values)
    walk.visit(prefix, machine.value)
    checkpoint.uncompared += [what for what in walk.uncompared if what not in checkpoint.uncompared]
    for name, found in walk.found:
        name = name or "tensor"
        if values:  # an object may hold an item, an attribute and an argument of one name
            name = checkpoint.free_name(name)
        match found:
            case Other(text):
                checkpoint.add_extra(name, text)
            case Plain(dtype, shape, data):
                checkpoint.add(Tensor(name, dtype, shape, Held(data), note="inside the pickle"))
            case InStream():
                checkpoint.add(_in_stream(checkpoint.files[0], name, found))
            case Absent(dtype, shape, reason):
                checkpoint.add_unknown(name, dtype, shape, reason)
            case Aside(storage):
                find(storage)
            case Unread(reason):
                checkpoint.add_unread(name, reason)
            case View():
                checkpoint.add(tensor(checkpoint.files[0], name, found, find(found.storage), swap))


def _in_stream(file: File, name: str, found: InStream) -> Tensor:
    shape, width = found.shape, found.width
    source: Source = Span(file, found.offset, math.prod(shape) * width)
    if found.fortran and len(shape) > 1 and source.nbytes:
        strides = tuple(width * math.prod(shape[:axis]) for axis in range(len(shape)))
        source = Strided(file, found.offset, width, shape, strides)
    if found.big and found.unit > 1:
        source = Swapped(source, found.unit)
    return Tensor(name, found.dtype, shape, source)


def tensor(file: File, name: str, view: View, storage: Span, swap: bool) -> Tensor:
    """The tensor that ``view`` makes of the bytes of its storage; CheckpointError when it reaches past them."""
    note = view.note
    if view.dtype not in dtypes.BITS:
        note = f"type {view.dtype} is not known here; its storage is compared as bytes"
        extent = Extent((storage.file, storage.offset), 0, storage.nbytes)
        return Tensor(name, view.dtype, view.shape, storage, extent, note=note)
    width, shape, stride = width_of(view.dtype), _bytewise(view), view.stride
    if 0 in shape:
        return Tensor(name, view.dtype, view.shape, Held(b""), note=note)
    last = view.offset + sum((count - 1) * step for count, step in zip(shape, stride, strict=True))
    if (last + 1) * width > storage.nbytes:
        raise file.bad(f"{name!r} reaches past the end of its storage {view.storage.key!r}")
    nbytes = math.prod(shape) * width
    if nbytes > max(storage.nbytes, HARMLESS_VIEW):
        raise file.bad(f"{name!r} spreads {storage.nbytes:,} bytes over {nbytes:,}", "save a plain copy of that tensor")
    start = storage.offset + view.offset * width
    source: Source = Strided(storage.file, start, width, shape, tuple(step * width for step in stride))
    if _is_contiguous(shape, stride):
        source = Span(storage.file, start, nbytes)
    if swap and width > 1:
        source = Swapped(source, width // 2 if view.dtype.startswith("complex") else width)
    if view.pending:
        source = Negated(source, width, _signs(view))
    extent = Extent((storage.file, storage.offset), view.offset * width, (last + 1) * width)
    return Tensor(name, view.dtype, view.shape, source, extent, note=note)


def _signs(view: View) -> bytes:
    """The bits of one element that torch's lazy conjugation and negation turn over: signs."""
    width, is_complex = width_of(view.dtype), view.dtype.startswith("complex")
    if not (is_complex or view.dtype.startswith(("float", "bfloat"))):
        raise ValueError(f"no sign to turn in {view.dtype}")
    half = width // 2 if is_complex else width
    sign = bytes(half - 1) + b"\x80"
    real = sign if "neg" in view.pending else bytes(half)
    turned = ("neg" in view.pending) != ("conj" in view.pending)
    return real + (sign if turned else bytes(half)) if is_complex else real


def _bytewise(view: View) -> tuple[int, ...]:
    """The shape in the units of the storage: whole bytes where several numbers share one."""
    if dtypes.BITS[view.dtype] >= 8:
        return view.shape
    return (*view.shape[:-1], view.shape[-1] * dtypes.BITS[view.dtype] // 8)


def _is_contiguous(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    expected = 1
    for count, step in zip(reversed(shape), reversed(stride), strict=True):
        if count > 1 and step != expected:
            return False
        expected *= count
    return True


def width_of(dtype: str) -> int:
    """Bytes of one element, 1 where several share a byte."""
    return (dtypes.bits(dtype) or 8) // 8 or 1
