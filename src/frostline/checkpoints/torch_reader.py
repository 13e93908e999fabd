"""Reads what torch.save writes, the zip archive and the older single stream, without running any of it."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from frostline.checkpoints import dtypes, unread
from frostline.checkpoints.archive import Archive
from frostline.checkpoints.checkpoint import Checkpoint, Tensor
from frostline.checkpoints.files import File, Window
from frostline.checkpoints.hostile import hostile
from frostline.checkpoints.pickle_machine import Items, Machine, Pairs, Persistent
from frostline.checkpoints.sources import Held, Negated, Source, Span, Strided, Swapped
from frostline.checkpoints.torch_graph import Walk
from frostline.checkpoints.torch_tensors import Absent, Other, Plain, Storage, Unread, Unusable, View, storage_view
from frostline.core.aliases import Span as Extent
from frostline.errors import CheckpointError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
HARMLESS_VIEW = 2**30

# Protocols 2 to 5 say so; the older two begin with a container, or with a name.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(d|\(l|\}q|\]q|\(?[ci][\w.]+\n[\w.]+\n")

Find = Callable[[Storage], Span]


def sniff(head: bytes) -> bool:
    """Whether a file that starts with ``head`` is a pickle, as older versions of torch wrote."""
    return _PICKLE.match(head) is not None


def sniff_archive(archive: Archive) -> bool:
    """Whether a zip archive is one of torch's."""
    return any(name.rpartition("/")[2] == "data.pkl" for name in archive.entries)


def read_archive(archive: Archive) -> Checkpoint:
    """The tensors of a zip archive of torch."""
    file = archive.file
    pickles = [name for name in archive.entries if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) > 1:
        raise file.bad("holds several pickles where torch writes one")
    root = pickles[0].removesuffix("data.pkl")
    spans: dict[str, Span] = {}
    checkpoint = Checkpoint(file.path, "torch", files=[file])

    def find(folder: str, storage: Storage) -> Span:
        name = folder + storage.key
        if name not in spans:
            if name not in archive.entries:
                raise file.bad(f"lacks the storage {storage.key!r} that its pickle refers to")
            spans[name] = archive.unpacked(name)
            if spans[name].file is not file:
                checkpoint.files.append(spans[name].file)
        return spans[name]

    order = archive.content(f"{root}byteorder") if f"{root}byteorder" in archive.entries else b"little"
    swap = order == b"big"
    for folder, pickle, prefix in (("data/", pickles[0], ""), ("constants/", f"{root}constants.pkl", "constants")):
        if pickle in archive.entries:
            value = _run(io.BytesIO(archive.content(pickle)), file).value
            _fill(checkpoint, value, partial(find, root + folder), swap, prefix)
    _refuse_nothing(checkpoint)
    for name in archive.entries:
        if name.startswith((f"{root}data/", f"{root}constants/")) and name not in spans:
            checkpoint.add_unread(name.removeprefix(root), "a storage that no tensor which was read refers to")
    return checkpoint


def read(file: File) -> Checkpoint:
    """The tensors of a pickle stream of torch, or of a pickle that holds numpy arrays."""
    stream = io.BufferedReader(Window(file), 2**16)
    checkpoint = Checkpoint(file.path, "torch (pickle stream)", files=[file])
    first = _run(stream, file).value
    if first != MAGIC_NUMBER:
        checkpoint.kind = "pickle"
        _fill(checkpoint, first, _no_storage(file), swap=False)
        _refuse_nothing(checkpoint)
        return checkpoint
    _run(stream, file)
    system, state, keys = (_run(stream, file) for _ in range(3))
    storages = _storages(file, state.persistents)
    spans = _stream_spans(file, stream.tell(), keys.value, storages)
    used = set()

    def find(storage: Storage) -> Span:
        used.add(storage.key)
        return spans[storage.key]

    _fill(checkpoint, state.value, find, swap=_is_big(system.value))
    _refuse_nothing(checkpoint)
    for key in spans:
        if key not in used:
            checkpoint.add_unread(f"storage {key}", "a storage that no tensor which was read refers to")
    return checkpoint


