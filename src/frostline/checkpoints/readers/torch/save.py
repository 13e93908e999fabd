"""Reads what torch.save writes, the zip archive and the older single stream, without running any of it."""

from __future__ import annotations

import io
import re
from functools import partial
from typing import Any

from frostline.checkpoints.checkpoint import REST, Checkpoint
from frostline.checkpoints.files.file import File, Window
from frostline.checkpoints.files.sources import Span
from frostline.checkpoints.files.zip_archive import Archive
from frostline.checkpoints.pickle.joblib_arrays import Arrays
from frostline.checkpoints.pickle.reading import fill, no_storage, run, width_of
from frostline.checkpoints.pickle.records import Items, Pairs, Persistent
from frostline.checkpoints.pickle.torch_tensors import Storage, Unusable, storage_view
from frostline.checkpoints.readers.format import Format

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C

# Protocols 2 to 5 say so; the older two begin with a container, or with a name.
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(d|\(l|\}q|\]q|\(?[ci][\w.]+\n[\w.]+\n")


def known(file: File) -> bool:
    """Whether ``file`` is a pickle, as older versions of torch wrote."""
    return _PICKLE.match(file.head) is not None


def known_archive(archive: Archive) -> bool:
    """Whether a zip archive is one of torch's."""
    return any(name.rpartition("/")[2] == "data.pkl" for name in archive.entries)


_STRUCTURE = (
    r"(data|constants)\.pkl|(data|constants|code|\.data)/.*|version|byteorder|\.format_version|\.storage_alignment"
)


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
            unpacked = archive.unpacked(name)
            checkpoint.files.append(unpacked)
            spans[name] = Span(unpacked, 0, unpacked.size)
        return spans[name]

    order = archive.content(f"{root}byteorder") if f"{root}byteorder" in archive.entries else b"little"
    swap = order == b"big"
    for folder, pickle, prefix in (("data/", pickles[0], ""), ("constants/", f"{root}constants.pkl", "constants")):
        if pickle in archive.entries:
            machine = run(io.BytesIO(archive.content(pickle)), file)
            fill(checkpoint, machine, partial(find, root + folder), swap, prefix)
    for name in archive.entries:
        if name.startswith((f"{root}data/", f"{root}constants/")) and name not in spans:
            checkpoint.add_unread(name.removeprefix(root), "a storage that no tensor which was read refers to")
    if any(name.startswith(f"{root}code/") for name in archive.entries):
        checkpoint.uncompared.append("the code of the script")
    for name in archive.entries:
        if not re.fullmatch(f"{re.escape(root)}({_STRUCTURE})", name):
            checkpoint.add_bytes(name.removeprefix(root), archive.source(name))
    return checkpoint


def read(file: File) -> Checkpoint:
    """The tensors of a pickle stream of torch, or of any other pickle, joblib's included."""
    stream = io.BufferedReader(Window(file), 2**16)
    checkpoint = Checkpoint(file.path, "torch (pickle stream)", files=[file])
    arrays = Arrays(file)
    first = run(stream, file, arrays.built)
    if first.value != MAGIC_NUMBER:
        checkpoint.kind = "joblib" if arrays.count else "pickle"
        fill(checkpoint, first, no_storage(file), values=True)
        _add_rest(checkpoint, stream.tell())  # as where a script dumps twice
        return checkpoint
    run(stream, file)
    system, state, keys = (run(stream, file) for _ in range(3))
    storages = _storages(file, state.persistents)
    spans = _stream_spans(file, stream.tell(), keys.value, storages)
    used = set()

    def find(storage: Storage) -> Span:
        used.add(storage.key)
        return spans[storage.key]

    fill(checkpoint, state, find, swap=_is_big(system.value))
    for key in spans:
        if key not in used:
            checkpoint.add_unread(f"storage {key}", "a storage that no tensor which was read refers to")
    _add_rest(checkpoint, max((span.offset + span.nbytes for span in spans.values()), default=stream.tell()))
    return checkpoint


def _add_rest(checkpoint: Checkpoint, at: int) -> None:
    file = checkpoint.files[0]
    checkpoint.add_bytes(REST, Span(file, at, file.size - at))


def _storages(file: File, references: list[Persistent]) -> dict[str, Storage]:
    """Every storage that a pickle refers to, by its key."""
    try:
        storages = [storage_view(reference).storage for reference in references if reference.id[0] == "storage"]
    except (Unusable, ValueError, TypeError, IndexError):
        raise file.bad("refers to a storage as no torch writes it") from None
    return {storage.key: storage for storage in storages}


def _is_big(system: Any) -> bool:
    return isinstance(system, Pairs) and any(key == "little_endian" and not value for key, value in system.pairs)


def _stream_spans(file: File, at: int, keys: Any, storages: dict[str, Storage]) -> dict[str, Span]:
    """Where each storage lies behind the pickles: a count of elements, then their bytes, in the order of the keys."""
    spans: dict[str, Span] = {}
    if not isinstance(keys, Items):
        raise file.bad("has no list of storages")
    for key in keys.items:
        if not isinstance(key, str) or key in spans or key not in storages:
            raise file.bad("lists a storage that its pickle does not refer to, or one twice")
        width = width_of(storages[key].dtype)
        count = int.from_bytes(file.read(at, 8), "little", signed=True)
        if count < 0 or at + 8 + count * width > file.size:
            raise file.bad(f"ends inside its storage {key!r}")
        spans[key] = Span(file, at + 8, count * width)
        at += 8 + count * width
    missing = sorted(set(storages) - set(spans))
    if missing:
        raise file.bad(f"lacks the storage {missing[0]!r} that its pickle refers to")
    return spans


FORMAT = Format(
    "PyTorch (.pt, .pth, .bin, .ckpt)",
    file=(known, read),
    archive=(known_archive, read_archive),
    folder=("pytorch_model.bin.index.json", "pytorch_model.bin", "adapter_model.bin", "*.bin.index.json"),
)
