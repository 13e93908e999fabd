"""Formats that are not read: each is known by its content, and told with what to do instead."""

from __future__ import annotations

import itertools
from pathlib import Path

from frostline.checkpoints.files.file import File
from frostline.checkpoints.files.protobuf import Reader
from frostline.checkpoints.files.zip_archive import Archive
from frostline.errors import CheckpointError, UnknownFormat

TENSORFLOW = "name the .index beside it; without that nothing tells what is in it"
DISTRIBUTED = "name the folder that holds all its parts and the .metadata; without that nothing tells what is in them"
ORBAX = "name one of the folders in it"
CORE_ML = "read its weights with coremltools, or convert the model that it was made from"
PACKED = "unpack it first, and name a file from it"

MODELS = range(200, 4000)  # the numbers of the kinds of model in Core ML's message

# first bytes: what the file is, and what to do instead
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS in place of the file itself", "git lfs pull fetches the file"),
    (b"<!DOCTYPE", "a web page", "the download gave a page in place of the file: fetch it again, logged in if need be"),
    (b"<html", "a web page", "the download gave a page in place of the file: fetch it again, logged in if need be"),
    (b"ZF", "packed by joblib before 0.10", "joblib.load it and joblib.dump it again"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", PACKED),
)

# a file inside a folder: what the folder is, and what to do instead
_FOLDERS: tuple[tuple[str, str, str], ...] = (
    ("*.distcp", "a checkpoint of torch.distributed without its .metadata", DISTRIBUTED),
    ("_CHECKPOINT_METADATA", "a folder of Orbax without arrays of its own", ORBAX),
    ("*/_CHECKPOINT_METADATA", "a folder of several Orbax checkpoints", ORBAX),
    ("Data/com.apple.CoreML", "a Core ML package", CORE_ML),
)


def file(file: File) -> UnknownFormat | None:
    """The refusal of a file of a known format that is not read, told from its first and last bytes."""
    path, head = file.path, file.head
    for start, what, hint in _STARTS:
        if head.startswith(start):
            return _refusal(path, what, hint)
    if _is_core_ml(file):
        return _refusal(path, "a Core ML model", CORE_ML)
    if ".data-000" in path.name:
        return _refusal(path, "the data of a TensorFlow checkpoint, without names or shapes", TENSORFLOW)
    return None


def _is_core_ml(file: File) -> bool:
    """Whether a file is a message of a version, a description, and a model under one of Core ML's numbers."""
    if file.head[:1] != b"\x08":
        return False
    try:
        values = [field.number for field in itertools.islice(Reader(file).fields(0, file.size), 8)]
    except CheckpointError:
        return False
    return values[:2] == [1, 2] and any(number in MODELS for number in values)


def folder(path: Path) -> UnknownFormat | None:
    """The refusal of a folder, if it is a checkpoint of a kind known by name."""
    for pattern, what, hint in _FOLDERS:
        if next(path.glob(pattern), None) is not None:
            return _refusal(path, what, hint)
    return None


def name(path: Path) -> UnknownFormat | None:
    """The refusal of a part that means nothing alone, and of the name that the files of a checkpoint begin with."""
    if path.suffix == ".distcp":
        return _refusal(path, "a part of a checkpoint of torch.distributed", DISTRIBUTED)
    return None


def archive(archive: Archive) -> UnknownFormat | None:
    """The refusal of a zip archive of a known kind that is not read."""
    if any(name.rpartition("/")[2] == "serialized_exported_program.json" for name in archive.entries):
        hint = "load it and torch.export.save it with torch 2.8 or newer, or torch.save(program.state_dict, file)"
        return _refusal(archive.file.path, "an archive of torch.export of an older kind", hint)
    return None


def _refusal(path: Path, what: str, hint: str) -> UnknownFormat:
    return UnknownFormat(f"{path}: {what}, which is not read", hint)