def _storages(file: File, references: list[Persistent]) -> dict[str, Storage]:
    """Every storage that a pickle refers to, by its key."""
    try:
        storages = [storage_view(reference).storage for reference in references if reference.id[0] == "storage"]
    except (Unusable, ValueError, TypeError, IndexError):
        raise file.bad("refers to a storage as no torch writes it") from None
    return {storage.key: storage for storage in storages}


def _run(stream: io.BufferedIOBase, file: File) -> Machine:
    """The machine after one pickle of the stream."""
    machine = Machine(stream, str(file.path))
    machine.run()
    for named in machine.named:
        if str(named) == "torch.distributed.checkpoint.metadata.Metadata":
            raise CheckpointError(
                f"{file.path}: the table of a checkpoint of torch.distributed, which is not read", unread.DISTRIBUTED
            )
        if hostile(named):
            raise CheckpointError(
                f"{file.path}: names {named}, which loading it would run; nothing was run",
                "a checkpoint has no use for that: do not load this file",
            )
    return machine


def _is_big(system: Any) -> bool:
    return isinstance(system, Pairs) and any(key == "little_endian" and not value for key, value in system.pairs)


def _no_storage(file: File) -> Find:
    def find(storage: Storage) -> Span:
        raise file.bad(f"refers to the storage {storage.key!r}, which it does not hold")

    return find


def _stream_spans(file: File, at: int, keys: Any, storages: dict[str, Storage]) -> dict[str, Span]:
    """Where each storage lies behind the pickles: a count of elements, then their bytes, in the order of the keys."""
    spans: dict[str, Span] = {}
    if not isinstance(keys, Items):
        raise file.bad("has no list of storages")
    for key in keys.items:
        if not isinstance(key, str) or key in spans or key not in storages:
            raise file.bad("lists a storage that its pickle does not refer to, or one twice")
        width = _width(storages[key].dtype)
        count = int.from_bytes(file.read(at, 8), "little", signed=True)
        if count < 0 or at + 8 + count * width > file.size:
            raise file.bad(f"ends inside its storage {key!r}")
        spans[key] = Span(file, at + 8, count * width)
        at += 8 + count * width
    missing = sorted(set(storages) - set(spans))
    if missing:
        raise file.bad(f"lacks the storage {missing[0]!r} that its pickle refers to")
    return spans


def _width(dtype: str) -> int:
    return (dtypes.bits(dtype) or 8) // 8 or 1


def _fill(checkpoint: Checkpoint, root: Any, find: Find, swap: bool, prefix: str = "") -> None:
    walk = Walk(str(checkpoint.path), [])
    walk.visit(prefix, root)
    for name, found in walk.found:
        name = name or "tensor"
        match found:
            case Other(text):
                checkpoint.extras[name] = text
            case Plain(dtype, shape, data):
                checkpoint.add(Tensor(name, dtype, shape, Held(data), note="inside the pickle"))
            case Absent(dtype, shape, reason):
                checkpoint.add_unknown(name, dtype, shape, reason)
            case Unread(reason):
                checkpoint.add_unread(name, reason)
            case View():
                checkpoint.add(tensor(checkpoint.files[0], name, found, find(found.storage), swap))


def _refuse_nothing(checkpoint: Checkpoint) -> None:
    if not checkpoint.tensors and checkpoint.extras:
        name, text = next(iter(checkpoint.extras.items()))
        raise CheckpointError(
            f"{checkpoint.path}: holds no tensor; its {name!r} is {text}", "nothing of it was loaded or run"
        )


def tensor(file: File, name: str, view: View, storage: Span, swap: bool) -> Tensor:
    """The tensor that ``view`` makes of the bytes of its storage; CheckpointError when it reaches past them."""
    note = view.note
    if view.dtype not in dtypes.BITS:
        note = f"type {view.dtype} is not known here; its storage is compared as bytes"
        extent = Extent((storage.file, storage.offset), 0, storage.nbytes)
        return Tensor(name, view.dtype, view.shape, storage, extent, note=note)
    width, shape, stride = _width(view.dtype), _bytewise(view), view.stride
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
    width, is_complex = _width(view.dtype), view.dtype.startswith("complex")
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
